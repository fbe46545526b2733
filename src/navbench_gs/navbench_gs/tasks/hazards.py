"""The ground that obstacles and people cover, for planning and sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from navbench_gs.tasks.spec import ObstacleSpec

PERSON_RADIUS = 0.25
"""Radius of a person's body, metres."""


@dataclass(frozen=True)
class Patch:
    """A rectangle or disc on the floor."""

    x: float
    """Centre, map, metres."""
    y: float
    """Centre, map, metres."""
    yaw: float
    """Heading of the rectangle's x axis, radians."""
    half_x: float
    """Half length of the rectangle, or the disc's radius, metres."""
    half_y: float
    """Half width of the rectangle, metres; 0 marks a disc."""

    @property
    def reach(self) -> float:
        """Distance from the centre to the farthest covered point, metres."""
        return math.hypot(self.half_x, self.half_y)

    def distance(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Metres from points `[..., 2]` to the patch, negative inside. [...]"""
        dx = np.asarray(xy[..., 0], np.float64) - self.x
        dy = np.asarray(xy[..., 1], np.float64) - self.y
        if self.half_y == 0.0:
            return np.asarray(np.hypot(dx, dy) - self.half_x)
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        out_x = np.abs(c * dx + s * dy) - self.half_x
        out_y = np.abs(c * dy - s * dx) - self.half_y
        outside = np.hypot(np.maximum(out_x, 0.0), np.maximum(out_y, 0.0))
        return np.asarray(outside + np.minimum(np.maximum(out_x, out_y), 0.0))


@lru_cache(maxsize=4096)
def obstacle_size(kind: str, seed: int) -> tuple[float, float]:
    """Half extents of an obstacle's footprint, metres; the second is 0 for a round one."""
    from navbench_gs.scenes.objects import known_obstacle

    made = known_obstacle(kind, seed)
    if made.shape == 'cylinder':
        return float(made.size[0]), 0.0
    return float(made.size[0]), float(made.size[1])


def obstacle_patch(spec: ObstacleSpec) -> Patch:
    """Return the ground an obstacle covers where its spec puts it."""
    half_x, half_y = obstacle_size(spec.kind, spec.seed)
    return Patch(spec.x, spec.y, spec.yaw, half_x, half_y)


def person_patch(x: float, y: float, radius: float = PERSON_RADIUS) -> Patch:
    """Return the ground a standing person covers."""
    return Patch(x, y, 0.0, radius, 0.0)


def clearance_with(
    clearance: NDArray[np.float32],
    patches: tuple[Patch, ...],
    origin: NDArray[np.floating],
    resolution: float,
    reach: float,
) -> NDArray[np.float32]:
    """Lower a clearance grid around patches.

    Args:
        clearance: Metres to the nearest static obstacle. [R, C]
        patches: What stands on the floor.
        origin: Scene xy of the corner of cell (0, 0). [2]
        resolution: Metres per cell.
        reach: Distance from a patch up to which the result must be exact, metres.

    Returns:
        A new grid, 0 on covered cells. [R, C]
    """
    result = clearance.copy()
    for patch in patches:
        radius = patch.reach + reach
        low = np.floor((np.array([patch.x, patch.y]) - radius - origin) / resolution).astype(int)
        high = np.ceil((np.array([patch.x, patch.y]) + radius - origin) / resolution).astype(int)
        c0, r0 = np.clip(low, 0, (result.shape[1], result.shape[0]))
        c1, r1 = np.clip(high, 0, (result.shape[1], result.shape[0]))
        if c0 >= c1 or r0 >= r1:
            continue
        x = origin[0] + resolution * (np.arange(c0, c1) + 0.5)
        y = origin[1] + resolution * (np.arange(r0, r1) + 0.5)
        away = patch.distance(np.stack(np.meshgrid(x, y), axis=-1))
        window = result[r0:r1, c0:c1]
        np.minimum(window, np.maximum(away, 0.0).astype(np.float32), out=window)
    return result
