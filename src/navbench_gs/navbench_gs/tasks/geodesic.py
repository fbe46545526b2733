"""Shortest free routes on a collision map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from navbench_gs.tasks.hazards import Patch, clearance_with
from navbench_gs.tasks.marching import descend, march

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap

Points = NDArray[np.float64]
_SEED_RADIUS = 0.5
_OUTSIDE_COST = 30.0


@dataclass(frozen=True)
class DistanceField:
    """Travel cost to one goal over a grid; in metres where the cost of a metre is one."""

    resolution: float
    """Metres per cell."""
    origin: NDArray[np.float64]
    """Scene xy of the corner of cell (0, 0), metres. [2]"""
    goal: tuple[float, float]
    """Goal, scene xy, metres."""
    values: NDArray[np.float32]
    """Travel cost from each cell's centre, inf where the goal cannot be reached. [R, C]"""

    def at(self, xy: NDArray[np.floating] | tuple[float, float]) -> float:
        """Travel cost from a point, interpolated over its reachable neighbours; inf elsewhere."""
        row, column, fy, fx = stencil(xy, self.resolution, self.origin)
        total = weight = 0.0
        for r in (row, row + 1):
            for c in (column, column + 1):
                if 0 <= r < self.values.shape[0] and 0 <= c < self.values.shape[1]:
                    value = float(self.values[r, c])
                    share = (1.0 - abs(fx - c)) * (1.0 - abs(fy - r))
                    if math.isfinite(value):
                        total += share * value
                        weight += share
        return total / weight if weight > 1e-9 else math.inf

    def path(
        self, xy: NDArray[np.floating] | tuple[float, float], step: float = 0.05,
        length: float = 200.0,
    ) -> Points:
        """Follow the field downhill.

        Args:
            xy: Start, scene, metres. [2]
            step: Distance between points, metres.
            length: Longest way, metres.

        Returns:
            Points from the start; ends in the goal, or after `length`, or where the field has
            no way down. [P, 2]
        """
        points = np.empty((int(length / step) + 2, 2))
        start = (np.asarray(xy, np.float64) - self.origin) / self.resolution
        goal = (np.asarray(self.goal) - self.origin) / self.resolution
        count = descend(
            self.values, start[0], start[1], goal[0], goal[1], step / self.resolution, points
        )
        return self.origin + self.resolution * points[:count]


def stencil(
    xy: NDArray[np.floating] | tuple[float, float], resolution: float,
    origin: NDArray[np.floating],
) -> tuple[int, int, float, float]:
    """Return row and column of the first of the 2 x 2 cells around a point, and its place.

    The place is row and column, in cells, counted from the centre of cell (0, 0).
    """
    fx = (float(xy[0]) - origin[0]) / resolution - 0.5
    fy = (float(xy[1]) - origin[1]) / resolution - 0.5
    return math.floor(fy), math.floor(fx), fy, fx


def solve(
    resolution: float,
    origin: NDArray[np.floating],
    cost: NDArray[np.floating],
    goal: tuple[float, float],
    only: tuple[float, float] | None = None,
    limit: float = math.inf,
) -> DistanceField:
    """Compute the travel cost of every cell to the goal.

    Args:
        resolution: Metres per cell.
        origin: Scene xy of the corner of cell (0, 0). [2]
        cost: Cost of one metre in each cell, > 0; inf where blocked. [R, C]
        goal: Scene xy, metres.
        only: The only point that will be asked about, scene xy, metres; the field is right there
            alone, and if the cost there is more than `limit`, it only says so.
        limit: See `only`.
    """
    per_cell = np.ascontiguousarray(cost, np.float32) * np.float32(resolution)
    seeds, values = _seeds(resolution, origin, cost, goal)
    wanted = None
    if only is not None:
        row, column, _, _ = stencil(only, resolution, origin)
        around = np.array([(row + r, column + c) for r in (0, 1) for c in (0, 1)])
        wanted = around[((around >= 0) & (around < cost.shape)).all(axis=1)]
    field = march(per_cell, seeds, values, wanted, limit)
    return DistanceField(resolution, np.asarray(origin, np.float64), goal, field)


def geodesic_field(
    collision: CollisionMap,
    goal: tuple[float, float],
    radius: float,
    *,
    patches: tuple[Patch, ...] = (),
    reach: float = 60.0,
    only: tuple[float, float] | None = None,
    limit: float = math.inf,
) -> DistanceField:
    """Metres to the goal for a disc that keeps off everything occupied.

    Args:
        collision: Static map.
        goal: Scene xy, metres.
        radius: Of the disc, metres.
        patches: What else stands on the floor.
        reach: Farther from the goal than this along x or y nothing is solved, metres.
        only: The only point that will be asked about; see `solve`.
        limit: See `solve`.
    """
    rows, columns = window(collision, (goal,), reach)
    origin = np.asarray(collision.origin) + collision.resolution * np.array(
        [columns.start, rows.start], np.float64
    )
    clearance = np.asarray(collision.distance)[rows, columns]
    blocked = collision.occupancy[rows, columns]
    if patches:
        clearance = clearance_with(clearance, patches, origin, collision.resolution, radius + 0.3)
    free = (clearance >= radius) & ~blocked & (clearance > 0.0)
    cost = np.where(free, np.float32(1.0), np.float32(np.inf))
    return solve(collision.resolution, origin, cost, goal, only, limit)


