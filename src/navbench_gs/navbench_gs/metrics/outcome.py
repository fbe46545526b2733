"""How an episode ends, and why it failed."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np

from navbench_gs.metrics.record import TICK, EpisodeLog
from navbench_gs.tasks.protocol import JudgeRules

TRYING = 0.1
"""Mean commanded speed from which on a robot is told to drive, m/s."""


class Outcome(str, Enum):
    """How an episode ended."""

    SUCCESS = 'success'
    TIMED_OUT = 'timed_out'
    FELL = 'fell'
    POLICY_STALLED = 'policy_stalled'
    POLICY_ERROR = 'policy_error'
    STUCK = 'stuck'
    """Cut short since nothing moved; only episodes of learners end so."""


class Cause(str, Enum):
    """Why an episode failed."""

    NONE = ''
    BLOCKED = 'collision-blocked'
    STUCK = 'stuck'
    """Told to drive, it did not move, and touched nothing but the floor."""
    LOST = 'lost'
    FROZEN = 'frozen'
    TIMED_OUT = 'timed out'
    STALLED = 'stalled'
    FELL = 'fell'
    POLICY_ERROR = 'policy error'


_DIRECT = {
    Outcome.SUCCESS: Cause.NONE,
    Outcome.FELL: Cause.FELL,
    Outcome.STUCK: Cause.BLOCKED,
    Outcome.POLICY_STALLED: Cause.STALLED,
    Outcome.POLICY_ERROR: Cause.POLICY_ERROR,
}


def cause_of(log: EpisodeLog, rules: JudgeRules) -> Cause:
    """Explain a failure.

    A run out of time is, in this order: collision-blocked if the robot touched something and
    stood in the last `blocked_time`; stuck if it stood for the last `frozen_time` though it was
    told to drive, frozen if it was not; lost if it ended `lost_distance` farther from the goal
    than it once was; else just timed out.
    """
    outcome = Outcome(log.outcome)
    if outcome in _DIRECT:
        return _DIRECT[outcome]
    last = len(log.ticks['x']) - 1
    recent = last - round(rules.blocked_time / TICK)
    if any(contact.tick > recent for contact in log.contacts) and stood(
        log, rules.blocked_time, rules.frozen_distance
    ):
        return Cause.BLOCKED
    if stood(log, rules.frozen_time, rules.frozen_distance):
        return Cause.STUCK if _tried(log, rules.frozen_time) else Cause.FROZEN
    geodesic = log.ticks['geodesic']
    if geodesic[-1] - float(geodesic.min()) >= rules.lost_distance:
        return Cause.LOST
    return Cause.TIMED_OUT


def stood(log: EpisodeLog, seconds: float, distance: float) -> bool:
    """Whether the robot stayed within `distance` metres of its end for the last `seconds`."""
    rows = round(seconds / TICK)
    if len(log.ticks['x']) <= rows:
        return False
    x, y = log.ticks['x'][-rows - 1:], log.ticks['y'][-rows - 1:]
    return bool(np.hypot(x - x[-1], y - y[-1]).max() < distance)


def _tried(log: EpisodeLog, seconds: float) -> bool:
    """Whether the base was told to drive in the last `seconds`."""
    return float(np.abs(log.ticks['command_v'][-round(seconds / TICK):]).mean()) >= TRYING


def at_goal(distance: float, speed: float, rules: JudgeRules) -> bool:
    """Whether a robot at rest counts as arrived.

    Args:
        distance: True straight distance to the goal, metres.
        speed: True speed, m/s.
        rules: Radius and speed of success.
    """
    return math.isfinite(distance) and distance <= rules.goal_radius and (
        abs(speed) < rules.rest_speed
    )
