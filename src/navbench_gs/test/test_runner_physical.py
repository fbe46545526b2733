"""Episodes that end by what happens to the robot's body: it falls, hangs fast, is held up."""

from __future__ import annotations

import dataclasses

import numpy as np

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.env import Simulation
from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.scores import evaluate
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.runner.run import run_benchmark
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.control import ControlLoop
from s2e_core.records import CameraFrame
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
ROBOT = load_robot('coco')
SPEC = EpisodeSpec('ground', 'ground', 'coco', 'empty', 0, 3, Pose2(), (6.0, 0.0), 6.0, 6.0, False,
                   9.0)
X = (np.arange(300) + 0.5) * 0.1 - 15.0
"""Middles of the cells along x; the map is 30 x 30 m around the origin."""


@dataclasses.dataclass(frozen=True)
class Ground:
    """What a simulation without pictures needs of a scene."""

    collision: CollisionMap
    hash: str = 'ground'


def drive(profile=0.0, spec=SPEC, policy=None):
    """Drive an episode on a floor whose height depends on x alone. [300]"""
    free = np.zeros((300, 300), bool)
    height = np.tile(np.broadcast_to(profile, 300), (300, 1)).astype(np.float32)
    ground = Ground(CollisionMap(
        0.1, np.array([-15.0, -15.0]), free, height, ~free, np.zeros((0, 7), np.float32)
    ))
    world = Simulation(ground, ROBOT, camera=SMALL_CAMERA, render=False)
    world.reset(spec)
    grey = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
    log = run_episode(
        world, spec, ControlLoop(policy or StraightToGoal(1.5), ROBOT), PROTOCOL, 'straight',
        look=lambda: CameraFrame(world.time_ns, grey),
    )
    return log, evaluate(log, PROTOCOL.judge), world


def test_level_ground_is_driven_over():
    log, scores, world = drive()
    assert (log.outcome, scores.cause, scores.collisions) == ('success', Cause.NONE, 0)
    assert world.state.tilt < 0.01


def test_falling_off_a_ledge_ends_the_episode_as_fell():
    """The floor ends at x = 2 m and goes on 1.5 m lower."""
    log, scores, world = drive(np.where(X > 2.0, -1.5, 0.0))
    assert (log.outcome, scores.cause) == ('fell', Cause.FELL)
    # Tipped by more than 60 degrees, its nose over the ledge, long before the time was up.
    assert world.state.tilt > np.radians(60.0)
    assert 1.5 < log.ticks['x'][-1] < 3.5
    assert log.duration < 6.0


def test_hanging_on_its_belly_is_being_stuck():
    """A ridge of 0.2 m under the middle lifts all four wheels: they turn in the air."""
    log, scores, world = drive(np.where(np.abs(X) < 0.1, 0.2, 0.0))
    assert world.state.stuck
    assert (log.outcome, scores.cause) == ('timed_out', Cause.STUCK)
    assert scores.collisions == 0
    assert scores.path_length < 0.2
    assert log.ticks['command_v'][-1] > 1.0


def test_a_fixed_obstacle_in_the_way_holds_the_robot_up():
    block = ObstacleSpec('planter', 1, 3.0, 0.0, 0.0, False)
    log, scores, world = drive(spec=dataclasses.replace(SPEC, task='obstacle', obstacles=(block,)))
    assert world.state.stuck
    assert (log.outcome, scores.cause) == ('timed_out', Cause.BLOCKED)
    assert log.contacts[0].body == 'obstacle_0_planter'
    # One collision, and one more for each full second it leant on it.
    held = (log.contacts[-1].tick - log.contacts[0].tick) * 0.05
    assert scores.collisions == 1 + int(held + 1e-9)


def test_standing_without_reason_is_freezing():
    class Stands(StraightToGoal):
        def infer(self, observation):
            output = super().infer(observation)
            return dataclasses.replace(output, modes=output.modes * 0.0)

    log, scores, world = drive(policy=Stands(1.5))
    assert (log.outcome, scores.cause, world.state.stuck) == ('timed_out', Cause.FROZEN, False)
    # All but the start's ticks: over 99 %.
    assert scores.freezing > 0.99


def test_an_episode_whose_physics_diverges_is_noted_and_the_run_goes_on(
    tmp_path, only_yard, hurry, monkeypatch
):
    """The second of three leaves the finite numbers; an error of the simulator, not a result."""
    tick, reset, begun = Simulation.tick, Simulation.reset, []

    def count(world: Simulation, spec: EpisodeSpec) -> None:
        begun.append(spec.id)
        reset(world, spec)

    def explode(world: Simulation, command) -> None:
        if len(begun) == 2:
            world._world.data.qpos[0] = np.nan
        tick(world, command)

    monkeypatch.setattr(Simulation, 'reset', count)
    monkeypatch.setattr(Simulation, 'tick', explode)
    config = RunConfig(('yard',), ('empty',), load_protocol(hurry), 'coco', episodes=3)
    done = []
    run_benchmark(config, Straight(), tmp_path, progress=done.append)
    assert [item.scores is None for item in done] == [False, True, False]
    assert 'physics diverged' in done[1].detail
    assert len(list(RunFolder(tmp_path).episodes.iterdir())) == 2


class Straight:
    name = 'straight'

    def __call__(self):
        return StraightToGoal()
