"""The ground the privileged planner drives on: clearance, travel cost and the way to the goal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.tasks.geodesic import DistanceField, Points, extended, solve, window
from navbench_gs.tasks.hazards import Patch, clearance_with
from s2e_core.config import check, option

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap


@dataclass(frozen=True)
class TerrainConfig:
    """How far routes keep from things."""

    margin: float = option(
        0.05, unit='m', low=0.0, high=1.0, help='Gap to the footprint circle never given up.'
    )
    comfort: float = option(
        0.45, unit='m', low=0.0, high=3.0, help='Gap to the footprint circle a person would keep.'
    )
    wall_cost: float = option(
        6.0, low=0.0, high=50.0, help='Extra cost of a metre driven at the margin.'
    )
    crop: float = option(
        12.0, unit='m', low=2.0, high=200.0, help='Map kept around start and goal.'
    )

    def __post_init__(self) -> None:
        check(self, source='terrain')


@dataclass(frozen=True)
class Terrain:
    """A cut of the map around one route."""

    resolution: float
    """Metres per cell."""
    origin: NDArray[np.float64]
    """Scene xy of the corner of cell (0, 0), metres. [2]"""
    clearance: NDArray[np.float32]
    """Metres from each cell to the nearest static obstacle or patch. [R, C]"""
    field: DistanceField
    """Cost to the goal; defined everywhere."""
    reachable: bool
    """Whether the start has a route that keeps the margin."""

    def path(self, xy: tuple[float, float], length: float, step: float = 0.05) -> Points:
        """Return the best way from a point, at most `length` metres of it. [P, 2]"""
        return self.field.path(xy, step=step, length=length)


def build_terrain(
    collision: CollisionMap,
    patches: tuple[Patch, ...],
    start: tuple[float, float],
    goal: tuple[float, float],
    radius: float,
    config: TerrainConfig,
) -> Terrain:
    """Solve the way to the goal around everything that stands still.

    Args:
        collision: Static map.
        patches: Obstacles and standing people.
        start: Scene xy, metres.
        goal: Scene xy, metres.
        radius: Footprint circle, metres.
        config: Distances to keep.
    """
    # Detours grow with the route.
    margin = config.crop + 0.25 * math.hypot(goal[0] - start[0], goal[1] - start[1])
    rows, columns = window(collision, (start, goal), margin)
    origin = np.asarray(collision.origin) + collision.resolution * np.array(
        [columns.start, rows.start], np.float64
    )
    reach = radius + config.comfort + 0.3
    clearance = clearance_with(
        np.asarray(collision.distance)[rows, columns], patches, origin, collision.resolution, reach
    )
    cost = travel_cost(clearance, radius, config)
    field = solve(collision.resolution, origin, cost, goal)
    reachable = math.isfinite(field.at(start))
    if not np.isfinite(field.values).any():
        # The goal itself lies within the margin of something: accept what the footprint needs.
        open_cost = np.where(clearance > 0.0, np.float32(1.0 + config.wall_cost), np.inf)
        field = solve(collision.resolution, origin, np.minimum(cost, open_cost), goal)
    return Terrain(collision.resolution, origin, clearance, extended(field), reachable)


def travel_cost(
    clearance: NDArray[np.float32], radius: float, config: TerrainConfig
) -> NDArray[np.float32]:
    """Cost of a metre: 1 in the open, rising by a square law near things, inf at the margin."""
    tight = radius + config.margin
    comfort = radius + config.comfort
    nearness = np.clip((comfort - clearance) / max(comfort - tight, 1e-6), 0.0, 1.0)
    cost = 1.0 + config.wall_cost * nearness * nearness
    return np.where(clearance >= tight, cost, np.inf).astype(np.float32)
