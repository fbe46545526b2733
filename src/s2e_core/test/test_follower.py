"""Pure pursuit by hand, and a closed loop that must converge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from s2e_core.follower import Follower, FollowerConfig
from s2e_core.records import Command, Odometry, Plan
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

CAR = RobotProfile(
    'car', 'car', 0.9, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5, wheelbase=0.5, min_turn_radius=0.7
)
ROUND = RobotProfile('round', 'differential', 0.4, 0.4, 0.4, 10.0, 0.05, 0.3, 1.0, 1.0)


def straight(speed: float, yaw: float = 0.0) -> Plan:
    """Make a straight plan from the origin."""
    steps = 0.2 * speed * np.arange(1, 11)
    return Plan(0, np.stack([np.cos(yaw) * steps, np.sin(yaw) * steps], 1), 0.2)


def test_straight_by_hand() -> None:
    """The waypoint 0.6 s ahead at 1 m/s is 0.6 m away: v = 0.6 / 0.6 = 1, w = 0."""
    command = Follower(CAR).step(0, Odometry(0, Pose2()), straight(1.0))
    assert command.v == pytest.approx(1.0)
    assert command.w == pytest.approx(0.0)


def test_lagging_robot_speeds_up() -> None:
    """At 0.4 s the aim is the point due at 1.0 s, 1.0 m; from 0.3 m: v = 0.7 / 0.6."""
    now = 400_000_000
    command = Follower(CAR).step(now, Odometry(now, Pose2(0.3, 0.0, 0.0)), straight(1.0))
    assert command.v == pytest.approx(0.7 / 0.6)


def test_curvature_by_hand() -> None:
    """Aim (0.6, 0.1): d^2 = 0.37, k = 0.2 / 0.37 = 0.5405, v = 0.6083 / 0.6 = 1.0138."""
    plan = Plan(0, np.array([[0.2, 0.03], [0.4, 0.06], [0.6, 0.1], [0.8, 0.2]]), 0.2)
    command = Follower(CAR).step(0, Odometry(0, Pose2()), plan)
    assert command.v == pytest.approx(math.sqrt(0.37) / 0.6)
    assert command.w == pytest.approx(command.v * 0.2 / 0.37)


def test_turn_slows_to_the_yaw_limit() -> None:
    """Radius 0.7 m (k = 1 / 0.7) at 1.5 rad/s allows 1.05 m/s."""
    plan = Plan(0, np.array([[0.2, 0.6]] * 10), 0.2)
    command = Follower(CAR).step(0, Odometry(0, Pose2()), plan)
    assert command.v == pytest.approx(min(math.hypot(0.2, 0.6) / 0.6, 1.05))
    assert command.w == pytest.approx(command.v / 0.7)


def test_point_behind() -> None:
    """A differential base turns on the spot, a car takes its tightest turn slowly."""
    plan = straight(1.0, yaw=2.5)
    assert Follower(ROUND).step(0, Odometry(0, Pose2()), plan).v == 0.0
    assert Follower(ROUND).step(0, Odometry(0, Pose2()), plan).w == pytest.approx(1.0)
    car = Follower(CAR).step(0, Odometry(0, Pose2()), plan)
    assert car.v == pytest.approx(0.4)
    assert car.w == pytest.approx(0.4 / 0.7)


@pytest.mark.parametrize(
    'plan', [None, Plan(0, np.zeros((0, 2)), 0.2), Plan(-600_000_000, straight(1.0).points, 0.2)]
)
def test_no_empty_or_old_plan_stops(plan: Plan | None) -> None:
    """0.6 s is older than the 0.5 s that a plan is good for."""
    command = Follower(CAR).step(0, Odometry(0, Pose2()), plan)
    assert (command.v, command.w) == (0.0, 0.0)


def test_waiting_plan_stands_still() -> None:
    """Waypoints within 2 cm ask for 0.03 m/s: below the 0.05 m/s that counts as driving."""
    plan = Plan(0, np.full((10, 2), 0.012), 0.2)
    assert Follower(CAR).step(0, Odometry(0, Pose2()), plan).v == 0.0


@pytest.mark.parametrize('robot', [CAR, ROUND])
@pytest.mark.parametrize('offset', [-0.4, 0.4])
def test_converges_to_a_line(robot: RobotProfile, offset: float) -> None:
    """From 0.4 m beside a line, re-planned each 0.2 s towards it, the robot ends on it."""
    follower, pose = Follower(robot), Pose2(0.0, offset, 0.0)
    for tick in range(160):
        now = tick * 50_000_000
        if tick % 4 == 0:
            ahead = pose.x + 0.16 * np.arange(1, 11)
            blend = offset_after(pose.y, np.arange(1, 11))
            plan = Plan(now, np.stack([ahead, blend], 1), 0.2)
        command = follower.step(now, Odometry(now, pose), plan)
        pose = pose.compose(Pose2(command.v * 0.05, 0.0, command.w * 0.05))
    assert abs(pose.y) < 0.02
    assert abs(pose.yaw) < 0.05


def offset_after(offset: float, steps: np.ndarray) -> np.ndarray:
    """Return a lateral offset that halves each 0.6 s."""
    return offset * 0.5 ** (steps / 3.0)


def test_a_point_behind_is_turned_to_even_when_turning_on_the_spot_begins_late() -> None:
    """turn_on_spot 3.2 rad never applies, yet the curvature to a point behind is infinite."""
    follower = Follower(ROUND, FollowerConfig(turn_on_spot=3.2))
    for yaw in (math.pi, 2.5, -2.5, 1.58):
        command = follower.step(0, Odometry(0, Pose2()), straight(1.0, yaw=yaw))
        assert command.finite, f'yaw {yaw}: {command}'
        # w = min(w_max 1.0, 2 x bearing) towards the point.
        assert (command.v, abs(command.w)) == (0.0, 1.0)
    # 80 degrees: x = 0.6 cos 80 > 0, the curve is driven.
    ahead = follower.step(0, Odometry(0, Pose2()), straight(1.0, yaw=math.radians(80)))
    assert ahead.v > 0 and ahead.finite


SIDEWAYS = RobotProfile(
    'mecanum', 'holonomic', 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 1.0, vy_max=0.5
)


def two_steps(robot: RobotProfile, plan: Plan, here: Pose2, **settings: float) -> Command:
    """Take the plan at its stamp from the origin, and answer 0.1 s later from somewhere."""
    follower = Follower(robot, FollowerConfig(**settings))
    follower.step(0, Odometry(0, Pose2()), plan)
    return follower.step(100_000_000, Odometry(100_000_000, here), plan)


@pytest.mark.parametrize('yaw', [0.0, 0.4])
def test_holonomic_base_on_its_path_drives_like_any_other(yaw: float) -> None:
    """At 0.1 s of 1 m/s it is 0.1 m along: nothing to sidestep, wherever the path leads next."""
    plan = straight(1.0, yaw)
    here = Pose2(0.1 * math.cos(yaw), 0.1 * math.sin(yaw), 0.0)
    other, command = two_steps(ROUND, plan, here), two_steps(SIDEWAYS, plan, here)
    assert (command.v, command.w, command.vy) == pytest.approx((other.v, other.w, 0.0))


@pytest.mark.parametrize(
    ('y', 'share', 'vy', 'left'),
    [
        # 0.12 m to the right of the path: 0.12 / 0.6 = 0.2 m/s to the left, no turn.
        (-0.12, 1.0, 0.2, 0.0),
        # Half of it is sidestepped, the other 0.06 m are steered.
        (-0.12, 0.5, 0.1, 0.06),
        # 0.6 m to the left: the base can do 0.5 m/s x 0.6 s = 0.3 m, 0.3 m are steered.
        (0.6, 1.0, -0.5, -0.3),
    ],
)
def test_error_aside_by_hand(y: float, share: float, vy: float, left: float) -> None:
    command = two_steps(SIDEWAYS, straight(1.0), Pose2(0.1, y, 0.0), sideways=share)
    distance = math.hypot(0.6, left)
    curvature = 2.0 * left / distance**2
    speed = min(distance / 0.6, 1.0, 1.0 / abs(curvature) if curvature else math.inf)
    assert command.vy == pytest.approx(vy)
    assert command.v == pytest.approx(speed)
    assert command.w == pytest.approx(speed * curvature)


def test_a_plan_whose_beginning_is_unknown_is_only_steered() -> None:
    """Odometry that begins 0.1 s after the image does not say where the plan did."""
    now = 100_000_000
    command = Follower(SIDEWAYS).step(now, Odometry(now, Pose2(0.1, -0.12, 0.0)), straight(1.0))
    assert command.vy == 0.0 and command.w > 0.0


def test_holonomic_base_finds_back_without_turning_away() -> None:
    """A push of 0.2 m off a path of 2 s, closed loop: back on it, and the camera looks ahead."""
    follower = Follower(SIDEWAYS, FollowerConfig(plan_timeout=2.0))
    plan, pose, most = straight(0.5), Pose2(), 0.0
    for tick in range(28):
        now = tick * 50_000_000
        if tick == 1:
            pose = Pose2(pose.x, 0.2, 0.0)
        command = follower.step(now, Odometry(now, pose), plan)
        pose = pose.compose(Pose2(command.v * 0.05, command.vy * 0.05, command.w * 0.05))
        most = max(most, abs(pose.yaw))
    assert abs(pose.y) < 0.02 and most < 0.02
