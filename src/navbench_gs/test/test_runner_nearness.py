"""Compiled look-ups of the judge and the map: equal to plain NumPy to the bit."""

import math

import numpy as np
import plain_judge
import pytest

from navbench_gs.env.footprint import OccupancyProbe
from navbench_gs.runner import nearness
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

ROBOT = load_robot('coco')


@pytest.fixture(scope='module')
def hills():
    """Return a map of 12 x 9 m with bumps, blocks and holes."""
    rng = np.random.default_rng(0)
    occupancy = rng.random((90, 120)) < 0.002
    return CollisionMap(
        0.1, np.array([-3.0, 2.0]), occupancy, rng.normal(size=occupancy.shape).astype(np.float32),
        ~occupancy, np.zeros((0, 7), np.float32),
    )


def _poses(count, seed=1):
    rng = np.random.default_rng(seed)
    # Some lie outside the map.
    rows = rng.uniform([-6, -1, -4], [12, 14, 4], (count, 3))
    return [Pose2(*map(float, row)) for row in rows]


def _place(pose):
    return np.array([pose.x, pose.y, math.cos(pose.yaw), math.sin(pose.yaw)])


def test_floors(hills):
    points = np.random.default_rng(2).uniform([-5, 0], [11, 13], (2000, 2))
    expected = plain_judge.floor(hills, points)
    assert hills.floor(points).tobytes() == expected.tobytes()
    assert hills.floor(points.reshape(50, 40, 2)).tobytes() == expected.tobytes()
    assert hills.floor(points[::3]).tobytes() == expected[::3].tobytes()
    assert hills.floor(points[7]).shape == ()
    corner = CollisionMap(0.5, np.zeros(2), np.zeros((1, 1), bool), np.ones((1, 1), np.float32),
                          np.ones((1, 1), bool), np.zeros((0, 7), np.float32))
    assert corner.floor(np.array([[9.0, -9.0]])) == [1.0]


def test_occupied_cells_under_the_footprint(hills):
    probe = OccupancyProbe(hills, ROBOT)
    answers = []
    for pose in _poses(400):
        answers.append(probe.occupied(pose))
        assert answers[-1] == plain_judge.occupied(hills, probe._bare, probe._points, pose)
    assert 0.2 < np.mean(answers) < 0.95


def test_clearances(hills):
    rng = np.random.default_rng(3)
    outline = rng.uniform(-0.3, 0.3, (36, 2))
    gaps = []
    for pose in _poses(300):
        solids = np.tile(np.eye(4), (3, 1, 1))
        for solid in solids:
            c, s = math.cos(yaw := rng.uniform(-4, 4)), math.sin(yaw)
            solid[:2, :2] = [[c, -s], [s, c]]
            solid[:2, 3] = [pose.x, pose.y] + rng.uniform(-1.5, 1.5, 2)
        sizes = rng.uniform(0.05, 0.3, (3, 2)) * (rng.random((3, 1)) < [[1, 0.6]])
        gaps.append(nearness.clearance(
            hills.distance, *map(float, hills.origin), hills.resolution, outline, _place(pose),
            solids, sizes,
        ))
        assert gaps[-1] == plain_judge.clearance(hills, outline, pose, solids, sizes)
    assert len(set(gaps)) > 30
    # Now the map decides, now an obstacle.
    assert 0.1 < np.mean(np.isin(gaps, hills.distance.astype(np.float64))) < 0.97


def test_people_near():
    rng = np.random.default_rng(4)
    half, reach = (ROBOT.length / 2, ROBOT.width / 2), 0.6
    times = []
    for pose in _poses(300):
        people = rng.uniform([-6, -1, -3], [12, 14, 3], (8, 3))
        people[rng.random(8) < 0.3] = np.nan
        people[0] = pose.x + rng.uniform(-1.5, 1.5), pose.y + rng.uniform(-1.5, 1.5), 0.0
        velocities = rng.normal(size=(8, 2)) * (rng.random((8, 1)) < 0.8)
        v = float(rng.choice([0.0, 1.2]))
        gap, time = nearness.people_near(
            _place(pose), *half, v, people, velocities, 0.25, reach)
        here = np.isfinite(people[:, 0])
        assert gap == plain_judge.person_gap(pose, half, people[here], 0.25)
        own = v * np.array([math.cos(pose.yaw), math.sin(pose.yaw)])
        expected = plain_judge.circles_meet(
            people[here, :2] - (pose.x, pose.y), velocities[here] - own, reach)
        assert time == expected.min()
        times.append(time)
    assert 0.0 in times
    assert len(set(times)) > 50


def test_nobody_is_infinitely_far():
    nobody = np.full((2, 3), np.nan), np.full((2, 2), np.nan)
    assert nearness.people_near(np.array([0, 0, 1.0, 0]), 0.5, 0.3, 1.0, *nobody, 0.25, 0.6) == (
        math.inf, math.inf)


def test_when_a_moving_point_comes_near():
    # (10 - 1) / 2; moving away; touching already; passes 3 m to the side; both stand.
    cases = [((10, 0, -2, 0), 4.5), ((10, 0, 2, 0), math.inf), ((0.5, 0, 0, 0), 0.0),
             ((10, 3, -2, 0), math.inf), ((10, 0, 0, 0), math.inf)]
    for values, expected in cases:
        assert nearness.meeting(*map(float, values), 1.0) == pytest.approx(expected)
    offset, velocity = np.array([v[:2] for v, _ in cases]), np.array([v[2:] for v, _ in cases])
    assert list(plain_judge.circles_meet(offset, velocity, 1.0)) == pytest.approx(
        [expected for _, expected in cases])
