"""What following a plan would cost, foretold without driving it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from navbench_gs.agents import rollout
from navbench_gs.agents.drives import DriveChooser
from navbench_gs.agents.informed import InformedChoice
from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.env.gym.options import EnvOptions
from navbench_gs.env.gym.session import Session
from navbench_gs.env.gym.setting import Setting
from navbench_gs.errors import SimulationError, TaskError
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import Observation, PolicyOutput, PolicySpec
from s2e_core.follower import Follower
from s2e_core.records import Odometry, Plan
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

COCO = load_robot('coco')
TIMES = 0.2 * np.arange(1, 11)


def straight(speed: float) -> np.ndarray:
    return np.stack([speed * TIMES, np.zeros(10)], axis=1)


def arc(speed: float, curvature: float) -> np.ndarray:
    turn = speed * curvature * TIMES
    return np.stack([np.sin(turn), 1.0 - np.cos(turn)], axis=1) / curvature


def planner(scene, goal=(30.0, 3.0), obstacles=(), robot=COCO) -> PrivilegedPlanner:
    start = Pose2(12.0, 3.0, 0.0)
    length = math.dist((start.x, start.y), goal)
    spec = EpisodeSpec('city:0', 'blocks', 'coco', 'empty', 0, 0, start, goal, length, length,
                       False, 60.0, tuple(obstacles), ())
    world = KinematicWorld(scene, robot)
    world.reset(spec)
    result = PrivilegedPlanner()
    result.bind(world, spec)
    return result


def test_in_the_open_the_way_left_is_what_counts(block_scene):
    fast, slow, still = planner(block_scene).foresee(
        np.stack([straight(1.5), straight(0.5), np.zeros((10, 2))])
    )
    # Both end where their last waypoint is, 3 m and 1 m on; the base starts at rest, so that it
    # has not quite come to rest there after 3 s.
    assert still - slow == pytest.approx(1.0, abs=0.15)
    assert still - fast == pytest.approx(3.0, abs=0.45)


@pytest.mark.parametrize('name', ['turtlebot4', 'go2'])
def test_other_bases_are_foretold_too(block_scene, name):
    """Straight on gains its metre, a curve away from the goal less, what lies behind nothing."""
    ahead, aside, behind, still = planner(block_scene, robot=load_robot(name)).foresee(
        np.stack([straight(0.5), arc(0.5, 1.5), -straight(0.5), np.zeros((10, 2))])
    )
    assert still - ahead == pytest.approx(1.0, abs=0.15)
    assert ahead < aside < behind and behind > still - 0.1


def test_driving_through_things_costs_more_than_any_way_is_long(block_scene):
    box = ObstacleSpec('box', 7, 14.5, 3.0, 0.0, False)
    through, standing = planner(block_scene, obstacles=[box]).foresee(
        np.stack([straight(1.5), np.zeros((10, 2))])
    )
    assert through > standing + 20.0


def test_walking_people_cost_too(block_scene):
    judge = planner(block_scene)
    chooser, terrain = DriveChooser(COCO, 1.5), judge.terrain
    plans = np.stack([straight(1.0), np.zeros((10, 2))])

    def costs(people: list[list[float]]) -> np.ndarray:
        return chooser.foresee(terrain, (30.0, 3.0), Pose2(12.0, 3.0, 0.0), (1.0, 0.0),
                               np.array(people, float).reshape(-1, 4), plans)

    # Crosses the way 1.5 m ahead when the robot is there; the other stays 5 m off.
    crossing, away = costs([[13.5, 1.5, 0.0, 1.0]]), costs([[13.5, 8.0, 0.0, 0.0]])
    assert crossing[0] > away[0] + 5.0
    assert away == pytest.approx(costs([]))


@pytest.mark.parametrize('plan', [
    straight(1.2), straight(0.02), arc(1.0, 0.8), arc(1.4, -0.5), -straight(0.5),
    1.5 * arc(0.8, 3.0),
])
@pytest.mark.parametrize('speed', [0.0, 1.0])
def test_the_foretold_drive_is_the_followers(plan, speed):
    """Beside the plain one: `Follower` and the base's limits, step by step."""
    limits = DriveChooser(COCO, 1.5)._own
    start = np.array([0.0, 0.0, 0.0, speed, 0.0])
    tracks = rollout.follow_all(start, plan[None], limits, 0.6)
    follower, odom = Follower(COCO), Plan(0, plan, 0.2)
    x, y, yaw, v, curvature = start
    for step in range(rollout.STEPS):
        # Plans are old after 0.5 s. What is aimed at in this one is put into a new one.
        aim = follower.aim(odom, round(step * rollout.STEP * 1e9))
        held = Plan(0, np.tile(aim, (10, 1)), 0.2)
        command = follower.step(0, Odometry(0, Pose2(x, y, yaw), v, v * curvature), held)
        wanted = command.w / command.v if command.v > 0.0 else curvature
        change = limits[rollout.TURN_RATE] * rollout.STEP
        curvature += float(np.clip(wanted - curvature, -change, change))
        top = COCO.w_max / max(abs(curvature), 1e-9)
        change = min(command.v, top) - v
        v += float(np.clip(change, -COCO.stop_deceleration * 0.05, COCO.a_max * 0.05))
        v = max(v, 0.0)
        half = 0.5 * v * curvature * 0.05
        x, y = x + v * 0.05 * math.cos(yaw + half), y + v * 0.05 * math.sin(yaw + half)
        yaw += 2.0 * half
        assert_allclose(tracks[0, step], [x, y, yaw, v], atol=2e-3)


class Eager:
    """Proposes to stand still, and much rather to drive straight on."""

    spec = PolicySpec('eager', 1, SMALL_CAMERA, 1.5, 3.0, vote=0.2, memory=0.5)

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def infer(self, observation: Observation) -> PolicyOutput:
        modes = np.stack([np.zeros((10, 2)), straight(1.5)]).astype(np.float32)
        return PolicyOutput(observation.stamp_ns, modes, np.array([0.1, 0.9], np.float32))


@pytest.mark.parametrize(('obstacles', 'chosen'), [
    ([], 1), ([ObstacleSpec('box', 7, 14.5, 3.0, 0.0, False)], 0),
])
def test_an_informed_choice_keeps_the_modes_and_knows_what_is_there(
    block_scene, obstacles, chosen
):
    policy = Eager()
    informed = InformedChoice(policy, planner(block_scene, obstacles=obstacles))
    informed.reset()
    assert policy.resets == 1 and informed.spec.name == 'informed:eager'
    assert (informed.spec.vote, informed.spec.memory) == (0.0, 0.0), 'who knows needs no votes'
    answer = informed.infer(Observation(
        np.zeros((1, 128, 128, 3), np.uint8), np.zeros(1, np.int64), np.zeros(2),
        Odometry(0, Pose2()),
    ))
    assert answer.problem() is None and answer.modes.shape == (2, 10, 2)
    assert int(answer.scores.argmax()) == chosen


def test_nobody_foresees_without_being_asked():
    session = Session(Setting.open(EnvOptions(scenes=('city:1000',))))
    with pytest.raises(SimulationError, match='foresight'):
        session.foresee(np.zeros((1, 10, 2)))


def test_an_unbound_planner_says_so():
    with pytest.raises(TaskError, match='bound'):
        PrivilegedPlanner().foresee(np.zeros((1, 10, 2)))