def window(
    collision: CollisionMap, points: Sequence[tuple[float, float]], margin: float
) -> tuple[slice, slice]:
    """Rows and columns of the box around points, grown by a margin in metres."""
    ends = np.asarray(points, np.float64)
    shape = np.array(collision.occupancy.shape)
    low = np.floor((ends.min(axis=0) - margin - collision.origin) / collision.resolution)
    high = np.ceil((ends.max(axis=0) + margin - collision.origin) / collision.resolution)
    c0, r0 = (int(v) for v in np.clip(low, 0, shape[::-1] - 1))
    c1, r1 = (int(v) for v in np.clip(high, 1, shape[::-1]))
    return slice(r0, max(r1, r0 + 1)), slice(c0, max(c1, c0 + 1))


def extended(field: DistanceField, excess: float = _OUTSIDE_COST) -> DistanceField:
    """Give unreachable cells a value that leads to the nearest reachable one.

    Reachable cells keep theirs, so no route leads through what was blocked; a robot that was
    pushed off its map finds the shortest way back.

    Args:
        field: A solved field.
        excess: Cost of one metre outside, metres.
    """
    reachable = np.isfinite(field.values)
    if not reachable.any() or reachable.all():
        return field
    distance, labels = cv2.distanceTransformWithLabels(
        (~reachable).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.zeros(int(labels.max()) + 1, np.float32)
    by_label[labels[reachable]] = field.values[reachable]
    away = by_label[labels] + np.float32(excess * field.resolution) * distance
    values = np.where(reachable, field.values, away).astype(np.float32)
    return DistanceField(field.resolution, field.origin, field.goal, values)


def line_of_sight(
    free: NDArray[np.bool_],
    resolution: float,
    origin: NDArray[np.floating],
    start: NDArray[np.floating] | tuple[float, float],
    end: NDArray[np.floating] | tuple[float, float],
) -> bool:
    """Whether the straight segment stays on free cells (sampled at half a cell)."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    count = max(2, math.ceil(float(np.hypot(*(b - a))) / (0.5 * resolution)) + 1)
    (ax, ay), (dx, dy), (ox, oy) = a, b - a, origin
    return bool(_all_free(
        free, float(ax), float(ay), float(dx), float(dy), float(ox), float(oy), resolution, count
    ))


@compiled
def _all_free(
    free: NDArray[np.bool_], ax: float, ay: float, dx: float, dy: float, ox: float, oy: float,
    resolution: float, count: int,
) -> bool:
    """Say whether `count` points from a to a + d, evenly spread, lie on free cells."""
    step = 1.0 / (count - 1)
    for i in range(count):
        share = 1.0 if i == count - 1 else i * step
        column = math.floor((ax + share * dx - ox) / resolution)
        row = math.floor((ay + share * dy - oy) / resolution)
        inside = 0 <= row < free.shape[0] and 0 <= column < free.shape[1]
        if not inside or not free[row, column]:
            return False
    return True


def shorten(
    path: Points, free: NDArray[np.bool_], resolution: float, origin: NDArray[np.floating]
) -> Points:
    """Drop the points of a path that a free straight line makes needless.

    From each kept point the farthest visible one is found by doubling and bisection, so a path
    of P points costs O(P log P) cell checks.

    Returns:
        The corners, with the path's first and last point. [Q, 2]
    """
    kept = [0]
    last = len(path) - 1
    while kept[-1] < last:
        here = kept[-1]
        good, reach = here + 1, 2
        while here + reach <= last and line_of_sight(
            free, resolution, origin, path[here], path[here + reach]
        ):
            good, reach = here + reach, 2 * reach
        bad = min(here + reach, last + 1)
        while bad - good > 1:
            middle = (good + bad) // 2
            if line_of_sight(free, resolution, origin, path[here], path[middle]):
                good = middle
            else:
                bad = middle
        kept.append(min(good, last))
    return path[kept]


def path_length(path: Points) -> float:
    """Length of a polyline `[P, 2]`, metres."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum()) if len(path) > 1 else 0.0


def _seeds(
    resolution: float,
    origin: NDArray[np.floating],
    cost: NDArray[np.floating],
    goal: tuple[float, float],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Cells around the goal with their exact cost: the scheme is least exact at its source."""
    centre = np.floor((np.asarray(goal) - origin) / resolution).astype(int)
    reach = int(_SEED_RADIUS / resolution) + 1
    rows = np.arange(max(0, centre[1] - reach), min(cost.shape[0], centre[1] + reach + 1))
    columns = np.arange(max(0, centre[0] - reach), min(cost.shape[1], centre[0] + reach + 1))
    if not len(rows) or not len(columns):
        return np.empty((0, 2), np.intp), np.empty(0)
    grid = np.stack(np.meshgrid(rows, columns, indexing='ij'), -1).reshape(-1, 2)
    xy = np.asarray(origin) + resolution * (grid[:, ::-1] + 0.5)
    distance = np.hypot(*(xy - np.asarray(goal)).T)
    local = cost[grid[:, 0], grid[:, 1]]
    blocked = distance[~np.isfinite(local)]
    # Straight lines are certain only up to the nearest blocked cell.
    limit = min(_SEED_RADIUS, float(blocked.min()) - resolution if len(blocked) else np.inf)
    near = (distance <= max(limit, resolution)) & np.isfinite(local)
    return grid[near], distance[near] * local[near]
