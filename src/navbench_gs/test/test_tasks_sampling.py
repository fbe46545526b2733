"""Drawn episodes keep every rule of the protocol."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from navbench_gs.errors import TaskError
from navbench_gs.tasks.geodesic import geodesic_field, line_of_sight
from navbench_gs.tasks.hazards import obstacle_patch, person_patch
from navbench_gs.tasks.obstacles import corridor_cells, distance_to_path
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import point_along, route_heading, sample_episode
from navbench_gs.tasks.spec import TASKS
from s2e_core.robot import load_robot

PROTOCOL = load_protocol()
ROBOT = load_robot('coco')
EPISODES = 6


@pytest.fixture(scope='module')
def drawn(block_scene):
    return {
        task: [
            sample_episode(block_scene, task, index, 0, PROTOCOL, ROBOT)
            for index in range(EPISODES)
        ]
        for task in TASKS
    }


def every(drawn):
    return [spec for specs in drawn.values() for spec in specs]


def test_equal_seeds_give_equal_bytes_and_others_differ(block_scene, drawn):
    again = sample_episode(block_scene, 'obstacle_pedestrian', 2, 0, PROTOCOL, ROBOT)
    other = sample_episode(block_scene, 'obstacle_pedestrian', 2, 1, PROTOCOL, ROBOT)
    assert again.to_json() == drawn['obstacle_pedestrian'][2].to_json()
    assert other.start != again.start


def test_routes_keep_length_and_detour(drawn):
    for spec in every(drawn):
        assert 10.0 <= spec.geodesic <= 30.0
        assert spec.geodesic <= 1.5 * spec.straight
        assert spec.straight == pytest.approx(math.dist((spec.start.x, spec.start.y), spec.goal))
        assert spec.time_limit == pytest.approx(20.0 + 2.5 * spec.geodesic / 1.5)


def test_inflated_footprint_has_a_route_around_everything(block_scene, drawn):
    for spec in every(drawn):
        patches = tuple(obstacle_patch(item) for item in spec.obstacles)
        patches += tuple(person_patch(*p.start) for p in spec.people if p.behaviour == 'stand')
        field = geodesic_field(
            block_scene.collision, spec.goal, ROBOT.radius + 0.1, patches=patches
        )
        assert field.at((spec.start.x, spec.start.y)) <= 1.5 * spec.straight


def test_heading_lies_within_thirty_degrees_of_the_route(block_scene, drawn):
    for spec in drawn['empty']:
        field = geodesic_field(block_scene.collision, spec.goal, ROBOT.radius + 0.1)
        way = field.path((spec.start.x, spec.start.y), step=0.1, length=2.0)
        heading = math.atan2(*(way[-1] - way[0])[::-1])
        off = abs(math.remainder(heading - spec.start.yaw, 2 * math.pi))
        # 30 deg and what the smoothed route differs from the field's own way.
        assert off <= math.radians(30.0 + 10.0)


def test_share_of_blocked_straight_lines(block_scene, drawn):
    # corner_share 0.6: floor((i + 1) 0.6) > floor(i 0.6) for i = 1, 3, 4 of 0..5.
    assert [spec.corner_blocked for spec in drawn['empty']] == [
        False, True, False, True, True, False
    ]
    for spec in drawn['empty']:
        start = (spec.start.x, spec.start.y)
        seen = line_of_sight(
            block_scene.collision.free(ROBOT.radius), 0.1, np.zeros(2), start, spec.goal
        )
        assert seen != spec.corner_blocked


def test_obstacle_density_and_shares(block_scene, drawn):
    for spec in drawn['obstacle']:
        field = geodesic_field(block_scene.collision, spec.goal, ROBOT.radius + 0.1)
        way = field.path((spec.start.x, spec.start.y), step=0.2)
        area = len(corridor_cells(block_scene.collision, way, 2.0)) * 0.01
        wanted = 8.0 * area / 100.0
        assert 0.7 * wanted - 1 <= len(spec.obstacles) <= wanted + 1
        pushable = sum(item.pushable for item in spec.obstacles)
        assert abs(pushable - 0.5 * len(spec.obstacles)) <= 0.15 * wanted + 1


def test_obstacles_keep_off_both_ends_and_one_is_in_the_way(drawn):
    for spec in drawn['obstacle']:
        start, goal = np.array([spec.start.x, spec.start.y]), np.array(spec.goal)
        line = np.stack([start, goal])
        centres = np.array([(item.x, item.y) for item in spec.obstacles])
        assert distance_to_path(centres, line).min() < 0.1
        for item in spec.obstacles:
            for end in (start, goal):
                assert float(obstacle_patch(item).distance(end)) >= ROBOT.radius + 1.0 - 0.05


def test_people_walk_on_free_ground(block_scene, drawn):
    collision = block_scene.collision
    free = collision.free(0.3) & collision.walkable
    for spec in drawn['pedestrian']:
        assert len(spec.people) == 10
        assert sum(person.blind for person in spec.people) == 4
        assert sum(person.behaviour == 'stand' for person in spec.people) == 1
        for person in spec.people:
            assert line_of_sight(free, 0.1, np.zeros(2), person.start, person.goal)
            assert math.dist(person.start, (spec.start.x, spec.start.y)) >= 2.5


def test_tasks_share_their_routes(drawn):
    for index in range(EPISODES):
        starts = {(spec.start.x, spec.start.y, spec.goal) for spec in (
            drawn['empty'][index], drawn['pedestrian'][index])}
        assert len(starts) == 1


def test_a_scene_without_room_is_refused_with_its_reason(block_scene):
    few = dataclasses.replace(block_scene, spawn=block_scene.spawn[:1])
    with pytest.raises(TaskError, match='two spawn points'):
        sample_episode(few, 'empty', 0, 0, PROTOCOL, ROBOT)


def test_a_scene_whose_routes_do_not_fit_says_what_they_lack(block_scene):
    """The square of 60 m has no route of 200 m; around a block it is no straight line."""
    longer = dataclasses.replace(PROTOCOL.route, geodesic_low=200.0, geodesic_high=300.0, draws=1)
    with pytest.raises(TaskError, match=r'coco needs 0.62 m around it, which 40 of 40 spawn '
                       r'points have; the longest route between them is [5-9]\d\.\d m, 200 to '
                       r'300 m are wanted$'):
        sample_episode(dataclasses.replace(block_scene, spawn=block_scene.spawn[:40]), 'empty', 0,
                       0, dataclasses.replace(PROTOCOL, route=longer), ROBOT)
    # From one side of the middle block (24..34 m) to the other: 10 m straight, twice that around.
    sides = np.array([[23.0, 29.0], [35.0, 29.0]])
    straight = dataclasses.replace(PROTOCOL.route, detour=1.05, draws=2)
    with pytest.raises(TaskError, match=r'30 m are wanted and no more than 1.05 times'):
        sample_episode(dataclasses.replace(block_scene, spawn=sides), 'empty', 0, 0,
                       dataclasses.replace(PROTOCOL, route=straight), ROBOT)
    # Free lines only, where every second episode must have a corner in its line.
    street = np.array([[3.0, 3.0], [18.0, 3.0], [28.0, 3.0]])
    rules = dataclasses.replace(PROTOCOL, route=dataclasses.replace(PROTOCOL.route, draws=2))
    with pytest.raises(TaskError, match='wanted, some with and some without a corner'):
        sample_episode(dataclasses.replace(block_scene, spawn=street), 'empty', 1, 0, rules, ROBOT)


def test_routes_that_hazards_close_are_counted(block_scene):
    """One obstacle on a street of 11 m costs over 1 %: more than this detour allows."""
    ends = dataclasses.replace(block_scene, spawn=np.array([[3.0, 3.0], [14.0, 3.0]]))
    rules = dataclasses.replace(
        PROTOCOL, obstacle=dataclasses.replace(PROTOCOL.obstacle, per_area=0.0),
        route=dataclasses.replace(PROTOCOL.route, detour=1.005, draws=2))
    with pytest.raises(TaskError, match='obstacles and people left no way on any of 2 routes'):
        sample_episode(ends, 'obstacle', 0, 0, rules, ROBOT)


def test_point_along_and_heading():
    path = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    assert tuple(point_along(path, 5.0)) == (3.0, 2.0)
    # 4 m on lies at (3, 1): atan2(1, 3).
    assert route_heading(path, ahead=4.0) == pytest.approx(math.atan2(1.0, 3.0))
