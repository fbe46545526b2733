"""Watches one episode: writes its log and decides when and how it ends."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from navbench_gs.metrics.outcome import Outcome, at_goal
from navbench_gs.metrics.record import COLUMNS, PEOPLE_EVERY, TICK, Contact, EpisodeLog
from navbench_gs.runner import nearness
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.tasks.geodesic import DistanceField, extended, geodesic_field
from navbench_gs.tasks.hazards import PERSON_RADIUS, obstacle_size
from navbench_gs.tasks.protocol import Protocol as Rules
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

_OUTLINE = 9


class ContactLike(Protocol):
    """A touch; `physics.contacts.ContactEvent` fulfils it."""

    @property
    def body(self) -> str:
        """Name of the body."""

    @property
    def kind(self) -> str:
        """static, obstacle, person or occupied."""


class StateLike(Protocol):
    """State of a tick; `env.state.SimState` fulfils it."""

    @property
    def contacts(self) -> Iterable[ContactLike]:
        """Bodies touched during the tick."""

    @property
    def tilt(self) -> float:
        """Radians from the vertical."""


class Observed(Protocol):
    """What the judge reads; `env.Simulation` fulfils it."""

    @property
    def state(self) -> StateLike:
        """State after the last tick."""

    def true_pose(self) -> Pose2:
        """Return map <- base_link."""

    def true_velocity(self) -> tuple[float, float]:
        """Return forward speed and yaw rate."""

    def odometry(self) -> Odometry:
        """Return odometry."""

    def people_positions(self) -> NDArray[np.float64]:
        """Return x, y, yaw of each person, NaN for who is not there. [P, 3]"""

    def people_velocities(self) -> NDArray[np.float64]:
        """Return velocities of the people. [P, 2]"""

    def obstacle_poses(self) -> NDArray[np.float64]:
        """Return map <- obstacle. [B, 4, 4]"""


class EpisodeJudge:
    """The judge of the ROS-free runner and of the ROS bridge; time is counted in its calls."""

    def __init__(
        self, spec: EpisodeSpec, bundle: SceneBundle, protocol: Rules, robot: RobotProfile
    ) -> None:
        """Prepare for an episode.

        Args:
            spec: The episode.
            bundle: Its scene.
            protocol: The rules.
            robot: Footprint.
        """
        self.spec = spec
        self._bundle, self._rules, self._robot = bundle, protocol, robot
        self._field = goal_field(spec, bundle, protocol, robot)
        self.route = self._field.path((spec.start.x, spec.start.y), step=0.3)
        """Shortest way on the static map. [Q, 2]"""
        self._rows: dict[str, list[float]] = {name: [] for name in COLUMNS}
        self._contacts: list[Contact] = []
        self._modes: list[int] = []
        self._people: list[NDArray[np.float64]] = []
        self._first_obstacles: NDArray[np.float64] | None = None
        self._last_obstacles: NDArray[np.float64] | None = None
        sizes = [obstacle_size(item.kind, item.seed) for item in spec.obstacles]
        self._sizes = np.array(sizes, np.float64).reshape(-1, 2)
        self._half = robot.length / 2.0, robot.width / 2.0
        self._outline = _outline(*self._half)

    @property
    def elapsed(self) -> float:
        """Seconds of the last observation; the first is at 0."""
        return TICK * max(len(self._rows['x']) - 1, 0)

    @property
    def distance(self) -> float:
        """Geodesic metres to the goal at the last observation."""
        return self._rows['geodesic'][-1] if self._rows['geodesic'] else self.spec.geodesic

    @property
    def newest(self) -> dict[str, float]:
        """The newest row of the log: `metrics.record.COLUMNS` by name."""
        return {name: column[-1] for name, column in self._rows.items()}

    @property
    def contact_count(self) -> int:
        """Ticks in contact so far, bodies counted apart."""
        return len(self._contacts)

    def observe(self, world: Observed, command: Command) -> Outcome | None:
        """Log a tick and judge it.

        Call it once after the reset and once after each tick.

        Args:
            world: The world after the tick.
            command: What went to the base in it.

        Returns:
            How the episode ended, or None if it goes on.
        """
        pose, (v, w) = world.true_pose(), world.true_velocity()
        self._log(world, pose, v, w, command)
        rules = self._rules.judge
        if world.state.tilt > math.radians(rules.tilt):
            return Outcome.FELL
        if len(self._rows['x']) > 1 and at_goal(pose.distance_to(self.spec.goal), v, rules):
            return Outcome.SUCCESS
        if self.elapsed >= self.spec.time_limit - 1e-9:
            return Outcome.TIMED_OUT
        return None

    def choose(self, mode: int) -> None:
        """Log the mode chosen at an image; -1 stands still."""
        self._modes.append(mode)

    def finish(self, outcome: Outcome, policy: str, detail: str = '') -> EpisodeLog:
        """Return the log.

        Args:
            outcome: How the episode ended.
            policy: Name and hash of the policy.
            detail: The exception or number behind it.
        """
        pushed = 0.0
        if self._first_obstacles is not None and self._last_obstacles is not None:
            moved = np.hypot(*(self._last_obstacles - self._first_obstacles).T)
            # Settling on the floor moves things by millimetres.
            pushed = float(moved[moved > 0.02].sum())
        people = np.array(self._people)
        return EpisodeLog(
            spec=self.spec, protocol=self._rules.hash, policy=policy, outcome=outcome.value,
            detail=detail, ticks={k: np.array(v) for k, v in self._rows.items()},
            contacts=tuple(self._contacts), modes=tuple(self._modes), people=people,
            route=self.route, pushed=pushed,
        )

    def _log(self, world: Observed, pose: Pose2, v: float, w: float, command: Command) -> None:
        tick = len(self._rows['x'])
        odometry = world.odometry().pose
        people = np.ascontiguousarray(world.people_positions(), np.float64).reshape(-1, 3)
        poses = np.ascontiguousarray(world.obstacle_poses(), np.float64).reshape(-1, 4, 4)
        place = np.array([pose.x, pose.y, math.cos(pose.yaw), math.sin(pose.yaw)])
        gap, ttc = self._people_near(world, place, v, people)
        values = {
            'x': pose.x, 'y': pose.y, 'yaw': pose.yaw, 'v': v, 'w': w,
            'odom_x': odometry.x, 'odom_y': odometry.y, 'odom_yaw': odometry.yaw,
            'command_v': command.v, 'command_w': command.w,
            'geodesic': self._field.at((pose.x, pose.y)),
            'clearance': self._clearance(place, poses), 'person_gap': gap, 'ttc': ttc,
        }
        for name, value in values.items():
            self._rows[name].append(float(value))
        self._contacts += [
            Contact(tick, str(event.body), str(event.kind)) for event in world.state.contacts
        ]
        if tick % PEOPLE_EVERY == 0:
            self._people.append(people[:, :2].copy())
        if len(poses):
            self._last_obstacles = poses[:, :2, 3].copy()
            if self._first_obstacles is None:
                self._first_obstacles = self._last_obstacles

    def _clearance(self, place: NDArray[np.float64], poses: NDArray[np.float64]) -> float:
        """Return the gap to static things and obstacles; `place` is x, y, cos, sin of the pose."""
        grid = self._bundle.collision
        x, y = grid.origin
        return float(nearness.clearance(
            grid.distance, float(x), float(y), grid.resolution, self._outline, place, poses,
            self._sizes,
        ))

    def _people_near(
        self, world: Observed, place: NDArray[np.float64], v: float, people: NDArray[np.float64]
    ) -> tuple[float, float]:
        """Return the gap to people, and seconds until the robot's circle meets one."""
        if not len(people):
            return math.inf, math.inf
        velocities = np.ascontiguousarray(world.people_velocities(), np.float64).reshape(-1, 2)
        gap, first = nearness.people_near(
            place, *self._half, v, people, velocities, PERSON_RADIUS,
            self._robot.half_width + PERSON_RADIUS,
        )
        return gap, first if first <= self._rules.judge.ttc_horizon else math.inf


def goal_field(
    spec: EpisodeSpec, bundle: SceneBundle, protocol: Rules, robot: RobotProfile
) -> DistanceField:
    """Geodesic metres to the goal on static occupancy, defined off the free space as well."""
    radius = robot.radius + protocol.route.inflation
    reach = 1.5 * spec.geodesic + 10.0
    return extended(geodesic_field(bundle.collision, spec.goal, radius, reach=reach), excess=1.0)


def _outline(half_x: float, half_y: float) -> NDArray[np.float64]:
    """Points on the rim of a rectangle. [4 x 9, 2]"""
    x, y = np.linspace(-half_x, half_x, _OUTLINE), np.linspace(-half_y, half_y, _OUTLINE)
    side = np.full(_OUTLINE, 1.0)
    return np.concatenate([
        np.stack([x, half_y * side], 1), np.stack([x, -half_y * side], 1),
        np.stack([half_x * side, y], 1), np.stack([-half_x * side, y], 1),
    ])
