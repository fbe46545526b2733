"""A real generated city: episodes of every task reset, drive, and repeat themselves."""

from __future__ import annotations

import numpy as np
import pytest

from navbench_gs.env import Simulation
from navbench_gs.scenes import SceneBundle, resolve_scene
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import TASKS, EpisodeSpec
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.image_motion import TurnWatch
from s2e_core.records import Command
from s2e_core.robot import RobotProfile, load_robot


@pytest.fixture(scope='module')
def city(tmp_path_factory: pytest.TempPathFactory) -> SceneBundle:
    return resolve_scene('city:1000', cache=tmp_path_factory.mktemp('scenes'))


@pytest.fixture(scope='module')
def robot() -> RobotProfile:
    return load_robot('coco')


def make_sim(city: SceneBundle, robot: RobotProfile, render: bool = False) -> Simulation:
    return Simulation(city, robot, camera=SMALL_CAMERA, mount=SMALL_MOUNT, threads=1,
                      render=render)


def sense(sim: Simulation, spec: EpisodeSpec, ticks: int) -> bytes:
    sim.reset(spec)
    record = b''
    for _ in range(ticks):
        sim.tick(Command(sim.time_ns, 0.8, 0.1))
        pose = sim.true_pose()
        record += np.array([pose.x, pose.y, pose.yaw]).tobytes()
        record += sim.people_positions().tobytes() + sim.scan().tobytes()
    return record


@pytest.mark.parametrize('task', TASKS)
def test_every_task_starts_free_and_drives(
    city: SceneBundle, robot: RobotProfile, task: str
) -> None:
    sim = make_sim(city, robot)
    spec = sample_episode(city, task, 0, 11, load_protocol(), robot)
    sim.reset(spec)
    assert len(sim.people_positions()) == len(spec.people)
    assert len(sim.obstacle_poses()) == len(spec.obstacles)
    # Nothing moved while the world settled: 1 cm is the suspension of soft contacts on edges.
    placed = np.array([(item.x, item.y) for item in spec.obstacles]).reshape(-1, 2)
    assert np.abs(sim.obstacle_poses()[:, :2, 3] - placed).max(initial=0.0) < 0.01
    assert sim.true_pose().distance_to((spec.start.x, spec.start.y)) < 0.01
    sim.tick(Command(0, 0.0, 0.0))
    assert sim.state.contacts == ()
    assert sim.state.tilt < 0.02
    for _ in range(20):
        sim.tick(Command(sim.time_ns, 0.5, 0.0))
    # 0.5 m/s after half a second of ramp: 0.125 + 0.25 m.
    assert sim.true_pose().distance_to((spec.start.x, spec.start.y)) == pytest.approx(0.375,
                                                                                      abs=0.05)


def test_two_worlds_agree_to_the_byte(city: SceneBundle, robot: RobotProfile) -> None:
    spec = sample_episode(city, 'obstacle_pedestrian', 1, 11, load_protocol(), robot)
    other = sample_episode(city, 'obstacle_pedestrian', 2, 11, load_protocol(), robot)
    first, second = make_sim(city, robot), make_sim(city, robot)
    sense(second, other, 20)
    assert sense(first, spec, 60) == sense(second, spec, 60)


def test_images_show_the_scene_and_repeat(city: SceneBundle, robot: RobotProfile) -> None:
    sim = make_sim(city, robot, render=True)
    spec = sample_episode(city, 'pedestrian', 0, 11, load_protocol(), robot)
    pictures = []
    for _ in range(2):
        sim.reset(spec)
        for _ in range(20):
            sim.tick(Command(sim.time_ns, 0.8, 0.0))
        frame = sim.frame()
        pictures.append(frame.rgb.tobytes() + frame.depth.tobytes())
        # A street at dusk, not a blank (20.0); floor in the lower half at finite depth.
        assert frame.rgb.std() > 12.0
        assert np.isfinite(frame.depth[100:]).mean() > 0.95
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize('mirrored', [False, True])
def test_drawn_pictures_turn_with_the_robot(
    city: SceneBundle, robot: RobotProfile, mirrored: bool
) -> None:
    """A tight curve among people: the gate's check is quiet, and finds a mirrored camera."""
    sim = make_sim(city, robot, render=True)
    sim.reset(sample_episode(city, 'pedestrian', 0, 11, load_protocol(), robot))
    watch, said = TurnWatch(SMALL_CAMERA, SMALL_MOUNT.pitch), []
    for _ in range(15):
        rgb = sim.image().rgb
        rgb = np.ascontiguousarray(rgb[:, ::-1]) if mirrored else rgb
        said.append(watch.add(sim.time_ns, rgb, sim.odometry().pose.yaw))
        for _ in range(4):
            sim.tick(Command(sim.time_ns, 0.5, 0.6))
    assert any('the other way' in text for text in said) == mirrored
    assert mirrored or not any(said)
