"""The people of an episode: who they are, where they are, how they walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.crowd.company import Company
from navbench_gs.crowd.gait import shown_phases, walk_on
from navbench_gs.crowd.ground import CrowdGround
from navbench_gs.crowd.motion import (
    choose_velocities,
    preferred_velocities,
    stop_at_edges,
    stop_at_robot,
)
from navbench_gs.physics.solids import PersonBody, Solid
from navbench_gs.tasks.spec import PersonSpec
from s2e_core.config import check, option
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

ARRIVED = 0.4
"""Within this of an end of their way people turn round, metres."""


@dataclass(frozen=True)
class CrowdConfig:
    """How people avoid."""

    horizon: float = option(2.5, unit='s', low=0.2, high=10.0, help='How far they look ahead.')
    robot_share: float = option(
        0.5, low=0.05, high=1.0,
        help='Share of an avoidance that people who see the robot take on; 0.5 expects the '
        'robot to take the other half.',
    )
    comfort: float = option(0.1, unit='m', low=0.0, high=1.0, help='Extra distance they keep.')

    def __post_init__(self) -> None:
        check(self, source='crowd')


class Crowd:
    """Walks every person between the two ends of their way; deterministic for a seed."""

    def __init__(
        self,
        ground: CrowdGround,
        robot: RobotProfile,
        people: Sequence[PersonSpec],
        bodies: Sequence[PersonBody],
        solids: Sequence[Solid],
        seed: int,
        config: CrowdConfig | None = None,
    ) -> None:
        """Plan everybody's way.

        Args:
            ground: Walkable space of the scene.
            robot: Its footprint is what people avoid.
            people: Who walks where.
            bodies: Their bodies, in the same order.
            solids: Obstacles on the floor, fixed and pushable.
            seed: The episode's seed: draws gait phases and side preferences.
            config: How they avoid.
        """
        self._ground, self._robot = ground, robot
        self._config = config or CrowdConfig()
        self._people = tuple(people)
        count = len(self._people)
        self._company = Company(self._people)
        self._radii = np.array([body.radius for body in bodies], dtype=np.float64)
        self._agents = _agents(people, self._radii, robot.radius, solids, self._config.comfort)
        self._speeds = np.array([person.speed for person in people], dtype=np.float64)
        self._shares = self._share_table(count, len(self._agents))
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0xC40]))
        self._phases = rng.random(count)
        # Two people who meet head on must not mirror each other forever.
        self._bias = rng.uniform(-0.03, 0.03, count)
        routes = self._plan(self._agents[count + 1 :, [0, 1, 4]])
        self._yaw = np.array([_first_heading(route) for route in routes])
        self._routes = np.concatenate([*routes, np.zeros((0, 2))])
        self._starts = np.cumsum([0, *(len(route) for route in routes)])
        self._progress = np.zeros(count, np.int64)
        self._stands = np.array([person.behaviour == 'stand' for person in people], bool)
        if count:
            # Compiles (or loads) the walking code now, not within the first tick.
            self._choose(1e-9)

    @property
    def places(self) -> NDArray[np.float64]:
        """`[P, 3]` x, y, yaw in map."""
        return np.column_stack([self._agents[: len(self._people), :2], self._yaw])

    @property
    def radii(self) -> NDArray[np.float64]:
        """`[P]` body radii, metres."""
        return self._radii

    @property
    def velocities(self) -> NDArray[np.float64]:
        """`[P, 2]` m/s, map."""
        return self._agents[: len(self._people), 2:4].copy()

    @property
    def phases(self) -> list[float | None]:
        """Gait phase of each person in [0, 1), None for one who stands."""
        return shown_phases(self._phases, self.velocities)

    def step(
        self, dt: float, robot: Pose2, velocity: tuple[float, float],
        solids_xy: NDArray[np.floating],
    ) -> None:
        """Walk on.

        Args:
            dt: Seconds.
            robot: map <- base_link.
            velocity: Of the robot, map, m/s.
            solids_xy: `[S, 2]` where the obstacles are now, map.
        """
        count = len(self._people)
        if count == 0:
            return
        self._agents[count, :4] = robot.x, robot.y, velocity[0], velocity[1]
        self._agents[count + 1 :, :2] = solids_xy
        self._company.wake(self._agents[:count, :2], (robot.x, robot.y))
        chosen = self._choose(dt)
        ground, place = self._ground, self._agents[:count, :2]
        stop_at_robot(
            place, chosen, self._radii, np.array([robot.x, robot.y, robot.yaw]),
            self._robot.length / 2.0, self._robot.width / 2.0, dt,
        )
        stop_at_edges(place, chosen, ground.distance, ground.origin[0], ground.origin[1],
                      ground.resolution, dt)
        self._agents[:count, 2:4] = chosen
        self._agents[:count, :2] += chosen * dt
        self._walk(chosen, dt)

    def _plan(self, discs: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return everybody's way around walls and obstacles `[D, 3]`."""
        return [
            self._ground.route(person.start, person.goal, discs)
            if person.behaviour == 'walk' else np.array([person.start, person.start])
            for person in self._people
        ]

    def _choose(self, dt: float) -> NDArray[np.float64]:
        """Return `[P, 2]` everybody's next velocity."""
        count, ground = len(self._people), self._ground
        preferred = np.empty((count, 2))
        preferred_velocities(
            self._agents, self._routes, self._starts, self._progress,
            self._stands | self._company.waits, self._speeds, self._bias, ARRIVED, preferred,
        )
        self._company.keep(self._agents[:count, :2], preferred)
        chosen = np.empty((count, 2))
        choose_velocities(
            self._agents, count, preferred, self._speeds, self._shares, ground.distance,
            float(ground.origin[0]), float(ground.origin[1]), ground.resolution,
            self._config.horizon, dt, chosen,
        )
        return chosen

    def _walk(self, velocities: NDArray[np.float64], dt: float) -> None:
        """Advance gait phases and turn bodies towards where they go."""
        self._phases, self._yaw = walk_on(self._phases, self._yaw, velocities, dt)

    def _share_table(self, count: int, total: int) -> NDArray[np.float64]:
        """Return `[P, N]`: halves between people, all for things, the robot by sight."""
        shares = np.full((count, total), 0.5)
        shares[:, count + 1 :] = 1.0
        for i, person in enumerate(self._people):
            shares[i, count] = 0.0 if person.blind else self._config.robot_share
        return shares


def _agents(
    people: Sequence[PersonSpec], radii: NDArray[np.float64], robot_radius: float,
    solids: Sequence[Solid], comfort: float,
) -> NDArray[np.float64]:
    """Return `[N, 5]` x, y, vx, vy, radius of people, robot and obstacles at rest."""
    count = len(people)
    agents = np.zeros((count + 1 + len(solids), 5))
    for i, person in enumerate(people):
        agents[i, :2] = person.start
    agents[:count, 4] = radii + comfort / 2.0
    agents[count, 4] = robot_radius + comfort / 2.0
    for i, solid in enumerate(solids):
        agents[count + 1 + i] = solid.x, solid.y, 0.0, 0.0, _radius(solid)
    return agents


def _radius(solid: Solid) -> float:
    """Return the radius of the circle around an obstacle's footprint, metres."""
    return solid.size[0] if solid.shape == 'cylinder' else math.hypot(*solid.half_extents)


def _first_heading(route: NDArray[np.float64]) -> float:
    """Return the direction of a route's first metre, radians."""
    ahead = route[min(3, len(route) - 1)] - route[0]
    return math.atan2(ahead[1], ahead[0])
