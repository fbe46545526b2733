"""Interventions: where a person, or the gate for a person's sake, changed what the robot did.

Read from the gate's status, live or from a recording, so that studies and training data count the
same things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from s2e_core.stops import Reason, Source


class InterventionKind(str, Enum):
    """What was done."""

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
        # Who is named while the robot is stopped does not drive it.
        if reason == Reason.NONE.value and source in (Source.AUTONOMY.value, Source.TELEOP.value):
            if self._driver and source != self._driver:
                kind = (
                    InterventionKind.TAKE_OVER if source == Source.TELEOP.value
                    else InterventionKind.HAND_BACK
                )
                found.append(Intervention(stamp_ns, kind, f'{self._driver} to {source}'))
            self._driver = source
        self._reason = reason
        return found


def _text(status: Mapping[str, str]) -> str:
    reason, detail = status.get('reason', ''), status.get('detail', '')
    return f'{reason}: {detail}' if detail else reason
