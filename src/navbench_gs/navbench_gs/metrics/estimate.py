"""A mean with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from navbench_gs.metrics.interval import interval


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int
    """Finite values behind it."""


def estimate(
    values: Iterable[tuple[str, float]], *, proportion: bool = False, seed: int = 0
) -> Estimate:
    """Estimate a mean; scenes are drawn again, then values within them.

    Args:
        values: Scenes with a value each; values that are not finite do not count.
        proportion: Whether they are 0 or 1: Wilson's interval where there is one scene.
        seed: Seed of the bootstrap.
    """
    by_scene: dict[str, list[float]] = {}
    for scene, value in values:
        if math.isfinite(value):
            by_scene.setdefault(scene, []).append(value)
    groups = [np.array(by_scene[scene]) for scene in sorted(by_scene)]
    flat = np.concatenate(groups) if groups else np.zeros(0)
    low, high = interval(groups, proportion=proportion, seed=seed)
    return Estimate(float(flat.mean()) if len(flat) else math.nan, low, high, len(flat))
