"""Judges a run on a robot by its odometry and by what the experimenter counts."""

from __future__ import annotations

import math

import numpy as np

from navbench_gs.metrics.outcome import Outcome, at_goal
from navbench_gs.metrics.record import COLUMNS, TICK, Contact, EpisodeLog
from navbench_gs.tasks.protocol import Protocol
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.records import Command, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.study.routes import TASK, RobotRoute

TOUCHED = 'seen by the experimenter'
"""Stands for the body of a contact that somebody counted."""


class RouteJudge:
    """Writes the log of a run in the benchmark's form and says when it is over.

    There is no true pose and no map: places are odometry's, seen from the start, and gaps are not
    known. The way to the goal is the straight one.
    """

    def __init__(
        self, route: RobotRoute, place: str, index: int, robot: str, v_max: float,
        rules: Protocol, start: Odometry,
    ) -> None:
        """Begin.

        Args:
            route: What is driven.
            place: Name of the place.
            index: Number of the route.
            robot: Name of the robot profile.
            v_max: Its top speed, m/s.
            rules: Radius, speed and time of success.
            start: Odometry at the start.
        """
        self._rules, self._start = rules, start
        length = route.straight
        self.spec = EpisodeSpec(
            scene=place, scene_hash='', robot=robot, task=TASK, index=index, seed=0,
            start=Pose2(), goal=(route.x, route.y), geodesic=length, straight=length,
            corner_blocked=False, time_limit=rules.time_limit(length, v_max),
        )
        self._rows: dict[str, list[float]] = {name: [] for name in COLUMNS}
        self._contacts: list[Contact] = []
        self._command = Command(start.stamp_ns)
        self.observe(start)

    @property
    def began_ns(self) -> int:
        """Stamp of the start, nanoseconds."""
        return self._start.stamp_ns

    @property
    def goal(self) -> np.ndarray:
        """The goal in the odom frame, metres. [2]"""
        return np.asarray(self._start.pose.transform(np.array(self.spec.goal)))

    @property
    def collisions(self) -> int:
        """How many the experimenter counted."""
        return len(self._contacts)

    @property
    def duration(self) -> float:
        """Seconds so far."""
        return TICK * max(0, len(self._rows['x']) - 1)

    def command(self, command: Command) -> None:
        """Take what goes to the base."""
        self._command = command

    def touch(self) -> None:
        """The experimenter saw a collision."""
        # Each a body of its own: two within a second are two, somebody counted them.
        body = f'{TOUCHED} {len(self._contacts) + 1}'
        self._contacts.append(Contact(max(0, len(self._rows['x']) - 1), body, 'static'))

    def observe(self, odometry: Odometry) -> Outcome | None:
        """Write the ticks up to now, and say whether the run is over."""
        pose = self._start.pose.inverse().compose(odometry.pose)
        elapsed = (odometry.stamp_ns - self._start.stamp_ns) * 1e-9
        left = math.hypot(self.spec.goal[0] - pose.x, self.spec.goal[1] - pose.y)
        values = {
            'x': pose.x, 'y': pose.y, 'yaw': pose.yaw, 'v': odometry.v, 'w': odometry.w,
            'odom_x': pose.x, 'odom_y': pose.y, 'odom_yaw': pose.yaw,
            'command_v': self._command.v, 'command_w': self._command.w, 'geodesic': left,
            'clearance': math.inf, 'person_gap': math.inf, 'ttc': math.inf,
        }
        # Odometry comes when it comes; the log has a row for each tick, and never more than time.
        ticks = min(int(elapsed / TICK + 1e-6), math.ceil(self.spec.time_limit / TICK))
        while len(self._rows['x']) <= ticks:
            for name, value in values.items():
                self._rows[name].append(value)
        if at_goal(left, odometry.v, self._rules.judge):
            return Outcome.SUCCESS
        return Outcome.TIMED_OUT if elapsed >= self.spec.time_limit else None

    def finish(self, outcome: Outcome, driver: str, detail: str = '') -> EpisodeLog:
        """Return the log."""
        return EpisodeLog(
            spec=self.spec, protocol=self._rules.hash, policy=driver, outcome=outcome.value,
            detail=detail, ticks={name: np.array(rows) for name, rows in self._rows.items()},
            contacts=tuple(self._contacts), route=np.array([[0.0, 0.0], list(self.spec.goal)]),
        )
