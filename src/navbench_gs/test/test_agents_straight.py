"""The straight agent turns to the goal and ends there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from s2e_core.contract import Observation
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2


def plan(goal):
    images = np.zeros((1, 128, 128, 3), np.uint8)
    odometry = Odometry(200, Pose2())
    goal = None if goal is None else np.array(goal)
    return StraightToGoal().infer(Observation(images, np.array([200]), goal, odometry))


def test_far_goal_ahead_is_approached_at_top_speed():
    output = plan((20.0, 0.0))
    assert output.stamp_ns == 200
    assert output.modes.shape == (1, 10, 2)
    # 1.5 m/s x 0.2 s a step.
    assert np.allclose(output.modes[0, :, 0], 0.3 * np.arange(1, 11), atol=1e-5)
    assert np.allclose(output.modes[0, :, 1], 0.0)


def test_near_goal_ends_the_plan():
    output = plan((1.0, 0.5))
    assert math.dist(output.modes[0, -1], (1.0, 0.5)) < 0.06
    steps = np.linalg.norm(np.diff(output.modes[0], axis=0), axis=1)
    assert steps[-1] < steps[0]


@pytest.mark.parametrize('side', [-1.0, 1.0])
def test_goal_to_the_side_turns_towards_it(side):
    output = plan((0.0, side * 10.0))
    assert side * output.modes[0, -1, 1] > 1.0


def test_without_goal_it_drives_on():
    assert plan(None).modes[0, -1, 0] == pytest.approx(3.0, abs=1e-3)
