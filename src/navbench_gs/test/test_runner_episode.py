"""Lock-step episodes: outcomes, equal bytes, and policies that misbehave."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.judge import EpisodeJudge
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import EpisodeSpec, PersonSpec
from s2e_core.contract import PolicyOutput
from s2e_core.control import ControlLoop
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
ROBOT = load_robot('coco')
SPEC = EpisodeSpec('city:0', 'blocks', 'coco', 'empty', 0, 0, Pose2(3.0, 3.0, 0.0), (15.0, 3.0),
                   12.0, 12.0, False, 40.0)


class Raises(StraightToGoal):
    """Fails at its third image."""

    def infer(self, observation):
        if observation.stamp_ns >= 400_000_000:
            raise ValueError('no more')
        return super().infer(observation)


class NotANumber(StraightToGoal):
    def infer(self, observation):
        output = super().infer(observation)
        return PolicyOutput(output.stamp_ns, output.modes * np.nan, output.scores)


class Stands(StraightToGoal):
    def infer(self, observation):
        output = super().infer(observation)
        return PolicyOutput(output.stamp_ns, output.modes * 0.0, output.scores)


def run(scene, policy, spec=SPEC, record=None):
    world = KinematicWorld(scene, ROBOT)
    world.reset(spec)
    return run_episode(
        world, spec, ControlLoop(policy, ROBOT), PROTOCOL, 'p', look=world.image, record=record
    )


def test_success_ends_at_rest_in_the_goal(block_scene):
    log = run(block_scene, StraightToGoal())
    assert log.outcome == 'success'
    end = (log.ticks['x'][-1], log.ticks['y'][-1])
    assert math.dist(end, SPEC.goal) <= 0.5
    assert abs(log.ticks['v'][-1]) < 0.1
    # 12 m at no more than 1.5 m/s take at least 8 s; one row per tick and one for the start.
    assert 8.0 < log.duration < 14.0
    assert len(log.modes) == math.ceil((len(log.ticks['x']) - 1) / 4)
    assert not log.contacts


def test_equal_runs_are_equal_bytes(block_scene):
    assert run(block_scene, StraightToGoal()).to_json() == run(
        block_scene, StraightToGoal()).to_json()


def test_standing_runs_out_of_time(block_scene):
    log = run(block_scene, Stands())
    assert log.outcome == 'timed_out'
    assert log.duration == pytest.approx(SPEC.time_limit)
    assert set(log.modes) == {0}


def test_exception_ends_the_episode_with_its_cause(block_scene):
    log = run(block_scene, Raises())
    assert log.outcome == 'policy_error'
    assert log.detail == 'ValueError: no more'
    assert log.duration == pytest.approx(0.4)


def test_nan_ends_the_episode_with_its_cause(block_scene):
    log = run(block_scene, NotANumber())
    assert log.outcome == 'policy_error'
    assert 'not finite' in log.detail
    assert log.duration == 0.0


def test_contacts_are_logged_with_body_and_tick(block_scene):
    # Straight through the block at x = 6..16, y = 6..16.
    spec = dataclasses.replace(SPEC, start=Pose2(11.0, 3.0, math.pi / 2), goal=(11.0, 20.0))
    log = run(block_scene, StraightToGoal(), spec)
    assert {contact.body for contact in log.contacts} == {'occupied'}
    first = log.contacts[0].tick
    # The bumper lies 0.425 m ahead of base_link: it meets y = 6 when y = 5.575.
    assert log.ticks['y'][first] == pytest.approx(5.575, abs=0.1)
    assert log.ticks['clearance'].min() == 0.0


def test_recorder_sees_every_image(block_scene):
    seen = []
    run(block_scene, StraightToGoal(),
        record=lambda world, frame, result, judge: seen.append((frame.stamp_ns, judge.elapsed)))
    assert [stamp for stamp, _ in seen[:3]] == [0, 200_000_000, 400_000_000]
    assert [elapsed for _, elapsed in seen[:3]] == pytest.approx([0.0, 0.2, 0.4])


def test_judge_measures_gaps_to_people(block_scene):
    spec = dataclasses.replace(
        SPEC, people=(PersonSpec(1, (6.0, 3.0), (6.0, 3.0), 1.0, True, 'stand'),))
    world = KinematicWorld(block_scene, ROBOT)
    world.reset(spec)
    judge = EpisodeJudge(spec, block_scene, PROTOCOL, ROBOT)
    assert judge.observe(world, Command(0)) is None
    log = judge.finish(Outcome.TIMED_OUT, 'p')
    # 3 m to the person, minus 0.425 m of robot and 0.25 m of person.
    assert log.ticks['person_gap'][0] == pytest.approx(2.325)
    assert log.people.shape == (1, 1, 2)
    # The rear at x = 3 - 0.425 is nearest to a wall, the one up to x = 0.1: 2.475 m, on a
    # grid of 0.1 m.
    assert log.ticks['clearance'][0] == pytest.approx(2.475, abs=0.05)


def test_judge_ends_when_the_robot_falls(block_scene):
    world = KinematicWorld(block_scene, ROBOT)
    world.reset(SPEC)
    world.state.tilt = math.radians(61.0)
    assert EpisodeJudge(SPEC, block_scene, PROTOCOL, ROBOT).observe(
        world, Command(0)) is Outcome.FELL


def test_start_in_the_goal_is_not_a_success_before_the_first_tick(block_scene):
    spec = dataclasses.replace(SPEC, goal=(3.2, 3.0))
    world = KinematicWorld(block_scene, ROBOT)
    world.reset(spec)
    judge = EpisodeJudge(spec, block_scene, PROTOCOL, ROBOT)
    assert judge.observe(world, Command(0)) is None
    world.tick(Command(0))
    assert judge.observe(world, Command(0)) is Outcome.SUCCESS
