"""Parts of a scene's routes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from yard import make_yard

from navbench_gs.errors import SceneError
from navbench_gs.runner.plan import parse_scenes
from navbench_gs.scenes.part import held_out, split_part, take_part
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from s2e_core.robot import load_robot


@pytest.mark.parametrize(('spec', 'expected'), [
    ('city:7', ('city:7', None)),
    ('city:7@held-out', ('city:7', 'held-out')),
    ('captures/yard@training', ('captures/yard', 'training')),
    ('me@home/yard', ('me@home/yard', None)),
    ('yard@2.ply', ('yard@2.ply', None)),
])
def test_names(spec: str, expected: tuple[str, str | None]) -> None:
    assert split_part(spec) == expected


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SceneError, match='training'):
        split_part('city:7@test')


def test_a_range_keeps_its_part() -> None:
    assert parse_scenes(['city:1-2@training']) == ('city:1@training', 'city:2@training')


def test_squares_by_hand() -> None:
    """Square (0, -1) holds x in 0..4 and y in -4..0; its hash decides for all of it."""
    word = int.from_bytes(hashlib.sha256(b'0 -1').digest()[:8], 'big')
    inside = np.array([[0.1, -0.1], [3.9, -3.9], [2.0, -2.0]])
    assert held_out(inside).tolist() == [word < 0.3 * 2**64] * 3


def test_about_a_third_is_held_out() -> None:
    x, y = np.meshgrid(np.arange(-100, 100, 4.0) + 2.0, np.arange(-100, 100, 4.0) + 2.0)
    share = held_out(np.stack([x.ravel(), y.ravel()], 1)).mean()
    # 2,500 squares at 0.3: a standard error of 0.009.
    assert share == pytest.approx(0.3, abs=0.03)


def test_parts_are_all_of_a_scene_and_share_no_end_of_a_route() -> None:
    yard = make_yard()
    parts = [take_part(yard, part) for part in ('training', 'held-out')]
    ends = [{tuple(point) for point in part.spawn} for part in parts]
    assert not ends[0] & ends[1]
    assert ends[0] | ends[1] == {tuple(point) for point in yard.spawn}
    rules = load_protocol('default')
    rules = replace(rules, route=replace(rules.route, geodesic_low=4.0, geodesic_high=12.0))
    for part, points in zip(parts, ends, strict=True):
        spec = sample_episode(part, 'empty', 0, 0, rules, load_robot('coco'))
        assert spec.scene == f'{yard.name}@{part.part}'
        assert spec.id.startswith(f'{yard.name}-{part.part}_empty')
        assert (spec.start.x, spec.start.y) in points and spec.goal in points


def test_a_tiny_scene_cannot_be_divided() -> None:
    yard = make_yard()
    lone = replace(yard, spawn=yard.spawn[held_out(yard.spawn)][:1])
    with pytest.raises(SceneError, match='1 of 1 places are held-out'):
        take_part(lone, 'held-out')
