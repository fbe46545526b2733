"""What several training seeds say together: a mean whose interval knows of seeds and scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.metrics.estimate import Estimate

DRAWS = 4000
"""Bootstrap samples; the bounds of a 95 % interval then vary by less than a fortieth of it."""


def pooled(seeds: Sequence[Sequence[tuple[str, float]]], seed: int = 0) -> Estimate:
    """Estimate a mean over trainings that were measured on the same scenes.

    Seeds and scenes cross, so a draw takes seeds again and, for all of them, the same scenes
    again, then episodes within each pair (crossed bootstrap: Owen, 2007, "The pigeonhole
    bootstrap"). A pair that is drawn twice has the same episodes both times. Three seeds are few:
    the interval is somewhat too narrow.

    Args:
        seeds: For each training its scenes with a value each; what is not finite does not count.
        seed: Seed of the draws.

    Returns:
        The mean of the seeds' means with its interval; NaN where a seed has no value.
    """
    kept = [[item for item in values if math.isfinite(item[1])] for values in seeds]
    count = sum(map(len, kept))
    if not kept or not all(kept):
        return Estimate(math.nan, math.nan, math.nan, count)
    scenes = sorted({scene for values in kept for scene, _ in values})
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5EED]))
    draws = np.empty((DRAWS, len(kept), len(scenes)))
    sizes = np.zeros((len(kept), len(scenes)))
    for row, values in enumerate(kept):
        for column, scene in enumerate(scenes):
            group = np.array([value for name, value in values if name == scene])
            sizes[row, column] = len(group)
            draws[:, row, column] = _sums(group, rng)
    mean = float(np.mean([np.mean([value for _, value in values]) for values in kept]))
    low, high = np.quantile(_means(draws, sizes, rng), [0.025, 0.975])
    return Estimate(mean, float(low), float(high), count)


def _sums(group: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return sums of a group drawn again. [DRAWS]"""
    if not len(group):
        return np.zeros(DRAWS)
    chosen = group[rng.integers(len(group), size=(DRAWS, len(group)))]
    sums: NDArray[np.float64] = chosen.sum(axis=1)
    return sums


def _means(
    draws: NDArray[np.float64], sizes: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return means over seeds and scenes drawn again. [DRAWS, S, C], [S, C] -> [DRAWS]"""
    seeds, scenes = sizes.shape
    often = rng.multinomial(scenes, np.full(scenes, 1.0 / scenes), size=DRAWS)
    counts = often @ sizes.T
    # Where not all seeds have all scenes, a draw can leave a seed without episodes.
    with np.errstate(invalid='ignore'):
        each = np.einsum('dsc,dc->ds', draws, often) / counts
    weights = rng.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=DRAWS) * (counts > 0)
    total = np.nansum(np.where(counts > 0, each, 0.0) * weights, axis=1)
    usable = weights.sum(axis=1) > 0
    result: NDArray[np.float64] = total[usable] / weights.sum(axis=1)[usable]
    return result
