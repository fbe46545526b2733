"""The planner that knows of nobody whom its camera has not seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.agents.onlooker import MEMORY, OnlookerPlanner, in_view
from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

SECOND = 10**9


@pytest.fixture
def yard():
    """An empty field of 20 x 20 m, with a wall from (10, 0) to (10.2, 8)."""
    occupancy = np.zeros((100, 100), bool)
    occupancy[:40, 50] = True
    grid = np.zeros((100, 100), np.float32)
    return CollisionMap(0.2, np.zeros(2), occupancy, grid, ~occupancy, np.zeros((0, 7)))


@pytest.mark.parametrize(
    ('place', 'seen'),
    [
        # The camera looks along x from (5, 5): 90 degrees, so up to as far aside as ahead.
        ((9.0, 5.0), True),
        ((8.0, 7.9), True),
        ((8.0, 8.1), False),
        ((8.0, 2.1), True),
        ((8.0, 1.9), False),
        ((3.0, 5.0), False),
        # Behind the wall.
        ((14.0, 5.0), False),
        # The line from (5, 5) to (13, 12.5) has y = 5 + 5 x 7.5 / 8 = 9.7 at the wall, which ends
        # at 8; that to (13, 9) has 7.5.
        ((13.0, 12.5), True),
        ((13.0, 9.0), False),
        # Off the map.
        ((5.0, 25.0), False),
        ((-2.0, 5.0), False),
    ],
)
def test_what_is_in_view(yard, place, seen):
    assert in_view(Pose2(5.0, 5.0, 0.0), np.array(place), yard) is seen


def test_the_view_turns_with_the_robot(yard):
    back = Pose2(5.0, 5.0, math.pi)
    assert in_view(back, np.array([3.0, 5.0]), yard)
    assert not in_view(back, np.array([9.0, 5.0]), yard)


class Yard:
    """A robot that stands at (5, 10), and one person who is put anywhere."""

    def __init__(self, collision) -> None:
        self.bundle = type('Bundle', (), {'collision': collision})()
        self.robot = load_robot('coco')
        self.time_ns = 0
        self.person = np.array([[9.0, 10.0, 0.0]])
        self.speed = np.array([[0.0, 0.5]])

    def true_pose(self):
        return Pose2(5.0, 10.0, 0.0)

    def true_velocity(self):
        return 0.0, 0.0

    def people_positions(self):
        return self.person

    def people_velocities(self):
        return self.speed

    def obstacle_poses(self):
        return np.zeros((0, 4, 4))


def known(planner, world):
    """Return whom it reckons with when it plans now."""
    return planner._people(world.time_ns)


@pytest.fixture
def bound(yard):
    def bind(planner):
        world = Yard(yard)
        spec = EpisodeSpec('yard', 'blocks', 'coco', 'pedestrian', 0, 0, world.true_pose(),
                           (15.0, 15.0), 11.0, 11.0, False, 60.0, (), ())
        planner.bind(world, spec)
        return world, planner

    return bind


def test_who_leaves_the_view_walks_on_and_is_forgotten(bound):
    world, planner = bound(OnlookerPlanner())
    assert known(planner, world).tolist() == [[9.0, 10.0, 0.0, 0.5]]
    # Now behind the robot: for two seconds it is thought to have walked on at 0.5 m/s.
    world.person = np.array([[2.0, 10.0, 0.0]])
    world.time_ns = SECOND
    assert known(planner, world).tolist() == [[9.0, 10.5, 0.0, 0.5]]
    world.time_ns = int(MEMORY * SECOND)
    assert known(planner, world).tolist() == [[9.0, 11.0, 0.0, 0.5]]
    world.time_ns += 1
    assert len(known(planner, world)) == 0


def test_who_was_never_seen_is_not_known(bound):
    world, planner = bound(OnlookerPlanner())
    world.person = np.array([[2.0, 10.0, 0.0]])
    assert len(known(planner, world)) == 0
    world, planner = bound(PrivilegedPlanner())
    world.person = np.array([[2.0, 10.0, 0.0]])
    assert len(known(planner, world)) == 1


def test_who_is_not_there_is_not_seen(bound):
    world, planner = bound(OnlookerPlanner())
    world.person = np.array([[np.nan, np.nan, np.nan]])
    assert len(known(planner, world)) == 0


def test_an_episode_begins_with_nobody_seen(bound):
    world, planner = bound(OnlookerPlanner())
    assert len(known(planner, world)) == 1
    world.person = np.array([[2.0, 10.0, 0.0]])
    planner.bind(world, planner._episode)
    assert len(known(planner, world)) == 0


def test_a_plan_is_made_around_the_seen_only(bound):
    """Someone two metres ahead is a reason to turn; someone a metre behind is none."""
    world, planner = bound(OnlookerPlanner())
    world.speed = np.zeros((1, 2))
    free = planner.trajectory(world.true_pose(), 0, 1.0)
    world.person = np.array([[7.0, 10.2, 0.0]])
    around = planner.trajectory(world.true_pose(), 0, 1.0)
    assert np.abs(around - free).max() > 0.1
    world, planner = bound(OnlookerPlanner())
    world.person, world.speed = np.array([[4.0, 10.0, 0.0]]), np.zeros((1, 2))
    assert (planner.trajectory(world.true_pose(), 0, 1.0) == free).all()
