"""Where people can walk in a scene: distances to its edges and routes around obstacles."""

from __future__ import annotations

import heapq
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from navbench_gs.scenes.collision import CollisionMap

ROUTE_CELL = 0.3
"""Cells of the route grid are about this wide, metres: half a person's shoulder room."""
ROUTE_CLEARANCE = 0.35
"""Routes keep a person's centre this far from edges, metres."""
COMFORT = 0.8
"""Nearer to an edge than this a cell costs more, metres: people keep off walls."""


class CrowdGround:
    """Walkable space of one scene; built once, used by every episode on it."""

    def __init__(self, collision: CollisionMap) -> None:
        """Measure distances to the edge of walkable space.

        Args:
            collision: The scene's grid.
        """
        self.resolution = collision.resolution
        self.origin = collision.origin
        padded = np.pad(collision.walkable, 1).astype(np.uint8)
        cells = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        self.distance = np.maximum((cells - 0.5) * self.resolution, 0.0).astype(np.float32)
        """`[R, C]` metres from cell centres to the edge of walkable space."""
        self._step = max(1, round(ROUTE_CELL / self.resolution))
        half = self._step // 2
        coarse = np.ascontiguousarray(self.distance[half :: self._step, half :: self._step])
        self._cost = np.where(
            coarse >= ROUTE_CLEARANCE, 1.0 + 2.0 * np.clip(1.0 - coarse / COMFORT, 0.0, 1.0), 0.0
        ).astype(np.float32)

    def walkable(self, xy: NDArray[np.floating]) -> bool:
        """Return whether a point `[2]` lies on walkable space."""
        column, row = np.floor((np.asarray(xy) - self.origin) / self.resolution).astype(int)
        rows, columns = self.distance.shape
        inside = 0 <= row < rows and 0 <= column < columns
        return bool(inside and self.distance[row, column] > 0.0)

    def route(
        self,
        start: tuple[float, float],
        goal: tuple[float, float],
        discs: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float64]:
        """Find a way on foot.

        Args:
            start: Map, metres.
            goal: Map, metres.
            discs: `[D, 3]` x, y, radius of obstacles on the way, map.

        Returns:
            `[K, 2]` points from start to goal; the straight line where there is no way.
        """
        cost = self._cost
        if discs is not None and len(discs):
            cost = self._blocked(discs)
        first, last = self._cell(start), self._cell(goal)
        cells = _search(cost, first[0], first[1], last[0], last[1])
        inner = (cells[1:-1, ::-1] * self._step + self._step // 2 + 0.5) * self.resolution
        return np.concatenate([[start], inner.reshape(-1, 2) + self.origin, [goal]])

    def _cell(self, xy: tuple[float, float]) -> tuple[int, int]:
        column, row = np.floor((np.asarray(xy) - self.origin) / (self.resolution * self._step))
        rows, columns = self._cost.shape
        return int(np.clip(row, 0, rows - 1)), int(np.clip(column, 0, columns - 1))

    def _blocked(self, discs: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the cost grid with discs, grown by the clearance, taken out."""
        cost = self._cost.copy()
        size = self.resolution * self._step
        for x, y, radius in discs:
            grown = radius + ROUTE_CLEARANCE
            low = self._cell((x - grown, y - grown))
            high = self._cell((x + grown, y + grown))
            rows, columns = np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1]
            away = np.hypot((columns + 0.5) * size + self.origin[0] - x,
                            (rows + 0.5) * size + self.origin[1] - y)
            cost[rows[away < grown], columns[away < grown]] = 0.0
        return cost


@compiled
def _search(
    cost: NDArray[np.float32], row: int, column: int, goal_row: int, goal_column: int
) -> NDArray[np.int64]:
    """A* over 8 neighbours; a cell of cost 0 is closed, except start and goal.

    Returns:
        `[K, 2]` int64 (row, column) from start to goal; just the two where there is no way.
    """
    rows, columns = cost.shape
    best = np.full((rows, columns), np.inf, dtype=np.float32)
    parent = np.full((rows, columns), -1, dtype=np.int64)
    start, goal = row * columns + column, goal_row * columns + goal_column
    best[row, column] = 0.0
    heap = [(0.0, start)]
    while len(heap) > 0:
        key, node = heapq.heappop(heap)
        if node == goal:
            break
        r, c = node // columns, node % columns
        here = best[r, c]
        if key > here + math.hypot(goal_row - r, goal_column - c) + 1e-3:
            continue
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                nr, nc = r + dr, c + dc
                if nr < 0 or nc < 0 or nr >= rows or nc >= columns:
                    continue
                weight = cost[nr, nc]
                if weight == 0.0:
                    if nr * columns + nc != goal:
                        continue
                    weight = np.float32(1.0)
                length = here + weight * math.hypot(dr, dc)
                if length + 1e-6 < best[nr, nc]:
                    best[nr, nc] = length
                    parent[nr, nc] = node
                    estimate = length + math.hypot(goal_row - nr, goal_column - nc)
                    heapq.heappush(heap, (estimate, nr * columns + nc))
    return _trace(parent, start, goal, columns)


@compiled
def _trace(
    parent: NDArray[np.int64], start: int, goal: int, columns: int
) -> NDArray[np.int64]:
    """Follow parents from the goal back to the start."""
    chain = [goal]
    while chain[-1] != start:
        previous = parent[chain[-1] // columns, chain[-1] % columns]
        if previous < 0:
            chain = [goal, start]
            break
        chain.append(previous)
    out = np.empty((len(chain), 2), dtype=np.int64)
    for index in range(len(chain)):
        node = chain[len(chain) - 1 - index]
        out[index, 0], out[index, 1] = node // columns, node % columns
    return out
