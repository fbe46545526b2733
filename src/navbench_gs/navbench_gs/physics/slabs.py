"""Level parts of a height field as boxes: a wheel on a box is one test instead of dozens.

Measured with MuJoCo 4.0: four wheels on a height field of 0.1 m cells cost three times as much
per step as on a plane, because every prism under a wheel is tested on its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.rectangles import cover

LEVEL = 0.001
"""Heights that round to the same multiple are level, metres."""
SMALLEST = 400
"""Fewest vertices of a slab: 4 m^2 at 0.1 m; smaller ones stay in the height field."""
NARROWEST = 5
"""Fewest vertices across a slab: a narrower one has no inside to be lowered."""
SUNK = 0.1
"""How far the height field is lowered under a slab, metres: out of every wheel's reach."""
MOST_LEVELS = 16
"""Only the most frequent heights are looked at: a rough floor has thousands."""
MOST = 400
"""At most this many slabs, largest first."""


def level_rectangles(
    heights: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find large rectangles of vertices that lie level.

    Args:
        heights: `[R, C]` vertex heights, metres.

    Returns:
        **rectangles**: `[B, 4]` first row and column, last row and column (inclusive).
        **levels**: `[B]` their height, metres.
    """
    steps = np.round(heights / LEVEL).astype(np.int64)
    values, counts = np.unique(steps, return_counts=True)
    rectangles, levels = [], []
    common = np.argsort(-counts, kind='stable')[:MOST_LEVELS]
    for value in values[common[counts[common] >= SMALLEST]]:
        found = cover(steps == value)
        sides = found[:, 2:] - found[:, :2]
        large = found[(sides.prod(axis=1) >= SMALLEST) & (sides.min(axis=1) >= NARROWEST)]
        rectangles.append(large - np.array([0, 0, 1, 1]))
        levels.append(np.full(len(large), value * LEVEL))
    if not rectangles:
        return np.zeros((0, 4), dtype=np.int64), np.zeros(0)
    boxes, tops = np.concatenate(rectangles), np.concatenate(levels)
    size = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-size, kind='stable')[:MOST]
    return boxes[order], tops[order]


def sink(heights: NDArray[np.float64], rectangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the heights lowered strictly inside the rectangles; their borders stay."""
    sunk = heights.copy()
    for first_row, first_column, last_row, last_column in rectangles:
        sunk[first_row + 1 : last_row, first_column + 1 : last_column] -= SUNK
    return sunk
