"""Covering a mask with few axis-aligned rectangles, for physics boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cover(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cover the True cells exactly by disjoint rectangles.

    Equal runs of consecutive rows are joined, so rectilinear blocks need few rectangles.

    Args:
        mask: `[R, C]`.

    Returns:
        `[B, 4]` row and column of the first cell, row and column past the last.
    """
    finished: list[tuple[int, int, int, int]] = []
    open_runs: dict[tuple[int, int], int] = {}
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 1), (1, 1))), axis=1)
    for row, line in enumerate(edges):
        starts, ends = np.flatnonzero(line == 1), np.flatnonzero(line == -1)
        runs = set(zip(starts.tolist(), ends.tolist(), strict=True))
        for run in [run for run in open_runs if run not in runs]:
            finished.append((open_runs.pop(run), run[0], row, run[1]))
        for run in runs:
            open_runs.setdefault(run, row)
    return np.array(sorted(finished), dtype=np.int64).reshape(-1, 4)


def boxes(
    rectangles: NDArray[np.int64],
    origin: NDArray[np.floating],
    resolution: float,
    bottom: NDArray[np.floating] | float,
    top: NDArray[np.floating] | float,
) -> NDArray[np.float32]:
    """Turn rectangles of cells into boxes `[B, 7]` (centre, half sizes, yaw 0) in metres."""
    count = len(rectangles)
    low = np.broadcast_to(np.asarray(bottom, dtype=np.float64), (count,))
    high = np.broadcast_to(np.asarray(top, dtype=np.float64), (count,))
    start = rectangles[:, [1, 0]] * resolution + origin
    end = rectangles[:, [3, 2]] * resolution + origin
    result = np.zeros((count, 7))
    result[:, :2], result[:, 2] = 0.5 * (start + end), 0.5 * (low + high)
    result[:, 3:5], result[:, 5] = 0.5 * (end - start), 0.5 * (high - low)
    return result.astype(np.float32)
