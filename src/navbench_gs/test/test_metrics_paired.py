"""Differences of the same episodes, by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.paired import Comparison, compare, pair
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.metrics.summary import Scored
from navbench_gs.report.exemplars import exemplars
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.se2 import Pose2

SCORES = EpisodeScores(True, True, 1.0, 0, 0.0, 0.0, 0.9, 12.0, 10.0, 0.3, math.inf, math.inf,
                       0.0, 1.0, 0.0, Cause.NONE)


def episode(scene, index, success, collisions=0, task='empty', **changes):
    spec = EpisodeSpec(scene, 'h', 'coco', task, index, 0, Pose2(), (9.0, 0.0), 9.0, 9.0, False,
                       35.0)
    scores = dataclasses.replace(
        SCORES, success=success, collision_free_success=success and not collisions,
        collisions=collisions, spl=0.9 if success else 0.0,
        route_completion=1.0 if success else 0.5, **changes)
    return Scored(spec, scores)


def test_only_the_same_episodes_are_paired():
    a = [episode('city:1', 0, True), episode('city:1', 1, False)]
    moved = episode('city:1', 1, True)
    moved = Scored(dataclasses.replace(moved.spec, goal=(8.0, 0.0)), moved.scores)
    b = [moved, episode('city:1', 0, False), episode('city:2', 0, True)]
    assert [(x.spec.id, y.spec.id) for x, y in pair(a, b)] == [
        ('city-1_empty_000', 'city-1_empty_000')]
    assert compare(a, [moved]) == []


def test_differences_by_hand():
    # Success: 0 -> 1, 1 -> 1, 1 -> 0, 0 -> 1; collisions 4 -> 1, 0 -> 0, 0 -> 2, 6 -> 0.
    a = [episode('city:1', 0, False, 4), episode('city:1', 1, True),
         episode('city:2', 0, True), episode('city:2', 1, False, 6)]
    b = [episode('city:1', 0, True, 1), episode('city:1', 1, True),
         episode('city:2', 0, False, 2), episode('city:2', 1, True)]
    (part,) = compare(a, b)
    assert (part.name, part.pairs, part.only_a, part.only_b) == ('empty', 4, 1, 2)
    assert part.differences['success'].mean == pytest.approx(0.25)  # (1 + 0 - 1 + 1) / 4
    assert part.differences['collisions'].mean == pytest.approx(-1.75)  # (-3 + 0 + 2 - 6) / 4
    assert part.differences['collision_free_success'].mean == pytest.approx(0.0)
    assert part.differences['route_completion'].mean == pytest.approx(0.125)
    low, high = part.differences['success'].low, part.differences['success'].high
    # Means of resampled pairs: in scene 1 from 0 to 1, in scene 2 from -1 to 1.
    assert -1.0 <= low < 0.25 < high <= 1.0
    (same,) = compare(a, a)
    assert (same.differences['spl'].mean, same.differences['spl'].high) == (0.0, 0.0)


@pytest.mark.parametrize(('only_a', 'only_b', 'chance'), [
    (0, 0, 1.0),
    (0, 4, 0.125),  # 2 x 1/16
    (1, 5, 0.21875),  # 2 x (1 + 6) / 64
    (3, 3, 1.0),  # 2 x 42 / 64 is more than certain
    (0, 20, 2.0**-19),
    (760, 840, 0.0482343),  # normal with correction: z = 39.5 / 20 = 1.975, p = 0.04827
    (3, 1500, 0.0),  # below the least float
])
def test_chance_by_hand(only_a, only_b, chance):
    assert Comparison('empty', 30, {}, only_a, only_b).chance == pytest.approx(chance)


def test_a_constant_difference_has_no_width_and_tasks_come_apart():
    a = [episode('city:1', i, False, 3, task) for i in range(3) for task in ('empty', 'obstacle')]
    b = [episode('city:1', i, True, 0, task) for i in range(3) for task in ('empty', 'obstacle')]
    parts = compare(a, b)
    assert [(part.name, part.pairs) for part in parts] == [
        ('empty', 3), ('obstacle', 3), ('all', 6)]
    ct = parts[2].differences['collisions']
    assert (ct.mean, ct.low, ct.high) == (-3.0, -3.0, -3.0)


def test_exemplars_are_the_worst_and_the_one_in_the_middle():
    scored = [
        episode('city:1', 0, True, 0), episode('city:1', 1, False, 9),
        episode('city:1', 2, False, 2), episode('city:1', 3, True, 1),
        episode('city:1', 0, True, 0, 'obstacle'),
    ]
    # Worst to best: 9 collisions, 2, success with one, clean; the lower middle of four is the
    # second. One episode stands for nothing.
    assert exemplars(scored) == {1: 'worst of empty', 2: 'median of empty'}
