"""From the position of a stick to a velocity."""

from __future__ import annotations

import math
from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.records import Command
from s2e_core.robot import RobotProfile


@dataclass(frozen=True)
class SteeringConfig:
    """Speeds at full stick."""

    v_start: float = option(0.5, unit='m/s', low=0.05, high=5, help='Speed limit at the start.')
    v_reverse: float = option(0.3, unit='m/s', low=0.0, high=5, help='Top speed backwards.')
    turn: float = option(0.6, low=0.05, high=1, help='Share of the top yaw rate at full stick.')

    def __post_init__(self) -> None:
        check(self, source='steering')


def command_from_stick(
    x: float, y: float, limit: float, robot: RobotProfile, config: SteeringConfig, stamp_ns: int,
    side: float = 0.0,
) -> Command:
    """Turn a stick into a velocity; a car's stick is its steering wheel.

    Args:
        x: Forward, -1..1.
        y: Left, -1..1: a turn.
        limit: Top speed now, m/s.
        robot: Limits and kinematics.
        config: Speeds at full stick.
        stamp_ns: Stamp of the result, nanoseconds.
        side: To the left without turning, -1..1; no other than a holonomic base goes so.
    """
    v = x * (limit if x >= 0 else min(limit, config.v_reverse))
    if robot.min_turn_radius > 0:
        # The wheel sets the curvature, so a car that backs up turns the other way round.
        return Command(stamp_ns, v, y * robot.max_curvature * v)
    vy = side * min(limit, robot.vy_max)
    # Into a corner the robot is no faster than ahead.
    share = min(1.0, limit / max(math.hypot(v, vy), 1e-9))
    return Command(stamp_ns, v * share, y * config.turn * robot.w_max, vy * share)
