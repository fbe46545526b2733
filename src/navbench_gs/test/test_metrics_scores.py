"""Every metric against arithmetic done by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navbench_gs.metrics.outcome import Cause, at_goal, cause_of
from navbench_gs.metrics.record import COLUMNS, Contact, EpisodeLog
from navbench_gs.metrics.scores import (
    collision_count,
    contact_time,
    evaluate,
    freezing,
    intrusion_time,
    jerk,
    path_length,
    route_completion,
    spl,
)
from navbench_gs.tasks.protocol import JudgeRules
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.se2 import Pose2

RULES = JudgeRules()
SPEC = EpisodeSpec('city:1', 'h', 'coco', 'empty', 0, 0, Pose2(), (10.0, 0.0), 10.0, 10.0, False,
                   36.7)


def log(outcome='success', contacts=(), **columns):
    """A log whose columns are constant unless given."""
    rows = max([len(v) for v in columns.values()], default=2)
    ticks = {name: np.zeros(rows) for name in COLUMNS}
    ticks['person_gap'] = np.full(rows, math.inf)
    ticks['ttc'] = np.full(rows, math.inf)
    ticks.update({name: np.asarray(value, float) for name, value in columns.items()})
    touched = tuple(Contact(tick, body, 'static') for tick, body in contacts)
    return EpisodeLog(SPEC, 'p', 'policy', outcome, '', ticks, touched)


def touch(*ranges, body='wall_1'):
    return [(tick, body) for first, last in ranges for tick in range(first, last + 1)]


@pytest.mark.parametrize(
    ('contacts', 'expected'),
    [
        ([], 0),
        # One tick of contact.
        (touch((5, 5)), 1),
        # 20 ticks: first to last 19 x 0.05 = 0.95 s, no full second.
        (touch((0, 19)), 1),
        # 21 ticks: 1.0 s sustained -> 1 + 1.
        (touch((0, 20)), 2),
        # 3.2 s sustained -> 1 + 3.
        (touch((10, 74)), 4),
        # Onset again 0.95 s after the last touch: the same contact.
        (touch((0, 0), (19, 19)), 1),
        # Onset again exactly 1 s after the last touch: a new contact.
        (touch((0, 0), (20, 20)), 2),
        # Chatter every 0.5 s for 2 s is sustained: 1 + 2.
        (touch(*[(k, k) for k in range(0, 41, 10)]), 3),
        # Two bodies at the same time count apart.
        (touch((0, 3)) + touch((0, 3), body='person_2'), 2),
        # Two boxes of walls and occupied ground are one static world.
        (touch((0, 3)) + touch((2, 5), body='wall_2') + touch((4, 9), body='occupied'), 1),
        (touch((0, 3)) + touch((0, 3), body='obstacle_1_bin'), 2),
    ],
)
def test_collision_count(contacts, expected):
    assert collision_count(log(contacts=contacts), 1.0) == expected


def test_order_of_contacts_does_not_matter():
    contacts = touch((0, 3), (30, 31)) + touch((2, 50), body='b')
    assert collision_count(log(contacts=contacts[::-1]), 1.0) == collision_count(
        log(contacts=contacts), 1.0)


def test_contact_time_counts_each_tick_once():
    # Ticks 0-3 and 2-5: six ticks of 0.05 s.
    contacts = touch((0, 3)) + touch((2, 5), body='b')
    assert contact_time(log(contacts=contacts)) == pytest.approx(0.30)


@pytest.mark.parametrize(
    ('outcome', 'geodesic', 'expected'),
    [
        ('timed_out', [10.0, 4.0], 0.6),  # (10 - 4) / 10
        ('timed_out', [10.0, 12.0], 0.0),  # went away
        ('timed_out', [10.0, 0.0], 1.0),
        ('success', [10.0, 0.4], 1.0),
        ('timed_out', [10.0, math.inf], 0.0),
    ],
)
def test_route_completion(outcome, geodesic, expected):
    assert route_completion(log(outcome, geodesic=geodesic)) == pytest.approx(expected)


def test_path_length_and_spl():
    # 3-4-5: 5 m, then 7.5 m on: 12.5 m driven, 10 m shortest -> 0.8.
    driven = {'x': [0.0, 3.0, 10.5], 'y': [0.0, 4.0, 4.0]}
    assert path_length(log(**driven)) == pytest.approx(12.5)
    assert spl(log(**driven)) == pytest.approx(0.8)
    assert spl(log('timed_out', **driven)) == 0.0
    # Shorter than the geodesic, as goals have a radius: at most 1.
    assert spl(log(x=[0.0, 9.6])) == 1.0


def test_jerk_of_a_speed_that_steps_up():
    # v at 0.2 s: 0 0 1 1 -> second differences 1, -1 over 0.04 s^2 -> RMS 25 m/s^3.
    v = np.repeat([0.0, 0.0, 1.0, 1.0], 4)
    assert jerk(log(v=v)) == pytest.approx(25.0)
    # A constant acceleration has none.
    assert jerk(log(v=np.linspace(0.0, 1.5, 40))) == pytest.approx(0.0, abs=1e-9)
    assert jerk(log(v=[1.0])) == 0.0


def test_freezing_counts_long_stretches_only():
    # 200 rows: 100 still (5 s), 20 moving, 40 still (2 s), 40 moving -> 100 / 200.
    v = np.concatenate([np.zeros(100), np.ones(20), np.zeros(40), np.ones(40)])
    assert freezing(log(v=v), 5.0, 0.2) == pytest.approx(0.5)
    # Pushed along by 0.5 m while its wheels stand: not freezing.
    assert freezing(log(v=v, x=np.linspace(0.0, 1.0, 200)), 5.0, 0.2) == 0.0


def test_intrusion_counts_ticks_below_the_gap():
    assert intrusion_time(log(person_gap=[0.6, 0.49, 0.1, 0.5]), 0.5) == pytest.approx(0.10)


def still_for(seconds, before=10.0):
    rows = round(seconds / 0.05)
    moving = np.linspace(0.0, before, 100)
    return np.concatenate([moving, np.full(rows, before)])


@pytest.mark.parametrize(
    ('x', 'contacts', 'geodesic', 'expected'),
    [
        # Stood 6 s after touching something 1 s before the end.
        (still_for(6.0), [(200, 'wall_3')], None, Cause.BLOCKED),
        # The same without contact.
        (still_for(6.0), [], None, Cause.FROZEN),
        # A contact long before does not explain it.
        (still_for(6.0), [(50, 'wall_3')], None, Cause.FROZEN),
        # Moving, and 6 m farther than the nearest approach.
        (np.linspace(0, 40, 220), [], [20.0] * 110 + [14.0] * 50 + [20.0] * 60, Cause.LOST),
        (np.linspace(0, 40, 220), [], [20.0] * 110 + [16.0] * 50 + [20.0] * 60, Cause.TIMED_OUT),
    ],
)
def test_cause_of_a_time_out(x, contacts, geodesic, expected):
    geodesic = np.linspace(20.0, 5.0, len(x)) if geodesic is None else geodesic
    assert cause_of(log('timed_out', contacts, x=x, geodesic=geodesic), RULES) is expected


@pytest.mark.parametrize(
    ('told', 'contacts', 'expected'),
    [
        # 0.2 m/s in 51 or 49 of the last 100 ticks: 0.102 and 0.098 on the mean; 0.1 is trying.
        ([0.0] * 169 + [0.2] * 51, [], Cause.STUCK),
        ([0.0] * 171 + [0.2] * 49, [], Cause.FROZEN),
        ([0.0] * 169 + [-0.2] * 51, [], Cause.STUCK),
        # Having touched something explains it better.
        ([0.0] * 169 + [0.2] * 51, [(200, 'wall_3')], Cause.BLOCKED),
    ],
)
def test_standing_though_told_to_drive_is_being_stuck(told, contacts, expected):
    episode = log('timed_out', contacts, x=still_for(6.0), command_v=told,
                  geodesic=np.linspace(20.0, 5.0, 220))
    assert cause_of(episode, RULES) is expected


@pytest.mark.parametrize(
    ('outcome', 'expected'),
    [('success', Cause.NONE), ('fell', Cause.FELL), ('policy_stalled', Cause.STALLED),
     ('policy_error', Cause.POLICY_ERROR)],
)
def test_cause_follows_the_outcome(outcome, expected):
    assert cause_of(log(outcome), RULES) is expected


@pytest.mark.parametrize(
    ('distance', 'speed', 'expected'),
    [(0.5, 0.099, True), (0.501, 0.0, False), (0.1, 0.1, False), (0.1, -0.2, False),
     (math.nan, 0.0, False)],
)
def test_arrival_needs_rest_within_the_radius(distance, speed, expected):
    assert at_goal(distance, speed, RULES) is expected


def test_success_with_a_touch_is_not_collision_free():
    scores = evaluate(log(contacts=touch((1, 1))), RULES)
    assert scores.success
    assert not scores.collision_free_success
    assert scores.collisions == 1


def test_json_round_trip_is_stable_to_the_byte():
    first = dataclasses.replace(
        log(contacts=touch((1, 1)), x=[0.1234567, -0.0], ttc=[math.inf, 2.0]),
        people=np.array([[[1.234, 2.0], [3.0, 4.0]]]), route=np.array([[0.0, 0.0], [1.0, 2.0]]),
        modes=(0, -1, 3),
    )
    text = first.to_json()
    again = EpisodeLog.from_json(text)
    assert again.to_json() == text
    assert list(again.ticks['ttc']) == [math.inf, 2.0]
    assert '-0.0,' not in text


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_wild_numbers_never_break_the_log(values):
    text = log(x=values, y=values, geodesic=values).to_json()
    assert EpisodeLog.from_json(text).to_json() == text
