"""Groups stay together, and people who wait set out when the robot is near."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from pavement import DT, FAR_AWAY, make_crowd, person, walk

from navbench_gs.crowd.company import Company
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec, PersonSpec
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

CROWD, ROBOT = load_protocol('crowd'), load_robot('coco')


def test_one_who_waits_stands_until_the_robot_is_near() -> None:
    crowd = make_crowd([dataclasses.replace(person((0.0, 0.0), (0.0, 6.0)), wakes=4.0)])
    assert crowd.phases == [None]
    before = walk(crowd, 2.0, Pose2(4.1, 0.0, math.pi))
    assert np.abs(before[:, 0, :2]).max() < 0.02
    # 3.9 m: it sets out and walks on though the robot goes away again.
    crowd.step(DT, Pose2(3.9, 0.0, math.pi), (0.0, 0.0), np.zeros((0, 2)))
    after = walk(crowd, 3.0, FAR_AWAY)
    # 1.2 m/s less the ramp of 3 m/s^2: 3.05 x 1.2 - 0.24 = 3.42 m.
    assert after[-1, 0, 1] == pytest.approx(3.42, abs=0.15)
    assert crowd.phases != [None]


def test_a_group_sets_out_together() -> None:
    people = [dataclasses.replace(person((x, 0.0), (x, 6.0)), wakes=3.0, group=1)
              for x in (0.0, 0.75, -0.75)]
    people.append(dataclasses.replace(person((-5.0, 0.0), (-5.0, 6.0)), wakes=3.0))
    crowd = make_crowd(people)
    crowd.step(DT, Pose2(3.5, 0.0, math.pi), (0.0, 0.0), np.zeros((0, 2)))
    # Only the second one is within 3 m; the one who is alone stays.
    track = walk(crowd, 2.0)
    assert (track[-1, :3, 1] > 1.5).all()
    assert track[-1, 3, 1] == pytest.approx(0.0, abs=0.02)


def test_a_group_comes_together_again() -> None:
    """One begins 2 m behind the other: pace and pull close the gap; alone it would stay."""
    pair = [person((-7.0, 0.0), (8.0, 0.0), speed=1.0), person((-5.0, 0.75), (8.0, 0.75),
                                                               speed=1.0)]
    gaps = {}
    for group in (0, 1):
        crowd = make_crowd([dataclasses.replace(one, group=group) for one in pair])
        track = walk(crowd, 6.0)[-1, :, :2]
        gaps[group] = abs(float(track[1, 0] - track[0, 0]))
    assert gaps[0] == pytest.approx(2.0, abs=0.2)
    # The distance d shrinks by 0.5 d/2 + 0.5 d/2 = 0.5 d m/s at 1 m/s, bounds of the pace apart
    # (0.65 m/s at first): to about 2 e^-2.4 = 0.2 m in 6 s.
    assert gaps[1] < 0.5


def test_pace_by_hand() -> None:
    company = Company([dataclasses.replace(person((0.0, 0.0), (9.0, 0.0)), group=3)] * 2 + [
        person((0.0, 5.0), (9.0, 5.0))])
    places = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    preferred = np.array([[1.0, 0.0], [2.0, 0.0], [1.5, 0.0]])
    company.keep(places, preferred)
    # The middle is at 0.5: the first is 0.5 m ahead (1 - 0.25), the second as much behind.
    assert preferred[:, 0] == pytest.approx([0.75, 2.5, 1.5])
    assert preferred[:, 1] == pytest.approx([0.0, 0.0, 0.0])
    assert not company.waits.any()


@pytest.fixture(scope='module')
def drawn(block_scene):
    return [sample_episode(block_scene, 'pedestrian', index, 0, CROWD, ROBOT)
            for index in range(5)]


def test_drawn_groups_walk_side_by_side(drawn, block_scene):
    sizes = []
    for spec in drawn:
        assert len(spec.people) == 10
        numbers = [one.group for one in spec.people]
        for number in set(numbers) - {0}:
            members = [one for one in spec.people if one.group == number]
            sizes.append(len(members))
            leader = members[0]
            along = np.subtract(leader.goal, leader.start)
            along = along / np.hypot(*along)
            for one in members[1:]:
                offset = np.subtract(one.start, leader.start)
                # Across the way, 0.75 or 1.5 m; the same walk at the same pace.
                assert offset @ along == pytest.approx(0.0, abs=1e-6)
                assert round(float(np.hypot(*offset)) / 0.75, 6) in (1.0, 2.0)
                assert np.subtract(one.goal, leader.goal) == pytest.approx(offset)
                assert (one.speed, one.wakes, one.blind) == (
                    leader.speed, leader.wakes, leader.blind)
            starts = np.array([one.start for one in members])
            gaps = np.hypot(*(starts[:, None] - starts[None]).transpose(2, 0, 1))
            assert gaps[np.triu_indices(len(members), 1)].min() > 0.7
    # 40 % of nine walkers are four, in twos or threes and one alone; most find room.
    assert set(sizes) <= {2, 3}
    assert sum(sizes) >= 10


def test_drawn_people_wait_as_the_rules_say(drawn):
    waiting = [one for spec in drawn for one in spec.people if one.wakes]
    assert all(3.0 <= one.wakes <= 8.0 and one.behaviour == 'walk' for one in waiting)
    # 30 % of nine walkers are three an episode, and who goes with one of them waits as well.
    assert 10 <= len(waiting) <= 30


def test_the_plain_world_wakes_them_too(block_scene):
    one = PersonSpec(1, (9.0, 3.0), (9.0, 9.0), 1.0, False, wakes=4.0)
    spec = EpisodeSpec('s', 'h', 'coco', 'pedestrian', 0, 0, Pose2(3.0, 3.0, 0.0), (15.0, 3.0),
                       12.0, 12.0, False, 40.0, people=(one,))
    world = KinematicWorld(block_scene, ROBOT)
    world.reset(spec)
    for _ in range(60):
        world.tick(Command(0, 1.0, 0.0))
    # After 2 s of 1 m/s the robot is 4 m away; then a second of 1 m/s.
    assert world.people_positions()[0, :2] == pytest.approx([9.0, 4.0], abs=0.06)
