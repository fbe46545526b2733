"""Interventions: where a person, or the gate for a person's sake, changed what the robot did.

Read from the gate's status, live or from a recording, so that studies and training data count the
same things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from s2e_core.stops import DRIVING, Reason, Source

GAP_NS = 1_000_000_000
"""Vetoes, and slowings, that follow each other sooner are one: before an obstacle a robot that
creeps is stopped again and again."""
DRIVEN = frozenset(reason.value for reason in DRIVING)


class InterventionKind(str, Enum):
    """What was done."""

    VETO = 'veto'
    """The gate let somebody drive no further because something is in the way."""
    SLOWED = 'slowed'
    """The gate let somebody drive on, but slower than they asked, because of what is in the way.
    Most vetoes begin so: counted apart, never added to them."""
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
        self._vetoes, self._slowings = _Spells(), _Spells()

    def update(self, stamp_ns: int, status: Mapping[str, str]) -> list[Intervention]:
        """Take a status.

        Args:
            stamp_ns: Its time, nanoseconds.
            status: The gate's words: reason, detail, source, slowed.
        """
        reason, source = status.get('reason', ''), status.get('source', '')
        found = []
        if reason == Reason.E_STOP.value != self._reason:
            found.append(Intervention(stamp_ns, InterventionKind.E_STOP, _text(status)))
        closed = reason == Reason.OBSTACLE.value
        # A stop goes on with a slowing: going on slowly after it begins no new one.
        held = closed or status.get('slowed') == 'True'
        if self._slowings.begins(stamp_ns, held) and not closed:
            found.append(Intervention(stamp_ns, InterventionKind.SLOWED, _text(status)))
        if self._vetoes.begins(stamp_ns, closed):
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


class _Spells:
    """Times during which something holds; those that follow each other within the gap are one."""

    def __init__(self) -> None:
        self._holds = False
        self._ended: int | None = None

    def begins(self, stamp_ns: int, holds: bool) -> bool:
        """Whether one begins now."""
        before, self._holds = self._holds, holds
        if before and not holds:
            self._ended = stamp_ns
        last = self._ended
        return holds and not before and (last is None or stamp_ns - last > GAP_NS)


def _text(status: Mapping[str, str]) -> str:
    reason, detail = status.get('reason', ''), status.get('detail', '')
    return f'{reason}: {detail}' if detail else reason
