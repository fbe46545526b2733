"""The order of a study: balance counted out, and plans that cannot be driven."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError
from s2e_teleop.study.order import balanced_square, order_of
from s2e_teleop.study.plan import Condition, Route, StudyPlan
from s2e_teleop.study.workload import SCALES, Workload

PLAN = StudyPlan(
    scenes=('city:100', 'city:101'), tasks=('obstacle', 'pedestrian'), episodes=2,
    links=('none', '4g'), seed=3,
)


@pytest.mark.parametrize('count', range(1, 9))
def test_each_condition_is_in_each_place_and_after_each_other_equally_often(count: int) -> None:
    rows = balanced_square(count)
    assert len(rows) == (2 * count if count % 2 and count > 1 else count)
    assert all(sorted(row) == list(range(count)) for row in rows)
    places = Counter((place, value) for row in rows for place, value in enumerate(row))
    assert set(places.values()) == {len(rows) // count} and len(places) == count**2
    follows = Counter(pair for row in rows for pair in itertools.pairwise(row))
    assert len(follows) == count * (count - 1) and len(set(follows.values())) <= 1


@given(st.integers(1, 8), st.integers(0, 1000))
def test_participants_take_the_rows_in_turn(count: int, seed: int) -> None:
    length = len(balanced_square(count))
    orders = [tuple(order_of(number, count, seed)) for number in range(1, length + 1)]
    assert len(set(orders)) == length, 'no row twice before each was used'
    first = Counter(order[0] for order in orders)
    assert set(first.values()) == {length // count}
    assert tuple(order_of(length + 1, count, seed)) == orders[0]


def test_a_participant_drives_every_route_under_every_condition() -> None:
    """Autonomy, and two kinds of driving over two links: 5 blocks of 2 x 2 x 2 routes."""
    blocks = PLAN.blocks(1)
    assert [block.number for block in blocks] == [1, 2, 3, 4, 5]
    assert {block.condition for block in blocks} == {
        Condition('autonomy', 'none'), Condition('person', 'none'), Condition('person', '4g'),
        Condition('assisted', 'none'), Condition('assisted', '4g'),
    }
    for block in blocks:
        assert sorted(block.routes, key=str) == sorted(PLAN.routes, key=str)
        scenes = [route.scene for route in block.routes]
        assert scenes in (sorted(scenes), sorted(scenes, reverse=True)), 'a scene is loaded once'
        watched = block.condition.driver == 'autonomy'
        # Index 2 is the first that nobody is judged on.
        assert block.practice == (() if watched else (Route(scenes[0], 'obstacle', 2),))
    assert blocks == PLAN.blocks(1), 'the same again after a break'
    assert len({tuple(block.routes) for number in range(1, 9)
                for block in PLAN.blocks(number)}) > 8, 'routes are not always in one order'


def test_what_is_left_of_a_broken_block_is_practised_anew() -> None:
    block = next(b for b in PLAN.blocks(2) if b.condition.driver == 'person')
    rest = block.without(set(block.routes[:3]))
    assert rest.routes == block.routes[3:] and rest.practice == block.practice
    over = block.without(block.routes)
    assert over.routes == () and over.practice == ()


@pytest.mark.parametrize(('changed', 'word'), [
    ({'drivers': ('pilot',)}, 'pilot'),
    ({'links': ()}, 'links must be named'),
    ({'tasks': ('obstacle', 'obstacle')}, 'each once'),
    ({'episodes': 0}, 'episodes must be in'),
    ({'episodes': 100}, 'at most 500 runs'),
    ({'practice': 99}, 'practice must be in'),
])
def test_plans_that_nobody_can_drive_are_refused(changed: dict, word: str) -> None:
    values = {'scenes': ('city:1',), 'tasks': ('obstacle', 'empty'), **changed}
    with pytest.raises(ConfigError, match=word):
        StudyPlan(**values)
    with pytest.raises(ConfigError, match='count from 1'):
        PLAN.blocks(0)


def test_names_of_conditions_say_who_is_a_person() -> None:
    assert Condition('person', '4g').label == 'person (4g)'
    assert Condition('assisted', 'none').label == 'person, assisted (none)'
    assert Condition('autonomy', 'none').label == 'autonomy, watched'
    assert Condition('assisted', '4g').folder == 'assisted-4g'


def test_the_raw_load_is_the_mean_of_six() -> None:
    """(10 + 20 + 30 + 40 + 50 + 65) / 6."""
    load = Workload(10, 20, 30, 40, 50, 65)
    assert load.raw == pytest.approx(215 / 6)
    assert SCALES == ('mental', 'physical', 'temporal', 'performance', 'effort', 'frustration')


@pytest.mark.parametrize('value', [-5, 105, 3, 2.5, '5', True, None, float('nan')])
def test_answers_off_the_scale_are_refused(value: object) -> None:
    good = dict.fromkeys(SCALES, 50)
    with pytest.raises(ConfigError, match='effort'):
        from_mapping(Workload, {**good, 'effort': value}, source='form')


def test_a_question_left_out_is_named() -> None:
    with pytest.raises(ConfigError, match='frustration'):
        from_mapping(Workload, dict.fromkeys(SCALES[:5], 50), source='form')
