"""Confidence intervals: Wilson within one scene, hierarchical bootstrap over several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, count: int, z: float = Z95) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927).

    Args:
        successes: Number of successes.
        count: Number of trials.
        z: Normal quantile.

    Returns:
        Lower and upper bound; (0, 1) without trials.
    """
    if count == 0:
        return 0.0, 1.0
    share = successes / count
    scale = 1.0 + z * z / count
    centre = (share + z * z / (2.0 * count)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    # At the ends the bound is exact; the formula is so only up to rounding.
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == count else centre + half


def hierarchical_bootstrap(
    groups: Sequence[NDArray[np.floating]], draws: int = 4000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean: scenes are drawn again, then episodes within each.

    Args:
        groups: Values by scene; empty scenes are left out.
        draws: Bootstrap samples.
        seed: Seed of the draws; equal inputs give equal intervals.
        level: Share of the samples inside.

    Returns:
        Lower and upper bound; NaN without values.
    """
    groups = [np.asarray(group, np.float64) for group in groups if len(group)]
    if not groups:
        return math.nan, math.nan
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xB007]))
    counts = np.array([len(group) for group in groups], np.float64)
    picks = rng.integers(len(groups), size=(draws, len(groups)))
    totals, weights = np.zeros(draws), counts[picks].sum(axis=1)
    # One resample of each scene per draw and slot: a scene drawn twice is resampled twice.
    for slot in range(len(groups)):
        for index, group in enumerate(groups):
            chosen = np.flatnonzero(picks[:, slot] == index)
            if len(chosen):
                inner = rng.integers(len(group), size=(len(chosen), len(group)))
                totals[chosen] += group[inner].sum(axis=1)
    tail = 0.5 * (1.0 - level)
    low, high = np.quantile(totals / weights, [tail, 1.0 - tail])
    return float(low), float(high)


def interval(
    groups: Sequence[NDArray[np.floating]], *, proportion: bool, seed: int = 0
) -> tuple[float, float]:
    """Interval of the mean over all episodes: Wilson for a proportion within one scene."""
    filled = [np.asarray(group, np.float64) for group in groups if len(group)]
    if proportion and len(filled) == 1:
        return wilson(round(float(filled[0].sum())), len(filled[0]))
    return hierarchical_bootstrap(filled, seed=seed)
