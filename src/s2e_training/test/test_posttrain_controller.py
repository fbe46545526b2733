"""The differentiable controller against the one that runs on the robot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from s2e_core.contract import WAYPOINT_DT
from s2e_core.follower import Follower, FollowerConfig
from s2e_core.navigator import NavigatorConfig, end_at_goal
from s2e_core.records import Odometry, Plan
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_training.posttrain.controller import executed_aim, executed_waypoint, velocity

REACH = st.floats(-3.0, 3.0, allow_nan=False, width=32)


@pytest.mark.parametrize('robot', ['coco', 'turtlebot4'])
@given(points=st.lists(st.tuples(REACH, REACH), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_torch_and_numpy_agree(robot: str, points: list[tuple[float, float]]) -> None:
    profile, config = load_robot(Path(robot).name), FollowerConfig()
    aims = np.array(points, np.float32) + np.float32(0.0)  # no -0.0: odometry has none
    got = velocity(torch.from_numpy(aims).double(), profile, config).numpy()
    follower, here = Follower(profile, config), Odometry(0, Pose2())
    for aim, (v, w) in zip(aims.astype(np.float64), got, strict=True):
        plan = np.zeros((10, 2))
        plan[executed_waypoint(config)] = aim
        command = follower.step(0, here, Plan(0, plan, WAYPOINT_DT))
        assert (v, w) == pytest.approx((command.v, command.w), abs=1e-6)


def test_the_third_waypoint_is_executed() -> None:
    assert executed_waypoint(FollowerConfig()) == 2


def test_velocity_by_hand() -> None:
    # (0.6, 0.3): d^2 = 0.45, curvature 0.6 / 0.45 = 1.3333, speed 0.67082 / 0.6 = 1.11803,
    # w = 1.49071 < 1.5.
    got = velocity(torch.tensor([[0.6, 0.3]]), load_robot('coco'), FollowerConfig())
    assert got[0].tolist() == pytest.approx([1.118034, 1.490712], abs=1e-5)


def test_the_gradient_is_that_of_finite_differences() -> None:
    aims = torch.tensor([[0.6, 0.2], [0.3, -0.1], [1.5, 0.4]], dtype=torch.float64)
    robot, config = load_robot('coco'), FollowerConfig()
    assert torch.autograd.gradcheck(
        lambda x: velocity(x, robot, config), aims.requires_grad_(True)
    )


def test_the_gradient_at_rest_is_finite() -> None:
    aims = torch.zeros(1, 2, requires_grad=True)
    for name in ('coco', 'turtlebot4'):
        velocity(aims, load_robot(name), FollowerConfig()).sum().backward()
    assert aims.grad is not None and bool(torch.isfinite(aims.grad).all())


def test_ways_end_at_the_goal_as_the_navigator_ends_them() -> None:
    rng = np.random.default_rng(0)
    tolerance, hits = NavigatorConfig().goal_tolerance, 0
    ways = np.cumsum(rng.normal(0.15, 0.15, (200, 10, 2)), axis=1)
    goals = rng.normal(0.3, 0.3, (200, 2))
    present = rng.random(200) < 0.8
    got = executed_aim(
        torch.from_numpy(ways), torch.from_numpy(goals), torch.from_numpy(present), 2, tolerance
    ).numpy()
    for way, goal, there, aim in zip(ways, goals, present, got, strict=True):
        expected = end_at_goal(way, goal, tolerance)[2] if there else way[2]
        hits += bool((expected == goal).all())
        np.testing.assert_allclose(aim, expected)
    assert hits > 10
