"""Which changes of the gate's status are interventions, by hand."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from s2e_core.interventions import InterventionKind, InterventionWatch
from s2e_core.stops import Reason, Source

NONE = Reason.NONE.value
TAKE_OVER, HAND_BACK = InterventionKind.TAKE_OVER.value, InterventionKind.HAND_BACK.value


def kinds(*statuses: tuple[str, str]) -> list[str]:
    watch, found = InterventionWatch(), []
    for number, (reason, source) in enumerate(statuses):
        found += watch.update(number, {'reason': reason, 'source': source})
    return [f'{item.stamp_ns} {item.kind.value}' for item in found]


def test_a_person_takes_over_lets_go_and_autonomy_goes_on() -> None:
    """The stop in between names autonomy as source, but it does not drive."""
    assert kinds(
        ('no_goal', 'autonomy'), (NONE, 'autonomy'), (NONE, 'teleop'),
        ('operator_lost', 'autonomy'), (NONE, 'autonomy'),
    ) == ['2 take_over', '4 hand_back']


def test_letting_go_and_driving_on_is_none() -> None:
    assert kinds((NONE, 'teleop'), ('operator_lost', 'none'), (NONE, 'teleop')) == []


def test_an_emergency_stop_counts_where_it_begins() -> None:
    assert kinds(
        (NONE, 'teleop'), ('e_stop', 'teleop'), ('e_stop', 'none'), ('no_command', 'none'),
        ('e_stop', 'none'),
    ) == ['1 e_stop', '4 e_stop']


def test_vetoes_of_one_obstacle_are_one() -> None:
    """Stopped at 1 s, free at 2 s, again at 2.5 s (the same), free at 3 s, again at 4.5 s."""
    watch, found = InterventionWatch(), []
    for seconds, reason in ((0, NONE), (1, 'obstacle'), (2, NONE), (2.5, 'obstacle'), (3, NONE),
                            (4.5, 'obstacle')):
        status = {'reason': reason, 'source': 'teleop', 'detail': 'in 0.10 m'}
        found += watch.update(round(seconds * 1e9), status)
    assert [(item.stamp_ns / 1e9, item.kind.value) for item in found] == [
        (1.0, 'veto'), (4.5, 'veto')
    ]
    assert found[0].reason == 'obstacle: in 0.10 m'


def test_slowings_of_one_obstacle_are_one_and_its_stop_is_a_veto() -> None:
    """Slowed at 1 s, stopped at 2 s, slowed at 3 s (the same), free at 4 s, slowed at 6 s."""
    watch, found = InterventionWatch(), []
    for seconds, reason, slowed in (
        (0, NONE, False), (1, NONE, True), (2, 'obstacle', False), (3, NONE, True),
        (4, NONE, False), (6, NONE, True),
    ):
        status = {'reason': reason, 'source': 'teleop', 'slowed': str(slowed)}
        found += watch.update(seconds * 10**9, status)
    assert [(item.stamp_ns // 10**9, item.kind.value) for item in found] == [
        (1, 'slowed'), (2, 'veto'), (6, 'slowed')
    ]


def test_who_is_vetoed_drives() -> None:
    assert kinds((NONE, 'autonomy'), ('obstacle', 'teleop')) == ['1 veto', '1 take_over']


def test_a_heartbeat_that_is_lost_is_no_person_s_act() -> None:
    assert kinds((NONE, 'teleop'), ('e_stop_lost', 'teleop')) == []


def test_the_reason_says_what_the_gate_said() -> None:
    found = InterventionWatch().update(7, {'reason': 'e_stop', 'detail': 'pressed'})
    assert (found[0].stamp_ns, found[0].reason) == (7, 'e_stop: pressed')


words = st.sampled_from([*(r.value for r in Reason), '', 'nonsense'])
sources = st.sampled_from([*(s.value for s in Source), 'none', ''])


@given(st.lists(st.tuples(words, sources), max_size=30))
def test_hand_overs_alternate_whatever_comes(statuses: list[tuple[str, str]]) -> None:
    found = [line.split()[1] for line in kinds(*statuses)]
    overs = [kind for kind in found if kind in (TAKE_OVER, HAND_BACK)]
    assert all(a != b for a, b in itertools.pairwise(overs))
