"""The whole world of an episode: same seed same bytes, sensors agree with the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from navbench_gs.env import Simulation
from navbench_gs.errors import SimulationError
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.sensors import Drift
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

SIZE = 300
"""Cells of 0.1 m: 30 x 30 m around the origin, a wall all round, a box of 1 m at (8, 0)."""


@dataclass(frozen=True)
class TinyBundle:
    """What Simulation needs of a scene bundle."""

    collision: CollisionMap
    hash: str = 'abc'

    def cloud(self) -> GaussianCloud:
        """A grey floor from x = 5.5 on and a red face of the wall at (8, 0)."""
        axis = np.linspace(0.0, 8.0, 41)
        floor = np.stack([*np.meshgrid(5.5 + axis, axis - 4.0), np.zeros((41, 41))], -1)
        floor = floor.reshape(-1, 3)
        side = np.linspace(-0.5, 0.5, 11)
        wall = np.stack([np.full((11, 11), 7.5), *np.meshgrid(side, side + 0.5)], -1)
        means = np.concatenate([floor, wall.reshape(-1, 3)])
        scales = np.concatenate([np.tile([0.1, 0.1, 0.01], (len(floor), 1)),
                                 np.full((121, 3), 0.06)])
        rgb = np.concatenate([np.full((len(floor), 3), 0.5), np.tile([0.9, 0.1, 0.1], (121, 1))])
        quats = np.tile([1.0, 0.0, 0.0, 0.0], (len(means), 1))
        return GaussianCloud.from_rgb(means, quats, scales, np.full(len(means), 0.95), rgb)


def tiny_bundle() -> TinyBundle:
    occupancy = np.zeros((SIZE, SIZE), bool)
    occupancy[[0, -1]] = occupancy[:, [0, -1]] = True
    occupancy[145:155, 225:235] = True
    boxes = np.array([[8.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0]], np.float32)
    height = np.zeros((SIZE, SIZE), np.float32)
    return TinyBundle(
        CollisionMap(0.1, np.array([-15.0, -15.0]), occupancy, height, ~occupancy, boxes)
    )


EMPTY = EpisodeSpec('tiny', 'abc', 'coco', 'empty', 0, 7, Pose2(), (6.0, 0.0), 6.0, 6.0, False,
                    40.0)
OBSTACLES = tuple(
    ObstacleSpec('box', k, 3.0 + 1.5 * k, 1.6 * (-1) ** k, 0.3 * k, k % 2 == 0) for k in range(4)
)
PEOPLE = tuple(
    PersonSpec(k, (-3.0 + 2.0 * k, -4.0), (3.0 - 2.0 * k, 4.0), 1.2, k % 2 == 0) for k in range(4)
)
BUSY = replace(EMPTY, task='obstacle_pedestrian', obstacles=OBSTACLES, people=PEOPLE)


@pytest.fixture(scope='module')
def world() -> Simulation:
    return Simulation(tiny_bundle(), load_robot('coco'), camera=SMALL_CAMERA, mount=SMALL_MOUNT,
                      threads=1, render=False)


def drive(sim: Simulation, v: float, w: float, ticks: int) -> bytes:
    """Drive and return everything that can be sensed as bytes."""
    record = b''
    for _ in range(ticks):
        sim.tick(Command(sim.time_ns, v, w))
        odometry = sim.odometry()
        values = [odometry.pose.x, odometry.pose.y, odometry.pose.yaw, odometry.v, odometry.w]
        record += np.array(values).tobytes() + sim.people_positions().tobytes()
        record += sim.obstacle_poses().tobytes() + repr(sim.state).encode()
    return record


def test_time_starts_at_zero_and_ticks_by_50_ms(world: Simulation) -> None:
    world.reset(EMPTY)
    assert world.time_ns == 0
    assert world.odometry().stamp_ns == 0
    drive(world, 0.0, 0.0, 3)
    assert world.time_ns == 150_000_000


def test_goal_is_given_in_the_frame_of_the_start(world: Simulation) -> None:
    # Start at (1, 2) facing +y; a goal at (1, 6) lies 4 m ahead.
    world.reset(replace(EMPTY, start=Pose2(1.0, 2.0, math.pi / 2), goal=(1.0, 6.0)))
    assert world.goal_odom == pytest.approx([4.0, 0.0])
    start = world.odometry().pose
    assert (start.x, start.y, start.yaw) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_odometry_without_drift_is_the_pose_since_start() -> None:
    sim = Simulation(tiny_bundle(), load_robot('coco'), camera=SMALL_CAMERA, render=False,
                     drift=Drift(0.0, 0.0))
    start = Pose2(-2.0, 1.0, 0.4)
    sim.reset(replace(EMPTY, start=start))
    origin = sim.true_pose()
    drive(sim, 1.0, 0.4, 60)
    expected = origin.inverse().compose(sim.true_pose())
    pose = sim.odometry().pose
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((expected.x, expected.y, expected.yaw),
                                                       abs=1e-9)
    assert sim.odometry().v == pytest.approx(1.0, abs=0.02)


def test_odometry_drifts_by_half_a_percent(world: Simulation) -> None:
    world.reset(replace(EMPTY, start=Pose2(-12.0, 3.0, 0.0)))
    origin = world.true_pose()
    drive(world, 1.0, 0.0, 200)
    driven = origin.distance_to((world.true_pose().x, world.true_pose().y))
    pose = world.odometry().pose
    assert abs(math.hypot(pose.x, pose.y) / driven - 1.0) == pytest.approx(0.005, rel=0.02)
    # 0.02 degrees per metre.
    assert abs(math.degrees(pose.yaw)) == pytest.approx(0.02 * driven, rel=0.05)


def test_same_seed_same_bytes_other_seed_other_bytes(world: Simulation) -> None:
    world.reset(BUSY)
    first = drive(world, 1.0, 0.1, 80)
    world.reset(replace(BUSY, seed=8))
    other = drive(world, 1.0, 0.1, 80)
    world.reset(BUSY)
    assert drive(world, 1.0, 0.1, 80) == first
    assert other != first


def test_wall_is_reported_once_as_onset_and_not_as_occupied(world: Simulation) -> None:
    # The wall's face is at 7.5 m, the nose 0.425 m ahead of base_link: contact at 7.075 m.
    world.reset(replace(EMPTY, start=Pose2(4.0, 0.0, 0.0)))
    events = []
    for _ in range(160):
        world.tick(Command(world.time_ns, 1.0, 0.0))
        events += world.state.contacts
    assert world.true_pose().x == pytest.approx(7.075, abs=0.03)
    assert [e.body for e in events if e.onset] == ['wall_0']
    assert {e.kind for e in events} == {'static'}
    assert world.state.stuck


def test_leaving_the_map_is_entering_occupied_space(world: Simulation) -> None:
    # Occupied border cells begin at x = 14.9 m and have no wall in physics.
    world.reset(replace(EMPTY, start=Pose2(12.0, 5.0, 0.0)))
    entered = None
    for _ in range(80):
        world.tick(Command(world.time_ns, 1.0, 0.0))
        if world.state.contacts and entered is None:
            entered = world.true_pose().x
            assert [(e.kind, e.onset) for e in world.state.contacts] == [('occupied', True)]
    # Nose at 14.9 m and 2 cm further in: base_link at 14.9 + 0.02 - 0.425 = 14.495 m, seen
    # within a tick of 5 cm.
    assert entered == pytest.approx(14.52, abs=0.04)


def test_silence_stops_the_base(world: Simulation) -> None:
    world.reset(EMPTY)
    drive(world, 1.0, 0.0, 40)
    stale = Command(world.time_ns - 50_000_000, 1.0, 0.0)
    before = world.true_pose().x
    for _ in range(24):
        world.tick(stale)
    # 0.5 s at 1 m/s until the time-out, less the tick since the last command, then 0.25 m.
    assert world.true_pose().x - before == pytest.approx(0.70, abs=0.06)
    assert world.state.base_timed_out
    assert abs(world.true_velocity()[0]) < 1e-3


def test_scan_sees_walls_people_and_obstacles(world: Simulation) -> None:
    world.reset(EMPTY)
    scan = world.scan()
    # Ahead the box at 7.5 m; to the sides the border 14.9 m away: beyond 10 m.
    assert scan[180] == pytest.approx(7.5, abs=1e-4)
    assert np.isinf(scan[90])
    crate = ObstacleSpec('crate', 1, 3.0, 0.0, 0.0, True)
    person = PersonSpec(1, (0.0, 2.0), (0.0, 2.0), 1.0, True, 'stand')
    world.reset(replace(EMPTY, obstacles=(crate,), people=(person,)))
    scan = world.scan()
    assert 2.0 < scan[180] < 3.0
    assert scan[270] == pytest.approx(2.0 - 0.25, abs=0.01)


@pytest.mark.parametrize('blind', [True, False])
def test_blind_people_bump_into_a_standing_robot(world: Simulation, blind: bool) -> None:
    person = PersonSpec(1, (0.0, -4.0), (0.0, 4.0), 1.2, blind)
    world.reset(replace(EMPTY, people=(person,)))
    touched = set()
    for _ in range(140):
        world.tick(Command(world.time_ns, 0.0, 0.0))
        touched |= {event.body for event in world.state.contacts}
    assert touched == ({'person_0'} if blind else set())
    # A person weighs on the robot but does not carry it off.
    assert math.hypot(world.true_pose().x, world.true_pose().y) < 0.15


def test_foreign_episodes_are_refused(world: Simulation) -> None:
    with pytest.raises(SimulationError, match='turtlebot4'):
        world.reset(replace(EMPTY, robot='turtlebot4'))
    with pytest.raises(SimulationError, match='hash'):
        world.reset(replace(EMPTY, scene_hash='other'))
    world.reset(EMPTY)
    with pytest.raises(SimulationError, match='render=False'):
        world.image()


def test_camera_sees_the_wall_ahead_and_a_person_in_front_of_it() -> None:
    sim = Simulation(tiny_bundle(), load_robot('coco'), camera=SMALL_CAMERA, mount=SMALL_MOUNT,
                     threads=1)
    sim.reset(replace(EMPTY, start=Pose2(4.0, 0.0, 0.0)))
    frame = sim.frame()
    assert sim.image().rgb.shape == (128, 128, 3)
    # The wall's face at x = 7.5 is 3.2 m from the camera at 4.3; its middle, at z = 0.5, is
    # seen at pitch atan(0.1 / 3.2) - 0.1 = -0.069 rad, i.e. row 64 - 85.3 x 0.069 = 58.
    assert frame.rgb[58, 64, 0] > 140
    assert frame.rgb[58, 64, 1] < 100
    assert frame.depth[58, 64] == pytest.approx(3.2, abs=0.15)
    person = PersonSpec(3, (6.0, 0.0), (6.0, 0.0), 1.0, True, 'stand')
    sim.reset(replace(EMPTY, start=Pose2(4.0, 0.0, 0.0), people=(person,)))
    # A person at x = 6 stands 1.7 m from the camera, in front of the wall.
    assert sim.frame().depth[58, 64] == pytest.approx(1.7, abs=0.3)
    assert sim.image().stamp_ns == 0


def test_a_picture_from_another_place_shows_the_scene_alone() -> None:
    world = Simulation(
        tiny_bundle(), load_robot('coco'), camera=SMALL_CAMERA, mount=SMALL_MOUNT, threads=1
    )
    person = PersonSpec(1, (4.0, 0.0), (4.0, 0.0), 1.0, True, 'stand')
    world.reset(replace(EMPTY, task='pedestrian', people=(person,)))
    ahead = world.picture(Pose2(3.0, 0.0, 0.0), SMALL_CAMERA).rgb
    away = world.picture(Pose2(3.0, 0.0, math.pi), SMALL_CAMERA).rgb
    # The red face is 4.5 m off the base, 4.2 m off the camera at 0.6 m: seen about row 56, 1 m
    # wide, 64 / 4.2 = 15 columns around column 64.
    red = (ahead[..., 0] > 120) & (ahead[..., 1] < 60)
    columns = np.nonzero(red.any(axis=0))[0]
    assert 10 <= len(columns) <= 22
    assert abs(columns.mean() - 63.5) < 1.0
    assert not ((away[..., 0] > 120) & (away[..., 1] < 60)).any()
