"""Interventions: where a person, or the gate for a person's sake, changed what the robot did.

Read from the gate's status, live or from a recording, so that studies and training data count the
same things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from s2e_core.stops import DRIVING, Reason, Source

VETO_GAP_NS = 1_000_000_000
"""Vetoes that follow each other sooner are one: before an obstacle a robot that creeps is stopped
again and again."""
DRIVEN = frozenset(reason.value for reason in DRIVING)


class InterventionKind(str, Enum):
    """What was done."""

    VETO = 'veto'
    """The gate let somebody drive no further because something is in the way."""
    E_STOP = 'e_stop'
    """Somebody pressed the emergency stop."""
    TAKE_OVER = 'take_over'
    """A person drives where autonomy drove."""
    HAND_BACK = 'hand_back'
    """Autonomy drives where a person drove."""


@dataclass(frozen=True)
class Intervention:
    """One of them."""

    stamp_ns: int
    """When it was reported, nanoseconds."""
    kind: InterventionKind
    reason: str
    """The gate's reason or, for a change of drivers, from whom to whom."""


class InterventionWatch:
    """Finds interventions in the gate's statuses; each counts where it begins."""

    def __init__(self) -> None:
        """Begin with nobody driving and nothing stopped."""
        self._reason = Reason.NONE.value
        self._driver = ''
        self._veto_ended: int | None = None

    def update(self, stamp_ns: int, status: Mapping[str, str]) -> list[Intervention]:
        """Take a status.

        Args:
            stamp_ns: Its time, nanoseconds.
            status: The gate's words: reason, detail, source.
        """
        reason, source = status.get('reason', ''), status.get('source', '')
        found = []
        if reason == Reason.E_STOP.value != self._reason:
            found.append(Intervention(stamp_ns, InterventionKind.E_STOP, _text(status)))
        if self._vetoed(stamp_ns, reason):
            found.append(Intervention(stamp_ns, InterventionKind.VETO, _text(status)))
        # Who is named while the robot is stopped does not drive it.
        if reason in DRIVEN and source in (Source.AUTONOMY.value, Source.TELEOP.value):
            if self._driver and source != self._driver:
                kind = (
                    InterventionKind.TAKE_OVER if source == Source.TELEOP.value
                    else InterventionKind.HAND_BACK
                )
                found.append(Intervention(stamp_ns, kind, f'{self._driver} to {source}'))
            self._driver = source
        self._reason = reason
        return found

    def _vetoed(self, stamp_ns: int, reason: str) -> bool:
        """Whether a veto begins."""
        before, now = (r == Reason.OBSTACLE.value for r in (self._reason, reason))
        if before and not now:
            self._veto_ended = stamp_ns
        last = self._veto_ended
        return now and not before and (last is None or stamp_ns - last > VETO_GAP_NS)


def _text(status: Mapping[str, str]) -> str:
    reason, detail = status.get('reason', ''), status.get('detail', '')
    return f'{reason}: {detail}' if detail else reason
