"""What is an incident, and when its file is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from s2e_core.stops import IMMEDIATE, WAITING, Reason

ORDINARY = frozenset(reason.value for reason in WAITING) | {Reason.SHUTDOWN.value}
"""Driving, nothing to do, or an end that was asked for."""
AT_ONCE = frozenset(reason.value for reason in IMMEDIATE)
"""Stops that are news even when the robot already stands for another reason."""
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


class IncidentWatch:
    """Turns what gate and policy report into incidents, at most one in a while."""

    def __init__(self, after: float, apart: float) -> None:
        """Begin without knowing what the gate says.

        Args:
            after: From a stop to the time its file is due, seconds.
            apart: Shortest time between two incidents, seconds.
        """
        self._after_ns, self._apart_ns = round(after * 1e9), round(apart * 1e9)
        self._gate = ''
        self._last: Incident | None = None
        self._pending: Incident | None = None
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
        """Return the incident whose time has come, once."""
        if self._pending is None or steady_ns < self._pending.steady_ns + self._after_ns:
            return None
        return self.take()

    def take(self) -> Incident | None:
        """Return the incident that waits, whether or not its time has come."""
        pending, self._pending = self._pending, None
        return pending

    def _begin(self, reason: str, steady_ns: int, utc: datetime) -> Incident | None:
        if self._last is not None and steady_ns - self._last.steady_ns < self._apart_ns:
            self.skipped += 1
            return None
        self._last = self._pending = Incident(reason, steady_ns, utc)
        return self._pending
