"""What the policy would have driven against what a person drove; time is in the stamps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from s2e_core.records import Command, Odometry, Plan
from s2e_nav.odometry_buffer import OdometryBuffer

FRESH_NS = 300_000_000
"""A person's command older than that drives nothing: the gate has stopped by then."""
KEPT_NS = 6_000_000_000
"""Odometry kept: a plan of 2 s, and as much again for those that come late."""
SLACK_NS = 100_000_000
"""Farthest that odometry may be from a waypoint's time."""
MAX_PLANS = 100
"""Plans that wait for their end: 20 s of them, if odometry ended."""


@dataclass(frozen=True)
class Tick:
    """Both velocities at one odometry."""

    stamp_ns: int
    policy: Command
    person: Command

    @property
    def dv(self) -> float:
        """Policy less person, m/s."""
        return self.policy.v - self.person.v

    @property
    def dw(self) -> float:
        """Policy less person, rad/s; positive: the policy turns farther left."""
        return self.policy.w - self.person.w


@dataclass(frozen=True)
class PlanScore:
    """A plan against the way that was driven in its time."""

    stamp_ns: int
    """Of the image."""
    ade: float
    """Mean distance over the waypoints, metres."""
    fde: float
    """Distance at the last, metres."""
    planned: float
    """Metres the plan is long, from where the robot was."""
    driven: float
    """Metres driven, along the same times."""


class Comparison:
    """Pairs commands by time, and plans with the odometry that follows them."""

    def __init__(self) -> None:
        """Begin without anybody driving."""
        self._person: Command | None = None
        self._since_ns = 0
        self._odometry = OdometryBuffer(KEPT_NS)
        self._plans: deque[Plan] = deque(maxlen=MAX_PLANS)

    def person(self, command: Command) -> None:
        """Take a command of the person; after a pause a new drive begins."""
        last = self._person
        if last is None or not 0 <= command.stamp_ns - last.stamp_ns <= FRESH_NS:
            self._since_ns = command.stamp_ns
        self._person = command

    def policy(self, command: Command) -> Tick | None:
        """Take what the follower makes of the policy's plan; nothing while nobody drives."""
        person = self._person
        if person is None or abs(command.stamp_ns - person.stamp_ns) > FRESH_NS:
            return None
        return Tick(command.stamp_ns, command, person)

    def plan(self, plan: Plan) -> None:
        """Take a plan; one to stand still has no way to compare."""
        if not plan.is_stop:
            self._plans.append(plan)

    def odometry(self, odometry: Odometry) -> list[PlanScore]:
        """Take where the robot is, and score the plans whose time is over.

        A plan during which nobody drove, or without odometry at one of its times, has no score.
        """
        self._odometry.add(odometry)
        scores = []
        while self._plans and self._end_ns(self._plans[0]) <= odometry.stamp_ns:
            score = self._score(self._plans.popleft())
            if score is not None:
                scores.append(score)
        return scores

    @staticmethod
    def _end_ns(plan: Plan) -> int:
        return plan.stamp_ns + round(len(plan.points) * plan.dt * 1e9)

    def _score(self, plan: Plan) -> PlanScore | None:
        person = self._person
        if person is None or plan.stamp_ns < self._since_ns:
            return None
        if person.stamp_ns + FRESH_NS < self._end_ns(plan):
            return None
        steps = range(len(plan.points) + 1)
        found = [
            self._odometry.at(plan.stamp_ns + round(k * plan.dt * 1e9), SLACK_NS) for k in steps
        ]
        driven = [o.pose for o in found if o is not None]
        if len(driven) < len(found):
            return None
        way = np.array([(pose.x, pose.y) for pose in driven])
        planned = np.vstack([way[:1], plan.points])
        errors = np.linalg.norm(planned[1:] - way[1:], axis=1)
        return PlanScore(
            plan.stamp_ns, float(errors.mean()), float(errors[-1]), length(planned), length(way)
        )


def length(points: np.ndarray) -> float:
    """Return the length of a polyline, metres. points [N, 2]"""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
