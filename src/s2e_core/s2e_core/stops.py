"""Who may ask for a velocity, and every reason why the robot does not get it."""

from __future__ import annotations

from enum import Enum


class Source(str, Enum):
    """Who asks for a velocity."""

    AUTONOMY = 'autonomy'
    TELEOP = 'teleop'


class Reason(str, Enum):
    """Why the robot is not doing what it was asked."""

    NONE = 'none'
    NO_COMMAND = 'no_command'
    NO_GOAL = 'no_goal'
    E_STOP = 'e_stop'
    E_STOP_LOST = 'e_stop_lost'
    OPERATOR_LOST = 'operator_lost'
    COMMAND_STALE = 'command_stale'
    COMMAND_INVALID = 'command_invalid'
    PLAN_STALE = 'plan_stale'
    ODOMETRY_STALE = 'odometry_stale'
    ODOMETRY_SLOW = 'odometry_slow'
    ODOMETRY_INVALID = 'odometry_invalid'
    ODOMETRY_JUMP = 'odometry_jump'
    ODOMETRY_FROZEN = 'odometry_frozen'
    CAMERA_STALE = 'camera_stale'
    CAMERA_SLOW = 'camera_slow'
    OBSTACLE = 'obstacle'
    UNSEEN_SPACE = 'unseen_space'
    OBSTACLES_STALE = 'obstacles_stale'
    FUTURE_STAMP = 'future_stamp'
    CLOCK_JUMP = 'clock_jump'
    GATE_FROZEN = 'gate_frozen'
    SECOND_PUBLISHER = 'second_publisher'
    SHUTDOWN = 'shutdown'


TRANSIENT = frozenset({
    Reason.ODOMETRY_STALE, Reason.ODOMETRY_SLOW, Reason.CAMERA_STALE, Reason.CAMERA_SLOW,
    Reason.COMMAND_STALE, Reason.PLAN_STALE, Reason.OBSTACLES_STALE,
})
"""Faults that end by themselves when they lasted under a second; all others need a rearm."""
IMMEDIATE = frozenset({Reason.E_STOP, Reason.E_STOP_LOST})
"""Faults that cut to zero at once instead of ramping down."""
DRIVING = frozenset({Reason.NONE, Reason.OBSTACLE, Reason.UNSEEN_SPACE})
"""A source is obeyed, as far as the way is free and seen."""
WAITING = frozenset({Reason.NONE, Reason.NO_COMMAND, Reason.NO_GOAL})
"""No fault: the robot drives, or nobody has asked it to."""
