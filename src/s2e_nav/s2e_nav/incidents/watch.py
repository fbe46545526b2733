"""What is an incident, and when its file is due."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from s2e_core.stops import DRIVING, IMMEDIATE, TRANSIENT, WAITING, Reason

ORDINARY = frozenset(reason.value for reason in WAITING | DRIVING) | {Reason.SHUTDOWN.value}
"""Driving, as far as the way is free, nothing to do, or an end that was asked for."""
AT_ONCE = frozenset(reason.value for reason in IMMEDIATE)
"""Stops that are news even when the robot already stands for another reason."""
PASSING = frozenset(reason.value for reason in TRANSIENT)
"""Stops that may end by themselves."""
ENDINGS = ('POLICY_FAILED', 'CAMERA_FAILED', 'GATE_LOST')
"""Ends of a goal that stop the robot without the gate's finding anything wrong."""


@dataclass(frozen=True)
class Incident:
    """A safety stop."""

    reason: str
    steady_ns: int
    """When it was heard of, steady clock, nanoseconds."""
    utc: datetime
    """The same by the machine's calendar."""


def gravity(reason: str) -> int:
    """Rank a reason: 0 may pass by itself, 1 waits for a new goal, 2 was an e-stop."""
    return 2 if reason in AT_ONCE else 0 if reason in PASSING else 1


class IncidentWatch:
    """Turns what gate and policy report into incidents, at most one of a gravity in a while.

    A stop that is graver than all of the last while has a file of its own: a late image must not
    cost the e-stop that follows it.
    """

    def __init__(self, after: float, apart: float) -> None:
        """Begin without knowing what the gate says.

        Args:
            after: From a stop to the time its file is due, seconds.
            apart: Shortest time to an incident as grave or graver, seconds.
        """
        self._after_ns, self._apart_ns = round(after * 1e9), round(apart * 1e9)
        self._gate = ''
        self._last: dict[int, int] = {}
        self._pending: deque[Incident] = deque()
        self.skipped = 0
        """Stops that came too soon after another to have a file of their own."""

    def gate(self, reason: str, driven: bool, steady_ns: int, utc: datetime) -> Incident | None:
        """Take what the gate reports.

        A gate that already stands when it is heard for the first time is none: there is nothing
        before it. Stops that follow on a stop belong to the first, but for those of an e-stop.

        Args:
            reason: Of `s2e_core.stops.Reason`, or of a newer gate.
            driven: Whether the operator's last command asked for motion. A released dead-man is
                `operator_lost` too, after a zero, and no more than the end of a drive.
            steady_ns: Now, steady clock.
            utc: Now, calendar.

        Returns:
            The incident, if it is one.
        """
        ordinary = reason in ORDINARY or (reason == Reason.OPERATOR_LOST.value and not driven)
        before, self._gate = self._gate, 'ordinary' if ordinary else reason
        if ordinary or not before:
            return None
        if before != 'ordinary' and (before in AT_ONCE or reason not in AT_ONCE):
            return None
        return self._begin(reason, steady_ns, utc)

    def ending(self, error_name: str, steady_ns: int, utc: datetime) -> Incident | None:
        """Take the end of a goal; arguments and result as of `gate`."""
        if error_name not in ENDINGS:
            return None
        return self._begin(error_name.lower(), steady_ns, utc)

    def due(self, steady_ns: int) -> Incident | None:
        """Return the oldest incident whose time has come, each once."""
        if not self._pending or steady_ns < self._pending[0].steady_ns + self._after_ns:
            return None
        return self.take()

    def take(self) -> Incident | None:
        """Return the oldest incident that waits, whether or not its time has come."""
        return self._pending.popleft() if self._pending else None

    def _begin(self, reason: str, steady_ns: int, utc: datetime) -> Incident | None:
        rank = gravity(reason)
        since = max((at for known, at in self._last.items() if known >= rank), default=None)
        if since is not None and steady_ns - since < self._apart_ns:
            self.skipped += 1
            return None
        self._last[rank] = steady_ns
        self._pending.append(Incident(reason, steady_ns, utc))
        return self._pending[-1]
