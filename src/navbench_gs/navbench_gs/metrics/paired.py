"""Two runs over the same episodes: differences with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from navbench_gs.metrics.interval import hierarchical_bootstrap
from navbench_gs.metrics.summary import Estimate, Scored
from navbench_gs.tasks.spec import TASKS

PAIRED = ('success', 'collision_free_success', 'route_completion', 'collisions', 'spl')
"""Metrics that are compared."""


@dataclass(frozen=True)
class Comparison:
    """How run B differs from run A in one task."""

    name: str
    """Task, or 'all'."""
    pairs: int
    differences: dict[str, Estimate]
    """B minus A by metric."""
    only_a: int
    """Episodes in which only A succeeded."""
    only_b: int
    """Episodes in which only B succeeded."""


def pair(a: Sequence[Scored], b: Sequence[Scored]) -> list[tuple[Scored, Scored]]:
    """Return the episodes that both runs drove: the same in every part of their specs."""
    known = {item.spec.to_json(): item for item in a}
    pairs = [(known[text], item) for item in b if (text := item.spec.to_json()) in known]
    return sorted(pairs, key=lambda both: both[0].spec.id)


def compare(a: Sequence[Scored], b: Sequence[Scored], seed: int = 0) -> list[Comparison]:
    """Compare two runs by task, and all tasks together last; tasks without pairs are left out."""
    pairs = pair(a, b)
    parts = []
    for task in TASKS:
        group = [both for both in pairs if both[0].spec.task == task]
        if group:
            parts.append(_compared(task, group, seed))
    if len(parts) > 1:
        parts.append(_compared('all', pairs, seed))
    return parts


def _compared(name: str, pairs: Sequence[tuple[Scored, Scored]], seed: int) -> Comparison:
    differences = {metric: _difference(pairs, metric, seed) for metric in PAIRED}
    wins = [(left.scores.success, right.scores.success) for left, right in pairs]
    return Comparison(
        name, len(pairs), differences, wins.count((True, False)), wins.count((False, True))
    )


def _difference(pairs: Sequence[tuple[Scored, Scored]], metric: str, seed: int) -> Estimate:
    """Mean difference; scenes are drawn again, then pairs within them."""
    by_scene: dict[str, list[float]] = {}
    for left, right in pairs:
        change = float(getattr(right.scores, metric)) - float(getattr(left.scores, metric))
        if math.isfinite(change):
            by_scene.setdefault(left.spec.scene, []).append(change)
    groups = [np.array(by_scene[scene]) for scene in sorted(by_scene)]
    flat = np.concatenate(groups) if groups else np.zeros(0)
    low, high = hierarchical_bootstrap(groups, seed=seed)
    return Estimate(float(flat.mean()) if len(flat) else math.nan, low, high, len(flat))
