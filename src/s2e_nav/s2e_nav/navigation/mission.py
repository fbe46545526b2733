"""The life of a goal: begun, acknowledged, driven, ended once and for a reason.

Time is an argument and endings are return values, so that every way a goal can end is tested
without a process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from s2e_core.config import check, option
from s2e_core.navigator import NavigatorStatus
from s2e_core.se2 import Pose2
from s2e_core.stops import Reason
from s2e_nav.navigation.codes import Code

NO_LATCH = 'none'
"""What the gate's status says while nothing waits for a goal or rearm."""
REST_SPEED = 0.1
"""m/s below which the robot is at rest, as the benchmark has it."""
ROLL_OUT = 3.0
"""Seconds after which an arrival counts even if odometry still reports motion."""
REJECTED_SECONDS = 1.0
"""How long every mode may be rejected before the goal is dropped."""


class Kind(str, Enum):
    """What was asked for."""

    POSE = 'pose'
    ROUTE = 'route'
    ROAM = 'roam'


class Outcome(str, Enum):
    """How a goal ended."""

    SUCCEEDED = 'succeeded'
    CANCELED = 'canceled'
    ABORTED = 'aborted'


@dataclass(frozen=True)
class MissionConfig:
    """When a goal is given up."""

    progress_distance: float = option(
        0.5, unit='m', low=0.05, high=10, help='Way that counts as progress.'
    )
    progress_timeout: float = option(
        30.0, unit='s', low=0, high=3600, help='Longest time without progress; 0 waits for ever.'
    )
    # Somebody who circles a goal moves all the time. A way around a block of houses leads away
    # from the goal for as long as one side takes: 60 m at 0.5 m/s.
    approach_timeout: float = option(
        120.0, unit='s', low=0, high=3600,
        help='Longest time without coming nearer to the goal than ever; 0 waits for ever.',
    )
    gate_timeout: float = option(
        1.0, unit='s', low=0.2, high=30, help='Longest wait for the gate to acknowledge a goal.'
    )
    outlives_driver: bool = option(
        False, help='A dead-man that is let go does not drop the goal: a person drives anyway.'
    )

    def __post_init__(self) -> None:
        check(self, source='mission')


@dataclass(frozen=True)
class Mission:
    """A goal that was accepted."""

    stamp_ns: int
    """Stamp of the request; names the goal in status messages."""
    kind: Kind
    """What was asked for."""
    points: int = 1
    """Points of the route."""
    ticket: object = None
    """Whoever waits for the end, such as an action's goal."""


@dataclass(frozen=True)
class Ending:
    """The end of a goal."""

    mission: Mission
    outcome: Outcome
    code: Code
    text: str
    remaining: int = 0
    """Points that were not reached."""


@dataclass(frozen=True)
class Progress:
    """How it goes."""

    elapsed: float = 0.0
    """Seconds since the goal was accepted."""
    distance: float = math.nan
    """Metres to the end; NaN while roaming."""
    remaining: int = 0
    """Points not reached yet."""
    speed: float = 0.0
    """Forward speed by odometry, m/s."""

    @property
    def seconds_left(self) -> float:
        """Estimate from the speed now; 0 where none can be made."""
        if not math.isfinite(self.distance) or self.speed < REST_SPEED:
            return 0.0
        return self.distance / self.speed


