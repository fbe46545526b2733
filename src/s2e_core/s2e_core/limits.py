"""Velocity and acceleration limits of a robot, and the stop ramp."""

from __future__ import annotations

import math

from s2e_core.records import Command
from s2e_core.robot import RobotProfile

MAX_VIEW = math.radians(120.0)
"""A wider camera shows little at its edges: no motion further than 60 degrees off its axis."""


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def limit_velocity(
    command: Command, robot: RobotProfile, v_cap: float, *, reverse: bool = False
) -> Command:
    """Bring a command inside the robot's limits without changing its curvature.

    Slowing the turn with the speed keeps the path; clamping each alone would change it. To the
    side a holonomic base goes as far as its camera sees, unless it may also go back.

    Args:
        command: What was asked.
        robot: Limits.
        v_cap: Top speed now, m/s.
        reverse: Whether driving to where the camera does not look is allowed.
    """
    low = -v_cap if reverse else 0.0
    v = _clamp(command.v, low, v_cap)
    w = command.w * (v / command.v) if command.v and v != command.v else command.w
    if abs(w) > robot.w_max:
        v, w = v * robot.w_max / abs(w), _clamp(w, -robot.w_max, robot.w_max)
    if robot.min_turn_radius > 0:
        bound = abs(v) * robot.max_curvature
        w = _clamp(w, -bound, bound)
    limited = Command(command.stamp_ns, v, w)
    if not command.vy or not robot.vy_max:
        return limited
    # What slowed the way ahead slows the way aside alike.
    vy = command.vy * (v / command.v) if command.v else command.vy
    bound = robot.vy_max
    if not reverse:
        bound = min(bound, v * math.tan(min(robot.camera.hfov, MAX_VIEW) / 2.0))
    limited = Command(command.stamp_ns, v, w, _clamp(vy, -bound, bound))
    share = min(1.0, v_cap / limited.speed) if limited.speed else 1.0
    return Command(command.stamp_ns, v * share, w * share, limited.vy * share)


def limit_acceleration(
    last: Command, wanted: Command, robot: RobotProfile, elapsed: float, now_ns: int
) -> Command:
    """Step from the last command towards the wanted one.

    Args:
        last: What went to the base last.
        wanted: Where to go, inside the velocity limits.
        robot: Accelerations; slowing down may use the stop deceleration.
        elapsed: Seconds since ``last``.
        now_ns: Stamp of the result, nanoseconds.
    """
    def step(last_v: float, wanted_v: float) -> float:
        faster = abs(wanted_v) > abs(last_v) and wanted_v * last_v >= 0
        dv = (robot.a_max if faster else robot.stop_deceleration) * elapsed
        return last_v + _clamp(wanted_v - last_v, -dv, dv)

    dw = robot.w_acceleration * elapsed
    return Command(
        now_ns, step(last.v, wanted.v), last.w + _clamp(wanted.w - last.w, -dw, dw),
        step(last.vy, wanted.vy),
    )


def ramp_down(last: Command, deceleration: float, elapsed: float, now_ns: int) -> Command:
    """Slow down along the same curve.

    Args:
        last: What went to the base last.
        deceleration: m/s^2.
        elapsed: Seconds since ``last``.
        now_ns: Stamp of the result, nanoseconds.
    """
    step = deceleration * elapsed
    # A tenth of a micrometre a second is rest: repeated subtraction leaves 1e-16.
    if last.speed <= step + 1e-7:
        return Command(now_ns)
    if last.vy:
        share = 1.0 - step / last.speed
        return Command(now_ns, last.v * share, last.w * share, last.vy * share)
    v = last.v - step if last.v > 0 else last.v + step
    return Command(now_ns, v, last.w * v / last.v)
