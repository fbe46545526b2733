"""Compiled look-ups in the grids of a collision map.

Each does the arithmetic of the NumPy formula that stands in its test, operation by operation, so
that the answers are equal to the bit; what it saves is NumPy's overhead on a handful of points.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled

Floats = NDArray[np.float64]
Grid = NDArray[np.float32]


@compiled
def floor_heights(
    height: Grid, ox: float, oy: float, resolution: float, points: Floats, out: Floats
) -> None:
    """Interpolate heights at points, bilinearly, clamped at the border.

    Args:
        height: At cell centres, metres. [R, C]
        ox: x of the outer corner of cell (0, 0), metres.
        oy: y of it.
        resolution: Edge of a cell, metres.
        points: Finite. [N, 2]
        out: Metres. [N]
    """
    last_row, last_column = height.shape[0] - 1, height.shape[1] - 1
    for i in range(points.shape[0]):
        column = min(max((points[i, 0] - ox) / resolution - 0.5, 0.0), float(last_column))
        row = min(max((points[i, 1] - oy) / resolution - 0.5, 0.0), float(last_row))
        c0 = max(min(int(column), max(last_column - 1, 0)), 0)
        r0 = max(min(int(row), max(last_row - 1, 0)), 0)
        c1, r1 = min(c0 + 1, last_column), min(r0 + 1, last_row)
        tx, ty = column - c0, row - r0
        near = height[r0, c0] * (1.0 - tx) + height[r0, c1] * tx
        far = height[r1, c0] * (1.0 - tx) + height[r1, c1] * tx
        out[i] = near * (1.0 - ty) + far * ty


@compiled
def value_at(
    grid: Grid, ox: float, oy: float, resolution: float, x: float, y: float
) -> float:
    """Return the value of the cell that a point lies in, 0 outside the grid."""
    column = math.floor((x - ox) / resolution)
    row = math.floor((y - oy) / resolution)
    if row < 0 or column < 0 or row >= grid.shape[0] or column >= grid.shape[1]:
        return 0.0
    return float(grid[row, column])


@compiled
def any_cell(
    mask: NDArray[np.bool_], ox: float, oy: float, resolution: float, pose: Floats, points: Floats
) -> bool:
    """Say whether a point of a body lies on a set cell, or off the grid.

    Args:
        mask: [R, C]
        ox: x of the outer corner of cell (0, 0), metres.
        oy: y of it.
        resolution: Edge of a cell, metres.
        pose: x, y, cosine and sine of the heading, map <- body. [4]
        points: Body frame, metres. [N, 2]
    """
    x, y, c, s = pose
    for i in range(points.shape[0]):
        px, py = x + c * points[i, 0] - s * points[i, 1], y + s * points[i, 0] + c * points[i, 1]
        column = math.floor((px - ox) / resolution)
        row = math.floor((py - oy) / resolution)
        if row < 0 or column < 0 or row >= mask.shape[0] or column >= mask.shape[1]:
            return True
        if mask[row, column]:
            return True
    return False
