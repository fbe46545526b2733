"""What a robot remembers of the last seconds around itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.depth_scan import DepthScan
from navbench_gs.agents.terrain import Terrain, TerrainConfig, travel_cost
from navbench_gs.compiled import compiled
from navbench_gs.tasks.geodesic import DistanceField
from navbench_gs.tasks.marching import march
from s2e_core.config import check, option
from s2e_core.se2 import Pose2

Floats = NDArray[np.float64]
NEVER = -(10**18)
"""A time before all others, nanoseconds."""


@dataclass(frozen=True)
class LocalGridConfig:
    """How far and how long the robot remembers."""

    half: float = option(10.0, unit='m', low=2, high=50, help='The grid reaches this far.')
    resolution: float = option(0.1, unit='m', low=0.02, high=0.5, help='Edge of a cell.')
    # Who walks through a cell is in it for one to three images: no ghosts of people stay behind.
    memory: float = option(
        1.0, unit='s', low=0.1, high=60, help='Kept unseen for each image that showed it.'
    )
    longest: float = option(30.0, unit='s', low=0.2, high=600, help='Kept unseen at most.')
    blocked_cost: float = option(30.0, low=1, high=500, help='Of a metre within the margin.')

    def __post_init__(self) -> None:
        check(self, source='local grid')


class LocalGrid:
    """Cells of odom that something stands in: when it was seen last, and how often."""

    def __init__(
        self, radius: float, config: LocalGridConfig | None = None,
        distances: TerrainConfig | None = None,
    ) -> None:
        """Start empty.

        Args:
            radius: Footprint circle, metres.
            config: Extent and memory.
            distances: What ways keep from things.
        """
        self.config = config or LocalGridConfig()
        self._distances = distances or TerrainConfig()
        self._radius = radius
        self._cells = 2 * math.ceil(self.config.half / self.config.resolution)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._last = np.full((self._cells, self._cells), NEVER, np.int64)
        self._sightings = np.zeros((self._cells, self._cells), np.int64)
        self._corner = np.zeros(2, np.int64)

    @property
    def origin(self) -> Floats:
        """Corner of cell (0, 0), odom, metres. [2]"""
        return np.asarray(self._corner * self.config.resolution, np.float64)

    def add(
        self, scan: DepthScan, pose: Pose2, now_ns: int, ignored: NDArray[np.bool_]
    ) -> None:
        """Note what a scan shows: free ground is cleared, obstacles are set.

        Args:
            scan: Distances along bearings.
            pose: odom <- base_link at the scan.
            now_ns: Its stamp.
            ignored: Bearings whose obstacle will not stay. [B]
        """
        self._follow(pose)
        foot = (pose.transform(np.array(scan.foot)) - self.origin) / self.config.resolution
        _mark(
            self._last, self._sightings, foot[0], foot[1], scan.bearings + pose.yaw,
            scan.blocked / self.config.resolution, scan.seen / self.config.resolution, now_ns,
            ignored,
        )

    def terrain(self, goal: tuple[float, float], now_ns: int) -> Terrain:
        """Return the ground as remembered, with the cost to a goal that may lie beyond it.

        Args:
            goal: odom, metres.
            now_ns: Time of asking.
        """
        config = self.config
        kept = np.minimum(config.memory * self._sightings, config.longest)
        free = self._last + (1e9 * kept).astype(np.int64) < now_ns
        cells = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        # As in `CollisionMap.distance`: an edge lies half a cell before a cell's centre.
        clearance = np.maximum(cells - np.float32(0.5), 0.0) * np.float32(config.resolution)
        # Never infinite: what was seen may be wrong, and drives that touch cost far more.
        cost = np.minimum(travel_cost(clearance, self._radius, self._distances),
                          np.float32(config.blocked_cost))
        seeds, values = self._seeds(goal)
        costs = np.ascontiguousarray(cost * config.resolution, np.float32)
        field = DistanceField(config.resolution, self.origin, goal, march(costs, seeds, values))
        return Terrain(config.resolution, self.origin, clearance, field, True)

    def _seeds(self, goal: tuple[float, float]) -> tuple[NDArray[np.intp], Floats]:
        """Cells whose cost is known: those around the goal, else the rim as the crow flies."""
        count = self._cells
        place = (np.array(goal) - self.origin) / self.config.resolution
        if (place > 4.0).all() and (place < count - 4.0).all():
            around = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 2), -1).reshape(-1, 2)
            seeds = np.floor(place[::-1]).astype(np.intp) + around
        else:
            line, ends = np.arange(count), (0, count - 1)
            rim = [np.stack([np.full(count, end), line], 1) for end in ends]
            seeds = np.concatenate(rim + [side[1:-1, ::-1] for side in rim])
        away = np.hypot(*(seeds[:, ::-1] + 0.5 - place).T)
        return seeds, away * self.config.resolution

    def _follow(self, pose: Pose2) -> None:
        """Move the grid by whole cells so that the robot stays in its middle."""
        middle = np.floor(np.array([pose.x, pose.y]) / self.config.resolution).astype(np.int64)
        corner = middle - self._cells // 2
        dx, dy = (corner - self._corner).tolist()
        if dx == 0 and dy == 0:
            return
        last, sightings = np.full_like(self._last, NEVER), np.zeros_like(self._sightings)
        if max(abs(dx), abs(dy)) < self._cells:
            to, of = (_span(-dy), _span(-dx)), (_span(dy), _span(dx))
            last[to], sightings[to] = self._last[of], self._sightings[of]
        self._last, self._sightings, self._corner = last, sightings, corner


def _span(shift: int) -> slice:
    """Rows that are left after moving by so many cells."""
    return slice(shift, None) if shift >= 0 else slice(None, shift)


@compiled
def _mark(
    last: NDArray[np.int64], sightings: NDArray[np.int64], x: float, y: float, angles: Floats,
    blocked: Floats, seen: Floats, now: int, ignored: NDArray[np.bool_],
) -> None:
    """Set the cells the rays end in, then clear the others that rays pass; all in cells."""
    rows, columns = last.shape
    for b in range(angles.size):
        if blocked[b] < np.inf and not ignored[b]:
            row = math.floor(y + blocked[b] * math.sin(angles[b]))
            column = math.floor(x + blocked[b] * math.cos(angles[b]))
            inside = 0 <= row < rows and 0 <= column < columns
            if inside and last[row, column] != now:
                last[row, column] = now
                sightings[row, column] += 1
    for b in range(angles.size):
        c, s = math.cos(angles[b]), math.sin(angles[b])
        for k in range(int(2.0 * min(seen[b], blocked[b] - 1.0))):
            row, column = math.floor(y + 0.5 * k * s), math.floor(x + 0.5 * k * c)
            inside = 0 <= row < rows and 0 <= column < columns
            if inside and last[row, column] != now:
                last[row, column] = NEVER
                sightings[row, column] = 0
