"""The stop watch of the fault bench: it must see a late stop, a false one and a second start."""

from __future__ import annotations

import pytest

from s2e_nav.faults.cases import CASES, selected
from s2e_nav.faults.run import own_domain, row, summary, write_csv
from s2e_nav.faults.trace import Sent, Trace, moved_again, ramp_begins, rest_begins
from s2e_nav.faults.trial import Finding


def commands(*speeds: float, period: float = 0.1) -> list[Sent]:
    """Make commands from 0.1 s on."""
    return [Sent(period * (index + 1), v, 0.0) for index, v in enumerate(speeds)]


def test_the_ramp_begins_with_the_first_slower_command_of_the_stop():
    # 0.5 until 0.2 s, then 0.4, 0.2, 0: the ramp begins at 0.3 s and ends at 0.5 s.
    sent = commands(0.5, 0.5, 0.4, 0.2, 0.0, 0.0)
    assert ramp_begins(sent, 0.5) == pytest.approx(0.3)
    assert rest_begins(sent) == pytest.approx(0.5)


def test_slowing_down_for_a_moment_is_no_stop():
    # The dip at 0.2 s was followed by full speed: the stop is the one at 0.5 s.
    assert ramp_begins(commands(0.5, 0.3, 0.5, 0.5, 0.25, 0.0), 0.5) == pytest.approx(0.5)


def test_an_immediate_zero_is_both():
    sent = commands(0.5, 0.0, 0.0)
    assert ramp_begins(sent, 0.5) == rest_begins(sent) == pytest.approx(0.2)


def test_a_robot_that_drives_on_has_neither():
    sent = commands(0.5, 0.4, 0.3)
    assert ramp_begins(sent, 0.5) is None and rest_begins(sent) is None


def test_motion_after_the_mending_is_seen():
    sent = commands(0.5, 0.0, 0.0, 0.1)
    assert moved_again(sent, 0.25) == pytest.approx(0.4)
    assert moved_again(sent, 0.45) is None
    assert moved_again([Sent(1.0, 0.0, 0.2)], 0.5) == 1.0, 'turning is motion'


def test_waiting_ends_with_the_event_or_with_the_time():
    trace = Trace()
    trace.add(0.5, 0.0)
    assert trace.wait(lambda: bool(trace.since(0.0)), 5.0)
    assert not trace.wait(lambda: len(trace.since(0.0)) > 1, 0.05)


def test_cases_are_named_once_and_found_by_a_part_of_the_name():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    found = [case.name for case in selected(['E-Stop'])]
    assert found == ['e-stop pressed', 'e-stop publisher dies']
    assert len(list(selected([]))) == len(CASES)


def test_findings_become_a_table(tmp_path):
    held = Finding(CASES[0], ['camera_stale'], 0.283, 0.53, '', 0.001)
    late = Finding(CASES[1], ['none'], 0.4, 0.6, '400 ms, bound 300', 0.09, 4)
    write_csv(tmp_path / 'times.csv', [held, late])
    lines = (tmp_path / 'times.csv').read_text().splitlines()
    assert lines[1].startswith('camera killed,camera_stale,283,300,530,a new goal,held,1,1,')
    assert row(late)['verdict'] == '400 ms, bound 300'
    assert summary([held, late]) == '1 of 2 faults held; stop ramp after 342 ms (median)'


def test_two_benches_do_not_share_a_domain():
    with own_domain() as first, own_domain() as second:
        assert first != second
