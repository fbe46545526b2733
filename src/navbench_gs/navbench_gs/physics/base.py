"""The base's own controller: limits, time-out and steering geometry, as on a real robot."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from s2e_core.records import Command
from s2e_core.robot import RobotProfile

STEER_RATE = 1.5
"""Fastest change of the steering angle, rad/s: lock to lock in about a second."""
STEER_SPEED = 0.1
"""Below this speed the curvature asked for is taken at this speed, m/s (w / v has a pole)."""
DEFAULT_TIMEOUT = 0.5
"""Time-out of a profile whose real base is unmeasured, seconds."""


class BaseTargets(NamedTuple):
    """What the base asks of its motors."""

    left: float
    """Left driven wheel, rad/s."""
    right: float
    """Right driven wheel, rad/s."""
    steer_left: float
    """Left steered wheel, rad; 0 on a differential base."""
    steer_right: float
    """Right steered wheel, rad; 0 on a differential base."""


class BodyTargets(NamedTuple):
    """What a holonomic base asks of its motors together; how wheels or rollers do it is theirs."""

    forward: float
    """m/s."""
    left: float
    """m/s."""
    yaw: float
    """rad/s."""


class BaseController:
    """Turns commands into wheel targets under the base's own limits.

    A command counts as fresh when its stamp is newer than every one before; without a fresh
    command for `RobotProfile.base_timeout` the base ramps to zero by itself.
    """

    def __init__(self, robot: RobotProfile, *, latency: float = 0.0) -> None:
        """Prepare a base at rest.

        Args:
            robot: Limits and geometry.
            latency: Delay between a command's arrival and its effect, seconds.
        """
        self.robot = robot
        self.timeout = DEFAULT_TIMEOUT if robot.base_timeout is None else robot.base_timeout
        self._latency_ns = round(latency * 1e9)
        self.reset()

    def reset(self) -> None:
        """Forget every command and stand still."""
        self.v = 0.0
        self.vy = 0.0
        self.w = 0.0
        self.curvature = 0.0
        self._goal = Command(0)
        self._newest_ns: int | None = None
        self._fresh_ns: int | None = None
        self._queue: deque[tuple[int, Command]] = deque()

    def accept(self, command: Command, now_ns: int) -> None:
        """Take a command that arrives now; one that is not finite or not fresh is ignored."""
        if not command.finite:
            return
        if self._newest_ns is not None and command.stamp_ns <= self._newest_ns:
            return
        self._newest_ns = command.stamp_ns
        self._fresh_ns = now_ns
        self._queue.append((now_ns + self._latency_ns, command))

    def timed_out(self, now_ns: int) -> bool:
        """Return whether the last fresh command is too old (or there was none)."""
        return self._fresh_ns is None or (now_ns - self._fresh_ns) * 1e-9 > self.timeout

    def step(self, now_ns: int, dt: float) -> BaseTargets | BodyTargets:
        """Advance the ramps by `dt` seconds and return the targets of wheels or body."""
        v_goal, w_goal = self.ramp(now_ns, dt)
        if self.robot.kinematics == 'holonomic':
            return BodyTargets(self.v, self.vy, self.w)
        if self.robot.kinematics == 'car':
            return self._steer(v_goal, w_goal, dt)
        half = self.robot.track / 2.0
        radius = self.robot.wheel_radius
        return BaseTargets((self.v - self.w * half) / radius, (self.v + self.w * half) / radius,
                           0.0, 0.0)

    def ramp(self, now_ns: int, dt: float) -> tuple[float, float]:
        """Advance `v`, `vy`, and `w` of a base that does not steer, by `dt` seconds.

        Returns:
            The speed (m/s) and yaw rate (rad/s) that are ramped to.
        """
        while self._queue and self._queue[0][0] <= now_ns:
            self._goal = self._queue.popleft()[1]
        goal = Command(0) if self.timed_out(now_ns) else self._goal
        v_goal = min(max(goal.v, -self.robot.v_max), self.robot.v_max)
        vy_goal = min(max(goal.vy, -self.robot.vy_max), self.robot.vy_max)
        w_goal = min(max(goal.w, -self.robot.w_max), self.robot.w_max)
        self.v = _ramp_speed(self.v, v_goal, self.robot, dt)
        self.vy = _ramp_speed(self.vy, vy_goal, self.robot, dt)
        if self.robot.kinematics != 'car':
            self.w = _approach(self.w, w_goal, self.robot.w_acceleration * dt)
        return v_goal, w_goal

    def _steer(self, v_goal: float, w_goal: float, dt: float) -> BaseTargets:
        """Ackermann geometry about the rear axle: tan(angle) = wheelbase x curvature.

        The wheel at lateral offset y turns on radius R - y, so each steered wheel has its own
        angle and each driven wheel its own speed (R = 1 / curvature, positive to the left).
        """
        robot = self.robot
        if v_goal != 0.0 or w_goal != 0.0:
            speed = math.copysign(max(abs(v_goal), STEER_SPEED), v_goal)
            limit = robot.max_curvature
            asked = min(max(w_goal / speed, -limit), limit)
            angle = math.atan(robot.wheelbase * self.curvature)
            angle = _approach(angle, math.atan(robot.wheelbase * asked), STEER_RATE * dt)
            self.curvature = math.tan(angle) / robot.wheelbase
        self.w = self.v * self.curvature
        half, k, length = robot.track / 2.0, self.curvature, robot.wheelbase
        return BaseTargets(
            self.v * (1.0 - k * half) / robot.wheel_radius,
            self.v * (1.0 + k * half) / robot.wheel_radius,
            math.atan2(k * length, 1.0 - k * half),
            math.atan2(k * length, 1.0 + k * half),
        )


def _approach(value: float, goal: float, step: float) -> float:
    """Move towards a goal by at most one step."""
    return min(max(goal, value - step), value + step)


def _ramp_speed(v: float, goal: float, robot: RobotProfile, dt: float) -> float:
    """Speed up at most with a_max, slow down at most with stop_deceleration."""
    slowing = abs(goal) < abs(v) or goal * v < 0.0
    return _approach(v, goal, (robot.stop_deceleration if slowing else robot.a_max) * dt)
