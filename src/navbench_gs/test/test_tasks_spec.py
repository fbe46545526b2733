"""Episodes survive JSON, and what is no episode is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navbench_gs.errors import TaskError
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec
from s2e_core.se2 import Pose2

SPEC = EpisodeSpec(
    scene='city:100', scene_hash='ab', robot='coco', task='obstacle_pedestrian', index=3, seed=7,
    start=Pose2(1.0, 2.0, 0.5), goal=(11.0, 2.5), geodesic=10.5, straight=10.0,
    corner_blocked=True, time_limit=37.5,
    obstacles=(ObstacleSpec('box', 1, 5.0, 2.0, 0.1, True),),
    people=(PersonSpec(2, (3.0, 4.0), (5.0, 6.0), 1.2, True), PersonSpec(
        3, (8.0, 8.0), (8.0, 8.0), 0.9, False, 'stand')),
)
NUMBERS = st.floats(-1e6, 1e6)


def test_round_trip_keeps_every_field():
    assert EpisodeSpec.from_json(SPEC.to_json()) == SPEC


def test_people_have_no_key_for_what_they_have_none_of():
    """Episodes from before there were groups stay the same to the byte."""
    first = SPEC.to_mapping()['people'][0]
    assert set(first) == {'seed', 'start', 'goal', 'speed', 'blind', 'behaviour'}
    one = dataclasses.replace(SPEC.people[0], group=2, wakes=4.5)
    spec = dataclasses.replace(SPEC, people=(one,))
    assert EpisodeSpec.from_json(spec.to_json()) == spec
    with pytest.raises(TaskError, match='group and wakes must be 0 or more, got 0 and nan'):
        dataclasses.replace(one, group=0, wakes=float('nan'))


@given(x=NUMBERS, y=NUMBERS, yaw=NUMBERS, geodesic=NUMBERS)
def test_floats_survive_to_the_bit(x, y, yaw, geodesic):
    spec = dataclasses.replace(SPEC, start=Pose2(x, y, yaw), geodesic=geodesic)
    assert EpisodeSpec.from_json(spec.to_json()) == spec


def test_id_is_safe_in_file_names():
    assert SPEC.id == 'city-100_obstacle_pedestrian_003'
    assert dataclasses.replace(SPEC, scene='../my scene/').id.startswith('my-scene_')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'tusk': 1}, "no key 'tusk'"),
        ({'task': 'fly'}, "got 'fly'"),
        ({'goal': [1.0]}, 'not an episode'),
        ({'start': 3}, 'not an episode'),
        ({'obstacles': [{'kind': 'box', 'colour': 'red'}]}, "no key 'colour'"),
    ],
)
def test_wrong_values_are_refused(change, message):
    with pytest.raises(TaskError, match=message):
        EpisodeSpec.from_mapping({**SPEC.to_mapping(), **change})


def test_missing_key_is_refused():
    mapping = SPEC.to_mapping()
    del mapping['goal']
    with pytest.raises(TaskError, match='goal'):
        EpisodeSpec.from_mapping(mapping)


@pytest.mark.parametrize('text', ['', '[1]', '{', json.dumps(None)])
def test_text_that_is_no_episode_is_refused(text):
    with pytest.raises(TaskError):
        EpisodeSpec.from_json(text)
