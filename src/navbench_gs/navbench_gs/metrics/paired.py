"""Two runs over the same episodes: differences with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from navbench_gs.metrics.estimate import Estimate, estimate
from navbench_gs.metrics.summary import Scored
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

    @property
    def chance(self) -> float:
        """Probability that equally good runs differ by so much in who alone succeeds.

        Exact test of McNemar: of n episodes in which only one succeeds, each is either's with
        probability 1/2. Episodes count as independent, also those of one scene.
        """
        count, fewer = self.only_a + self.only_b, min(self.only_a, self.only_b)
        tail = sum(math.comb(count, k) for k in range(fewer + 1))
        # Whole numbers: 2^1024 is no float, and a full table has more such episodes.
        return min(1.0, 2 * tail / (1 << count))


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
    """Mean difference of the pairs."""
    return estimate(
        (
            (left.spec.scene,
             float(getattr(right.scores, metric)) - float(getattr(left.scores, metric)))
            for left, right in pairs
        ),
        seed=seed,
    )
