"""The depth planner: what it takes for ground, what it remembers, and that it drives around."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from navbench_gs.agents.depth import DepthPlanner
from navbench_gs.agents.depth_scan import DepthScan, DepthScanner
from navbench_gs.agents.local_grid import LocalGrid
from navbench_gs.agents.movers import MoverTracker
from navbench_gs.errors import TaskError
from navbench_gs.metrics.scores import evaluate
from navbench_gs.runner.bench import Bench
from navbench_gs.runner.plan import RunConfig
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.contract import Observation
from s2e_core.records import Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
COCO = load_robot('coco')
SECOND = 10**9


def picture(*surfaces):
    """Depth image of the small camera: per pixel the nearest of some surfaces.

    Each surface maps rays `[H, W, 3]`, base_link with optical z = 1, and the eye to depth.
    """
    pose = SMALL_MOUNT.base_from_optical()
    v, u = np.indices((128, 128)) + 0.5
    rays = np.stack([(u - SMALL_CAMERA.cx) / SMALL_CAMERA.fx,
                     (v - SMALL_CAMERA.cy) / SMALL_CAMERA.fy, np.ones_like(u)], -1)
    with np.errstate(divide='ignore', invalid='ignore'):
        found = [surface(rays @ pose[:3, :3].T, pose[:3, 3]) for surface in surfaces]
    return np.where(np.min(found, axis=0) > 0.05, np.min(found, axis=0), np.inf)


def floor(height=0.0, grade=0.0, after=-np.inf, until=np.inf):
    """The plane z = height + grade x between two x."""
    def surface(rays, eye):
        depth = (height + grade * eye[0] - eye[2]) / (rays[..., 2] - grade * rays[..., 0])
        x = eye[0] + depth * rays[..., 0]
        return np.where((depth > 0.0) & (x >= after) & (x < until), depth, np.inf)
    return surface


def wall(x, left=np.inf, right=-np.inf, top=np.inf):
    """A face across the way, between two y and below a height."""
    def surface(rays, eye):
        depth = (x - eye[0]) / rays[..., 0]
        hit = eye + depth[..., None] * rays
        inside = (hit[..., 1] < left) & (hit[..., 1] > right) & (hit[..., 2] < top)
        return np.where((depth > 0.0) & inside, depth, np.inf)
    return surface


def scan(*surfaces):
    scanner = DepthScanner(SMALL_CAMERA, SMALL_MOUNT, COCO.height)
    return scanner.scan(picture(*surfaces))


@pytest.mark.parametrize('grade', [-0.08, 0.0, 0.08])
def test_ground_is_free_level_or_not(grade):
    seen = scan(floor(grade=grade))
    assert np.isinf(seen.blocked).all()
    # Downhill the last row before the horizon lies nearer.
    assert seen.seen.min() > 5.0


def test_a_wall_is_where_it_stands():
    seen = scan(floor(), wall(3.0))
    # The camera's foot is 0.3 m ahead of base_link: 2.7 m straight on, and 2.7 / cos(b) aside.
    assert np.allclose(seen.blocked, 2.7 / np.cos(seen.bearings), atol=0.06)
    assert (seen.seen <= seen.blocked).all()
    assert tuple(seen.foot) == (0.3, 0.0)


def test_ranges_tell_free_from_not_seen():
    """A wall without ground before it, and beside it nothing but sky."""
    seen = scan(wall(3.0, right=0.0))
    left, right = seen.bearings > 0.1, seen.bearings < -0.1
    assert np.allclose(seen.ranges[left], seen.blocked[left]) and seen.ranges[left].max() < 5.0
    assert np.isinf(seen.blocked[right]).all() and np.isnan(seen.ranges[right]).all()
    assert np.isinf(scan(floor()).ranges).all()


def test_a_kerb_stops_from_above_and_from_below():
    down = scan(floor(until=2.3), floor(height=-0.12, after=2.3))
    ahead = np.abs(down.bearings) < 0.3
    assert np.allclose(down.blocked[ahead], 2.0 / np.cos(down.bearings[ahead]), atol=0.25)
    up = scan(floor(until=2.3), wall(2.3, top=0.12), floor(height=0.12, after=2.3))
    assert np.allclose(up.blocked[ahead], 2.0 / np.cos(up.bearings[ahead]), atol=0.25)


def test_what_hangs_higher_than_the_robot_is_passed_under():
    # 0.8 m of robot and 0.2 m of headroom.
    def beam(low):
        return lambda rays, eye: np.where(
            eye[2] + wall(3.0)(rays, eye) * rays[..., 2] > low, wall(3.0)(rays, eye), np.inf)
    assert np.isinf(scan(floor(), beam(1.1)).blocked).all()
    assert (scan(floor(), beam(0.7)).blocked[40:56] < 3.0).all()


def ahead(blocked, seen=8.0):
    """A scan of one obstacle straight ahead, 96 bearings over 90 degrees."""
    bearings = np.deg2rad(np.linspace(-45.0, 45.0, 96))
    hit = np.where(np.abs(bearings) < 0.1, blocked, np.inf)
    return DepthScan((0.0, 0.0), bearings, hit, np.minimum(hit, seen))


def grid_at(grid, x, y, now_s):
    terrain = grid.terrain((30.0, 0.0), round(now_s * SECOND))
    column, row = np.floor((np.array([x, y]) - terrain.origin) / 0.1).astype(int)
    return terrain.clearance[row, column] == 0.0


def test_memory_lasts_a_second_for_each_image_that_showed_a_thing():
    grid = LocalGrid(COCO.radius)
    nobody = np.zeros(96, bool)
    for k in range(3):
        grid.add(ahead(3.05), Pose2(), round(0.2 * k * SECOND), nobody)
    # Seen at 0, 0.2 and 0.4 s: kept to 0.4 + 3 s.
    assert grid_at(grid, 3.05, 0.05, 3.39)
    assert not grid_at(grid, 3.05, 0.05, 3.41)


def test_seeing_through_a_place_clears_it_and_movers_leave_no_trace():
    grid = LocalGrid(COCO.radius)
    nobody = np.zeros(96, bool)
    grid.add(ahead(3.05), Pose2(), 0, nobody)
    grid.add(ahead(np.inf), Pose2(), SECOND // 5, nobody)
    assert not grid_at(grid, 3.05, 0.05, 0.2)
    grid.add(ahead(3.05), Pose2(), 2 * SECOND // 5, ~nobody)
    assert not grid_at(grid, 3.05, 0.05, 0.4)


def test_the_grid_follows_the_robot():
    grid = LocalGrid(COCO.radius)
    grid.add(ahead(3.05), Pose2(), 0, np.zeros(96, bool))
    # 2 m on, looking back: nothing is seen at 3.05, it stays where it is in odom.
    grid.add(ahead(np.inf), Pose2(2.0, 0.0, np.pi), SECOND // 2, np.zeros(96, bool))
    assert grid_at(grid, 3.05, 0.05, 0.5)


def thing(x, y):
    """A scan of a person-sized disc, 0.3 m in radius, before nothing."""
    bearings = np.deg2rad(np.linspace(-45.0, 45.0, 96))
    middle = x * np.cos(bearings) + y * np.sin(bearings)
    root = 0.09 - (x * x + y * y - middle * middle)
    hit = np.where(root > 0.0, middle - np.sqrt(np.maximum(root, 0.0)), np.inf)
    return DepthScan((0.0, 0.0), bearings, hit, np.minimum(hit, 8.0))


def test_a_walker_is_followed_at_its_speed():
    tracker = MoverTracker()
    for k in range(12):
        moving = tracker.update(thing(4.0, 1.0 - 0.2 * k), Pose2(), k * SECOND // 5)
    # 0.2 m in 0.2 s: 1 m/s to the right; after 12 images it stands at y = 1 - 11 x 0.2.
    x, y, vx, vy = tracker.movers[0]
    assert (x, y) == pytest.approx((4.0, -1.2), abs=0.15)
    assert (vx, vy) == pytest.approx((0.0, -1.0), abs=0.15)
    assert moving.any() and np.isfinite(thing(4.0, -1.2).blocked[moving]).all()


def test_what_stands_is_no_mover_though_the_robot_drives():
    tracker = MoverTracker()
    for k in range(15):
        place = Pose2(0.1 * k, 0.0, 0.05 * k)
        x, y = place.inverse().transform(np.array([5.0, 0.3]))
        assert not tracker.update(thing(x, y), place, k * SECOND // 5).any()
    assert len(tracker.movers) == 0


def observe(stamp=0):
    images = np.zeros((1, 128, 128, 3), np.uint8)
    return Observation(images, np.array([stamp]), np.array([20.0, 0.0]), Odometry(stamp, Pose2()))


def test_it_asks_for_its_robot_and_for_the_depth_of_the_very_image():
    planner = DepthPlanner()
    with pytest.raises(TaskError, match='robot'):
        planner.infer(observe())
    planner.set_robot(COCO)
    planner.take_depth(0, picture(floor()), SMALL_CAMERA)
    planner.infer(observe())
    with pytest.raises(TaskError, match='depth image of 200'):
        planner.infer(observe(200))


def test_equal_pictures_give_equal_plans_that_keep_off_the_obstacle():
    plans = []
    for _ in range(2):
        planner = DepthPlanner()
        planner.set_robot(COCO)
        planner.take_depth(0, picture(floor(), wall(2.2, 0.3, -0.3, 1.0)), SMALL_CAMERA)
        plans.append(planner.infer(observe()).modes)
    assert (plans[0] == plans[1]).all()
    near = plans[0][0][np.abs(plans[0][0, :, 0] - 2.2) < 0.5]
    assert (np.abs(near[:, 1]) > 0.5).all()


class Depth:
    """A factory, as the command makes one."""

    name = 'depth'

    def __call__(self):
        return DepthPlanner()


@pytest.fixture
def paved(only_yard, monkeypatch):
    """Lay stones of 0.125 m in the yard, whose elements of 2 m have no exact depth."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-13, 2, 0.125), np.arange(-4, 4, 0.125)))
    count = len(x)
    stones = GaussianCloud.from_rgb(
        np.stack([x, y, np.full(count, -0.02)], 1), np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
        np.tile([0.075, 0.075, 0.01], (count, 1)), np.full(count, 0.95), np.full((count, 3), 0.5),
    )
    monkeypatch.setattr('yard.Yard.cloud', lambda self: stones)


@pytest.mark.parametrize('robot', ['coco', 'turtlebot4'])
def test_drives_around_what_stands_in_the_way_the_same_each_time(tmp_path, paved, robot):
    start, goal = Pose2(-12.0, 0.0, 0.0), (-5.0, 0.0)
    obstacle = ObstacleSpec('bin', 1, -9.0, 0.0, 0.0, False)
    spec = EpisodeSpec('yard', 'yard', robot, 'obstacle', 0, 0, start, goal, 7.0, 7.0, False,
                       30.0, (obstacle,))
    config = RunConfig(('yard',), ('obstacle',), PROTOCOL, robot)
    logs = [
        Bench(config, Depth(), tmp_path, 1).rerun(spec, 'yard', None) for _ in range(2)
    ]
    assert logs[0].to_json() == logs[1].to_json()
    assert evaluate(logs[0], PROTOCOL.judge).collision_free_success
    # The same with the obstacle out of the way is another drive.
    free = Bench(config, Depth(), tmp_path, 1).rerun(
        dataclasses.replace(spec, obstacles=()), 'yard', None)
    assert np.abs(free.ticks['y']).max() < 0.2 < np.abs(logs[0].ticks['y']).max()
