"""From plan to velocity: aim at the waypoint a look-ahead time away."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from s2e_core.config import check, option
from s2e_core.records import Command, Odometry, Plan
from s2e_core.robot import RobotProfile

PAST = 64
"""Odometry remembered, to know where a plan began: at 100 Hz longer than a plan is followed."""
START_SLACK_NS = 50_000_000
"""Period of odometry of 20 Hz: what is further from a plan's stamp is not where it began."""


@dataclass(frozen=True)
class FollowerConfig:
    """How a plan becomes a velocity."""

    # 0.6 s is the third waypoint: the one the policy is rewarded for in post-training. Shorter
    # aims chase the noise of single waypoints, longer ones cut corners.
    lookahead: float = option(0.6, unit='s', low=0.2, high=2, help='Time to the aimed-at point.')
    plan_timeout: float = option(0.5, unit='s', low=0.2, high=2, help='Oldest plan followed.')
    still_speed: float = option(
        0.05, unit='m/s', low=0, high=0.5, help='Slower aims mean standing still.'
    )
    turn_on_spot: float = option(
        1.05, unit='rad', low=0.3, high=3.2, help='Bearing past which a base that can turns first.'
    )

    # The rest is steered away, as on any base: the camera keeps looking along the path.
    sideways: float = option(
        1.0, low=0, high=1, help='Share of its error to the side that a holonomic base sidesteps.'
    )

    def __post_init__(self) -> None:
        check(self, source='follower')


class Follower:
    """Pure pursuit on a timed path.

    The curvature through the aimed-at point is Coulter's (1992): k = 2 y / d^2. The speed is
    the one that reaches the point in the look-ahead time, so lagging behind or running ahead of
    the plan corrects itself. A holonomic base does the same, facing the path; what it is beside
    the path now it makes good by going sideways, not by turning away.
    """

    def __init__(self, robot: RobotProfile, config: FollowerConfig | None = None) -> None:
        """Take the robot's limits.

        Args:
            robot: Kinematics and limits.
            config: Look-ahead and time-outs.
        """
        self._robot = robot
        self._config = config or FollowerConfig()
        self._past: deque[Odometry] = deque(maxlen=PAST)

    def step(self, now_ns: int, odometry: Odometry, plan: Plan | None) -> Command:
        """Return the velocity for now.

        Args:
            now_ns: Current time, nanoseconds.
            odometry: Newest odometry.
            plan: Newest plan; None, an empty or an old one stops the robot.
        """
        if self._robot.vy_max:
            self._remember(odometry)
        if plan is None or plan.is_stop or self._is_old(plan, now_ns):
            return Command(now_ns)
        target = odometry.pose.inverse().transform(self.aim(plan, now_ns))
        x, y = float(target[0]), float(target[1])
        aside = self._aside(odometry, plan, now_ns) if self._robot.vy_max else 0.0
        y -= aside
        distance = math.hypot(x, y)
        if distance < self._config.still_speed * self._config.lookahead:
            return Command(now_ns)
        bearing = math.atan2(y, x)
        robot = self._robot
        # A base without a tightest curve turns to whatever lies behind it, however late the
        # configuration lets it turn: the curve to such a point has no radius (0 x infinity).
        if robot.min_turn_radius == 0 and (x <= 0 or abs(bearing) > self._config.turn_on_spot):
            return Command(now_ns, 0.0, math.copysign(min(robot.w_max, 2 * abs(bearing)), bearing))
        if x <= 0:
            # A car cannot reach a point behind it: tightest turn at walking pace, 0.4 m/s.
            curvature = math.copysign(robot.max_curvature, y)
            speed = min(distance / self._config.lookahead, 0.4)
        else:
            curvature = 2.0 * y / (distance * distance)
            curvature = max(-robot.max_curvature, min(robot.max_curvature, curvature))
            speed = distance / self._config.lookahead
        if curvature:
            speed = min(speed, robot.w_max / abs(curvature))
        speed = min(speed, robot.v_max)
        return Command(now_ns, speed, speed * curvature, aside / self._config.lookahead)

    def aim(self, plan: Plan, now_ns: int) -> np.ndarray:
        """Return where the plan is one look-ahead time from now, odom frame, metres. [2]"""
        due = (now_ns - plan.stamp_ns) * 1e-9 + self._config.lookahead
        times = plan.dt * np.arange(1, len(plan.points) + 1)
        return np.array([np.interp(due, times, plan.points[:, axis]) for axis in (0, 1)])

    def _remember(self, odometry: Odometry) -> None:
        if self._past and odometry.stamp_ns < self._past[-1].stamp_ns:
            # The clock was set back: what was before says nothing.
            self._past.clear()
        self._past.append(odometry)

    def _aside(self, odometry: Odometry, plan: Plan, now_ns: int) -> float:
        """Return what a holonomic base makes good sideways until the look-ahead, metres."""
        # The plan begins where the robot was when the image was taken.
        start = min(self._past, key=lambda past: abs(past.stamp_ns - plan.stamp_ns))
        if abs(start.stamp_ns - plan.stamp_ns) > START_SLACK_NS:
            return 0.0
        due = max(0.0, (now_ns - plan.stamp_ns) * 1e-9)
        times = plan.dt * np.arange(len(plan.points) + 1)
        path = np.vstack([(start.pose.x, start.pose.y), plan.points])
        here = np.array([np.interp(due, times, path[:, axis]) for axis in (0, 1)])
        error = float(odometry.pose.inverse().transform(here)[1])
        bound = self._robot.vy_max * self._config.lookahead
        return max(-bound, min(bound, self._config.sideways * error))

    def _is_old(self, plan: Plan, now_ns: int) -> bool:
        return now_ns - plan.stamp_ns > round(self._config.plan_timeout * 1e9)
