"""What the gate watches besides the age of its inputs: their rate, and whether they agree."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from s2e_core.records import Command, Odometry
from s2e_core.se2 import Pose2, wrap_angle

INTERVALS = 3
"""Intervals whose mean is the rate: one lost image of four makes 1.33 periods and passes, half
the rate makes 1.67 after two slow intervals."""
LEAST_DISTANCE = 0.15
"""Metres asked for below which command and odometry are not compared: a base may have a dead
band, and 0.15 m/s for a second is slower than anybody drives on purpose."""
LEAST_TURN = 0.4
"""The same for turning, radians."""
LEAST_SHARE = 0.2
"""A base that speeds up slowly still covers a fifth of what it was asked for in a second; frozen
odometry covers nothing."""


def fault_limit_ns(period: float) -> int:
    """Return the age by which the stop ramp must have begun: two periods + 100 ms, <= 300 ms.

    Args:
        period: Expected time between two inputs, seconds.

    Returns:
        Nanoseconds.
    """
    return min(round(2e9 * period) + 100_000_000, 300_000_000)


class RateWatch:
    """Finds an input that comes more slowly than it promised."""

    def __init__(self, period: float, slack: float) -> None:
        """Start without stamps.

        Args:
            period: Promised time between two inputs, seconds.
            slack: Mean interval allowed, in periods; 0 looks away.
        """
        self._limit_ns = round(period * slack * 1e9)
        self._stamps: deque[int] = deque(maxlen=INTERVALS + 1)

    def add(self, stamp_ns: int) -> None:
        """Take a stamp; one that goes back, or leaves a gap of a second, begins anew."""
        if self._stamps and not 0 <= stamp_ns - self._stamps[-1] <= 1_000_000_000:
            self._stamps.clear()
        if not self._stamps or stamp_ns > self._stamps[-1]:
            self._stamps.append(stamp_ns)

    def slow(self) -> str:
        """Say how slow the input is, or nothing if it keeps its promise."""
        if not self._limit_ns or len(self._stamps) <= INTERVALS:
            return ''
        mean = (self._stamps[-1] - self._stamps[0]) / INTERVALS
        if mean <= self._limit_ns:
            return ''
        return f'{1e9 / mean:.1f} Hz, at least {1e9 / self._limit_ns:.1f} are needed'


@dataclass(frozen=True)
class _Moment:
    """What was asked for so far, and where odometry said the robot was."""

    time_ns: int
    distance: float
    turn: float
    pose: Pose2


class MotionAgreement:
    """Compares what the base was told with what odometry says, over a window of time."""

    def __init__(self, window: float) -> None:
        """Start without memory.

        Args:
            window: Time within which the two must agree, seconds; 0 looks away.
        """
        self._window_ns = round(window * 1e9)
        self._moments: deque[_Moment] = deque()

    def clear(self) -> None:
        """Forget; what comes next belongs to another drive."""
        self._moments.clear()

    def step(self, now_ns: int, command: Command, odometry: Odometry) -> str:
        """Take what goes to the base now; say what does not agree, or nothing.

        Args:
            now_ns: Time of the command, nanoseconds.
            command: What goes to the base.
            odometry: Newest odometry.
        """
        if not self._window_ns:
            return ''
        moments = self._moments
        distance = turn = 0.0
        if moments:
            last = moments[-1]
            elapsed = (now_ns - last.time_ns) * 1e-9
            if not 0.0 <= elapsed <= 0.5:
                moments.clear()
            else:
                distance = last.distance + command.speed * elapsed
                turn = last.turn + abs(command.w) * elapsed
        moments.append(_Moment(now_ns, distance, turn, odometry.pose))
        # The oldest moment kept is the newest one that is at least a window ago.
        while len(moments) > 1 and now_ns - moments[1].time_ns >= self._window_ns:
            moments.popleft()
        if now_ns - moments[0].time_ns < self._window_ns:
            return ''
        return self._compare(moments[0], moments[-1])

    @staticmethod
    def _compare(first: _Moment, last: _Moment) -> str:
        asked, turn = last.distance - first.distance, last.turn - first.turn
        moved = last.pose.distance_to((first.pose.x, first.pose.y))
        turned = abs(wrap_angle(last.pose.yaw - first.pose.yaw))
        # Turning on the spot moves nothing and driving straight turns nothing: a base that does
        # either is not frozen.
        still = moved < LEAST_SHARE * asked or asked < LEAST_DISTANCE
        # Past half a turn the heading no longer says how far it was.
        straight = turn < LEAST_TURN or (turn < 3.0 and turned < LEAST_SHARE * turn)
        if (asked >= LEAST_DISTANCE or turn >= LEAST_TURN) and still and straight:
            return f'asked for {asked:.2f} m and {turn:.2f} rad, got {moved:.2f} and {turned:.2f}'
        return ''