class MissionControl:
    """Holds the goal that is driven to and ends it, each goal once."""

    def __init__(self, config: MissionConfig | None = None, *, lockstep: bool = False) -> None:
        """Start without a goal.

        Args:
            config: When to give up.
            lockstep: The world waits, and the benchmark's protocol decides when it is over.
        """
        self._config, self._lockstep = config or MissionConfig(), lockstep
        self.current: Mission | None = None
        self.progress = Progress()
        self._started = 0.0
        self._acknowledged = False
        self._gate_seen = False
        self._held = ''
        self._anchor: tuple[Pose2, float] | None = None
        self._nearest: tuple[float, float] | None = None
        self._arrived_at: float | None = None
        self._rejected_at: float | None = None

    @property
    def stamp_ns(self) -> int:
        """Stamp of the goal that is driven to, or 0."""
        return 0 if self.current is None else self.current.stamp_ns

    def begin(self, mission: Mission, now: float) -> Ending | None:
        """Take a goal in place of the one before.

        Args:
            mission: The goal.
            now: Steady clock, seconds.

        Returns:
            The end of the goal before, if there was one.
        """
        ended = self._end(Outcome.ABORTED, Code.REPLACED, 'replaced by a newer goal')
        self.current, self._started = mission, now
        self.progress = Progress(remaining=mission.points)
        self._acknowledged = False
        self._anchor = self._nearest = self._arrived_at = self._rejected_at = None
        return ended

    def cancel(self, ticket: object = None) -> Ending | None:
        """End the goal because somebody asked for it.

        Args:
            ticket: End it only if it is the one of this ticket; None ends any.
        """
        if ticket is not None and (self.current is None or self.current.ticket is not ticket):
            return None
        return self._end(Outcome.CANCELED, Code.CANCELED, 'cancelled')

    def fail(self, code: Code, text: str) -> Ending | None:
        """Give the goal up."""
        return self._end(Outcome.ABORTED, code, text)

    def on_gate(self, goal_stamp_ns: int, latched: str, held: str = '') -> Ending | None:
        """Take the gate's word.

        Args:
            goal_stamp_ns: The goal it knows.
            latched: The stop that waits for a new one.
            held: Why it lets the robot stand, or nothing.
        """
        self._gate_seen, self._held = True, held
        if self.current is None:
            return None
        if goal_stamp_ns == self.current.stamp_ns:
            self._acknowledged = True
            spared = self._config.outlives_driver and latched == Reason.OPERATOR_LOST.value
            if latched != NO_LATCH and not spared:
                return self.fail(Code.GATE_STOPPED, f'the gate stopped: {latched}')
        elif self._acknowledged:
            return self.fail(Code.GATE_LOST, 'the gate began anew and does not know the goal')
        return None

    def on_time(self, now: float) -> Ending | None:
        """Look whether the gate is silent for too long; a graph without a gate is let be."""
        waited = now - self._started
        silent = self._gate_seen and not self._acknowledged and not self._lockstep
        if self.current is not None and silent and waited > self._config.gate_timeout:
            return self.fail(
                Code.GATE_LOST, f'the gate did not acknowledge the goal within {waited:.1f} s'
            )
        return None

    def on_image(
        self, status: NavigatorStatus, distance: float, remaining: int, pose: Pose2,
        speed: float, now: float,
    ) -> Ending | None:
        """Take what the navigator made of an image.

        Args:
            status: What it does.
            distance: Metres to the end of the route; NaN while roaming.
            remaining: Points not reached yet.
            pose: odom <- base_link.
            speed: Forward speed by odometry, m/s.
            now: Steady clock, seconds.
        """
        if self.current is None:
            return None
        self.progress = Progress(now - self._started, distance, remaining, speed)
        if status is NavigatorStatus.ARRIVED:
            self._arrived_at = now if self._arrived_at is None else self._arrived_at
            if abs(speed) <= REST_SPEED or now - self._arrived_at > ROLL_OUT:
                return self._end(Outcome.SUCCEEDED, Code.NONE, 'arrived')
            return None
        if self._lockstep:
            return None
        return (
            self._rejected(status, now) or self._stuck(pose, now) or self._astray(distance, now)
        )

    def _rejected(self, status: NavigatorStatus, now: float) -> Ending | None:
        if status is not NavigatorStatus.REJECTED:
            self._rejected_at = None
            return None
        self._rejected_at = now if self._rejected_at is None else self._rejected_at
        if now - self._rejected_at <= REJECTED_SECONDS:
            return None
        return self.fail(
            Code.POLICY_FAILED, f'every mode was rejected for {now - self._rejected_at:.1f} s'
        )

    def _stuck(self, pose: Pose2, now: float) -> Ending | None:
        """Progress is leaving a circle around the last place where there was some."""
        config = self._config
        if self._anchor is None or (
            self._anchor[0].distance_to((pose.x, pose.y)) > config.progress_distance
        ):
            self._anchor = pose, now
        waited = now - self._anchor[1]
        if not config.progress_timeout or waited <= config.progress_timeout:
            return None
        return self.fail(
            Code.NO_PROGRESS,
            f'less than {config.progress_distance:g} m of progress in {waited:.0f} s'
            + (f'; the gate holds: {self._held}' if self._held else ''),
        )

    def _astray(self, distance: float, now: float) -> Ending | None:
        """Moving is not enough: the goal must come nearer than it ever was."""
        if not math.isfinite(distance):
            return None
        config = self._config
        if self._nearest is None or distance < self._nearest[0] - config.progress_distance:
            self._nearest = distance, now
        waited = now - self._nearest[1]
        if not config.approach_timeout or waited <= config.approach_timeout:
            return None
        return self.fail(
            Code.NO_PROGRESS,
            f'no nearer to the goal than {self._nearest[0]:.1f} m for {waited:.0f} s',
        )

    def _end(self, outcome: Outcome, code: Code, text: str) -> Ending | None:
        mission, self.current = self.current, None
        if mission is None:
            return None
        return Ending(mission, outcome, code, text, self.progress.remaining)
