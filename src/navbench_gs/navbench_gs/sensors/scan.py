"""A planar virtual laser scanner on the occupancy grid and the shapes of moving things."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.se2 import Pose2

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class VirtualScan:
    """Casts beams from base_link; the robot does not see itself."""

    def __init__(self, collision: CollisionMap) -> None:
        """Take the scene's occupancy.

        Args:
            collision: The scene's grid; everything outside it counts as occupied.
        """
        self._occupancy = collision.occupancy
        self._origin = collision.origin
        self._resolution = collision.resolution

    def cast(
        self,
        pose: Pose2,
        discs: NDArray[np.floating],
        rectangles: NDArray[np.floating],
        beams: int = 360,
        max_range: float = 10.0,
    ) -> NDArray[np.float32]:
        """Measure distances.

        Args:
            pose: map <- base_link.
            discs: `[D, 3]` x, y, radius in map: people and round obstacles.
            rectangles: `[B, 5]` x, y, half length, half width, yaw in map.
            beams: How many, evenly from -pi (inclusive) to pi (exclusive).
            max_range: Metres; nothing within it gives inf.

        Returns:
            `[beams]` metres from base_link.
        """
        ranges = np.empty(beams, dtype=np.float32)
        _cast(
            self._occupancy, float(self._origin[0]), float(self._origin[1]), self._resolution,
            pose.x, pose.y, pose.yaw,
            np.ascontiguousarray(discs, dtype=np.float64).reshape(-1, 3),
            np.ascontiguousarray(rectangles, dtype=np.float64).reshape(-1, 5),
            float(max_range), ranges,
        )
        return ranges


@compiled
def _cast(
    occupancy: Mask, ox: float, oy: float, res: float, x: float, y: float, yaw: float,
    discs: Floats, rectangles: Floats, limit: float, out: NDArray[np.float32],
) -> None:
    """Fill `out` [beams] with the nearest hit of each beam."""
    beams = out.shape[0]
    for index in range(beams):
        angle = yaw - math.pi + 2.0 * math.pi * index / beams
        dx, dy = math.cos(angle), math.sin(angle)
        best = _cast_grid(occupancy, (x - ox) / res, (y - oy) / res, dx, dy, limit / res) * res
        for d in range(discs.shape[0]):
            best = min(best, _hit_disc(x - discs[d, 0], y - discs[d, 1], discs[d, 2], dx, dy))
        for r in range(rectangles.shape[0]):
            c, s = math.cos(rectangles[r, 4]), math.sin(rectangles[r, 4])
            rx, ry = x - rectangles[r, 0], y - rectangles[r, 1]
            best = min(best, _hit_box(c * rx + s * ry, c * ry - s * rx, c * dx + s * dy,
                                      c * dy - s * dx, rectangles[r, 2], rectangles[r, 3]))
        out[index] = best if best <= limit else np.inf


@compiled
def _cast_grid(
    occupancy: Mask, x: float, y: float, dx: float, dy: float, limit: float
) -> float:
    """Walk the cells along a ray (Amanatides and Woo 1987); all lengths in cells."""
    rows, columns = occupancy.shape
    column, row = math.floor(x), math.floor(y)
    step_x, step_y = (1 if dx > 0.0 else -1), (1 if dy > 0.0 else -1)
    per_x = 1.0 / abs(dx) if dx != 0.0 else np.inf
    per_y = 1.0 / abs(dy) if dy != 0.0 else np.inf
    next_x = ((column + 1 - x) if dx > 0.0 else (x - column)) * per_x if dx != 0.0 else np.inf
    next_y = ((row + 1 - y) if dy > 0.0 else (y - row)) * per_y if dy != 0.0 else np.inf
    travelled = 0.0
    while travelled <= limit:
        outside = row < 0 or column < 0 or row >= rows or column >= columns
        if outside or occupancy[row, column]:
            return travelled
        if next_x < next_y:
            travelled = next_x
            next_x += per_x
            column += step_x
        else:
            travelled = next_y
            next_y += per_y
            row += step_y
    return np.inf


@compiled
def _hit_disc(px: float, py: float, radius: float, dx: float, dy: float) -> float:
    """Return the distance from p (relative to the centre) along unit d; inside gives 0."""
    b = px * dx + py * dy
    c = px * px + py * py - radius * radius
    if c <= 0.0:
        return 0.0
    root = b * b - c
    if root < 0.0 or b > 0.0:
        return np.inf
    return -b - math.sqrt(root)


@compiled
def _hit_box(
    px: float, py: float, dx: float, dy: float, hx: float, hy: float
) -> float:
    """Slab test in the box's frame; inside gives 0."""
    near, far = 0.0, np.inf
    for p, d, h in ((px, dx, hx), (py, dy, hy)):
        if d == 0.0:
            if abs(p) > h:
                return np.inf
            continue
        first, second = (-h - p) / d, (h - p) / d
        near = max(near, min(first, second))
        far = min(far, max(first, second))
    return near if near <= far else np.inf
