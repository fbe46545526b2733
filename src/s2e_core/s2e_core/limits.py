"""Velocity and acceleration limits of a robot, and the stop ramp."""

from __future__ import annotations

from s2e_core.records import Command
from s2e_core.robot import RobotProfile


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def limit_velocity(
    command: Command, robot: RobotProfile, v_cap: float, *, reverse: bool = False
) -> Command:
    """Bring a command inside the robot's limits without changing its curvature.

    Slowing the turn with the speed keeps the path; clamping each alone would change it.

    Args:
        command: What was asked.
        robot: Limits.
        v_cap: Top speed now, m/s.
        reverse: Whether driving backwards is allowed; without a view to the rear it is not.
    """
    low = -v_cap if reverse else 0.0
    v = _clamp(command.v, low, v_cap)
    w = command.w * (v / command.v) if command.v and v != command.v else command.w
    if abs(w) > robot.w_max:
        v, w = v * robot.w_max / abs(w), _clamp(w, -robot.w_max, robot.w_max)
    if robot.min_turn_radius > 0:
        bound = abs(v) * robot.max_curvature
        w = _clamp(w, -bound, bound)
    return Command(command.stamp_ns, v, w)


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
    faster = abs(wanted.v) > abs(last.v) and wanted.v * last.v >= 0
    dv = (robot.a_max if faster else robot.stop_deceleration) * elapsed
    dw = robot.w_acceleration * elapsed
    return Command(
        now_ns,
        last.v + _clamp(wanted.v - last.v, -dv, dv),
        last.w + _clamp(wanted.w - last.w, -dw, dw),
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
    if abs(last.v) <= step + 1e-7:
        return Command(now_ns)
    v = last.v - step if last.v > 0 else last.v + step
    return Command(now_ns, v, last.w * v / last.v)
