"""Intervals against published values and known cases."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navbench_gs.metrics.interval import hierarchical_bootstrap, interval, wilson
from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.metrics.summary import Scored, by_route, by_task
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.se2 import Pose2


def test_wilson_by_hand():
    # 8 of 10, z = 2: centre (0.8 + 4/20) / 1.4 = 0.714286;
    # half = 2/1.4 x sqrt(0.8 x 0.2 / 10 + 4/400) = 1.428571 x 0.161245 = 0.230350.
    low, high = wilson(8, 10, z=2.0)
    assert (low, high) == pytest.approx((0.483936, 0.944636), abs=1e-5)


def test_wilson_ends():
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_holds_the_share(successes, count):
    successes = min(successes, count)
    low, high = wilson(successes, count)
    assert 0.0 <= low <= successes / count + 1e-12
    assert successes / count - 1e-12 <= high <= 1.0


def test_bootstrap_of_constant_scenes_spreads_over_scenes_only():
    # Two scenes, one all 0 and one all 1: the resampled mean is 0, 1/2 or 1, each end with
    # probability 1/4, so the 95 % interval is the whole range.
    assert hierarchical_bootstrap([np.zeros(10), np.ones(10)]) == (0.0, 1.0)


def test_bootstrap_of_one_scene_matches_the_normal_interval():
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = hierarchical_bootstrap([values], draws=4000)
    half = 1.96 * values.std() / 20.0
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)


def test_bootstrap_weighs_episodes_not_scenes():
    # 1 episode of 0 and 3 of 1: the mean is 0.75 and lies inside; empty scenes are left out.
    low, high = hierarchical_bootstrap([np.zeros(1), np.ones(3), np.zeros(0)])
    assert low <= 0.75 <= high


def test_bootstrap_repeats_with_its_seed():
    groups = [np.random.default_rng(k).random(7) for k in range(4)]
    assert hierarchical_bootstrap(groups, seed=3) == hierarchical_bootstrap(groups, seed=3)
    assert hierarchical_bootstrap(groups, seed=3) != hierarchical_bootstrap(groups, seed=4)


def test_bootstrap_without_values_is_not_a_number():
    assert np.isnan(hierarchical_bootstrap([])).all()


def test_interval_is_wilson_for_a_proportion_in_one_scene():
    assert interval([np.array([1.0] * 8 + [0.0] * 2)], proportion=True) == wilson(8, 10)


def scored(scene, task, index, success, blocked=False):
    spec = EpisodeSpec(scene, 'h', 'coco', task, index, 0, Pose2(), (9.0, 0.0), 9.0, 9.0, blocked,
                       35.0)
    scores = EpisodeScores(
        success, success, 0.5, 2, 0.1, 0.0, 0.9, 12.0, 10.0, 0.3, np.inf, np.inf, 0.0, 1.0, 0.0,
        Cause.NONE if success else Cause.LOST,
    )
    return Scored(spec, scores)


def test_summaries_by_task_in_the_protocols_order_then_all():
    episodes = [scored(scene, task, i, i == 0) for scene in ('city:1', 'city:2')
                for task in ('pedestrian', 'empty') for i in range(2)]
    parts = by_task(episodes)
    assert [part.name for part in parts] == ['empty', 'pedestrian', 'all']
    assert parts[0].metrics['success'].mean == pytest.approx(0.5)
    assert parts[2].episodes == 8
    assert parts[2].scenes == 2
    assert parts[2].causes == {'lost': 4}
    # No people: the gap is infinite and has no mean.
    assert parts[0].metrics['person_gap'].count == 0


def test_one_task_needs_no_line_for_all():
    assert [part.name for part in by_task([scored('a', 'empty', 0, True)])] == ['empty']


def test_summaries_by_route_tell_corners_from_free_lines():
    episodes = [scored('a', 'obstacle', i, i < 3, blocked=i % 2 == 1) for i in range(4)]
    episodes.append(scored('b', 'empty', 0, True, blocked=True))
    parts = by_route(episodes)
    assert [(part.name, part.episodes) for part in parts] == [
        ('empty, corner blocks', 1), ('obstacle, line free', 2), ('obstacle, corner blocks', 2)
    ]
    # Free lines are episodes 0 and 2, both won; corners 1 (won) and 3 (lost).
    assert [part.metrics['success'].mean for part in parts] == [1.0, 1.0, 0.5]


def test_scores_are_plain_values():
    assert dataclasses.asdict(scored('a', 'empty', 0, True).scores)['collisions'] == 2
