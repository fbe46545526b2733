"""What ends by itself after a second of health, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.fault_hold import FaultHold
from s2e_core.stops import Reason

TENTH = 100_000_000
STALE = Reason.CAMERA_STALE


def run(hold: FaultHold, faults: list[bool]) -> tuple[list[bool], list[Reason]]:
    """Feed a tick each 0.1 s; return which were lasting faults, and what held each tick."""
    lasting, held = [], []
    for tick, bad in enumerate(faults):
        now = tick * TENTH
        lasting.append(bad and hold.fault(now, STALE))
        held.append(STALE if bad else hold.healthy(now)[0])
    return lasting, held


def test_a_short_fault_holds_until_a_second_of_health() -> None:
    """Bad at 0.0 to 0.4 s, healthy from 0.5 s: held up to 1.4 s, free from 1.5 s."""
    lasting, held = run(FaultHold(1.0, 5.0), [True] * 5 + [False] * 12)
    assert not any(lasting)
    assert held == [STALE] * 15 + [Reason.NONE] * 2


def test_a_fault_of_a_second_lasts() -> None:
    """Since 0.0 s: at 1.0 s, the eleventh tick, and not before."""
    lasting, _ = run(FaultHold(1.0, 5.0), [True] * 11)
    assert lasting == [False] * 10 + [True]


def test_each_fault_between_health_lasts_by_itself_until_they_flap() -> None:
    """0.5 s bad, 0.5 s good, never a second of either: at 5.0 s from the first it is lasting."""
    lasting, held = run(FaultHold(1.0, 5.0), ([True] * 5 + [False] * 5) * 6)
    assert lasting.index(True) == 50
    assert set(held) == {STALE}


@pytest.mark.parametrize('reason', [Reason.FUTURE_STAMP, Reason.ODOMETRY_FROZEN])
def test_what_is_not_transient_lasts_at_once(reason: Reason) -> None:
    assert FaultHold(1.0, 5.0).fault(0, reason)


@given(st.lists(st.booleans(), max_size=120))
def test_nothing_is_free_within_a_second_of_a_fault(faults: list[bool]) -> None:
    """Whatever comes when, a tick that is free has ten healthy ones before it."""
    _, held = run(FaultHold(1.0, 5.0), faults)
    for tick, reason in enumerate(held):
        assert reason is STALE or not any(faults[max(0, tick - 10):tick + 1])
