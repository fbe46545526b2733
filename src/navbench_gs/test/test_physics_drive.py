"""The robots drive as their profiles say: ramps, straight lines, circles, time-out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.physics import PhysicsWorld, WorldTemplate
from navbench_gs.physics.base import STEER_RATE, BaseController
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.records import Command
from s2e_core.robot import RobotProfile, load_robot
from s2e_core.se2 import Pose2

TICK = 50_000_000
MECANUM = RobotProfile(
    'mecanum', 'holonomic', 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 2.0, vy_max=0.6
)


def flat_map(cells: int = 400) -> CollisionMap:
    """A flat, empty square around the origin."""
    free = np.zeros((cells, cells), bool)
    corner = -cells * 0.05
    return CollisionMap(0.1, np.array([corner, corner]), free, np.zeros_like(free, np.float32),
                        ~free, np.zeros((0, 7), np.float32))


def make_world(name: str, start: Pose2 | None = None, latency: float = 0.0) -> PhysicsWorld:
    template = WorldTemplate(load_robot(name), flat_map())
    return PhysicsWorld(template, start or Pose2(), latency=latency)


def drive(
    world: PhysicsWorld, v: float, w: float, seconds: float, now: int = 0, vy: float = 0.0
) -> int:
    for _ in range(round(seconds / 0.05)):
        world.command(Command(now + 1, v, w, vy), now)
        world.step(now, 5)
        now += TICK
    return now


def test_straight_line_is_the_ramp_and_then_the_speed() -> None:
    # coco: a_max 1 m/s^2 to 1 m/s takes 1 s and 0.5 m; the second second adds 1 m: 1.5 m.
    # The ramp is sampled every 10 ms and the servo lags by 30 ms: up to 4 cm less or more.
    world = make_world('coco')
    drive(world, 1.0, 0.0, 2.0)
    assert world.pose2().x == pytest.approx(1.5, abs=0.04)
    assert world.pose2().y == pytest.approx(0.0, abs=1e-6)
    assert world.velocity()[0] == pytest.approx(1.0, abs=0.01)


def test_stop_takes_the_stop_deceleration() -> None:
    # From 1 m/s with 2 m/s^2: 0.5 s and v^2 / 2a = 0.25 m.
    world = make_world('coco')
    now = drive(world, 1.0, 0.0, 2.0)
    before = world.pose2().x
    drive(world, 0.0, 0.0, 1.0, now)
    assert world.pose2().x - before == pytest.approx(0.25, abs=0.05)
    assert abs(world.velocity()[0]) < 1e-3


def test_car_drives_the_circle_it_is_asked_for() -> None:
    # v/w = 1 m is the radius of the rear axle's middle; base_link lies half a wheelbase
    # (0.25 m) ahead of it: sqrt(1 + 0.25^2) = 1.0308 m.
    world = make_world('coco')
    now = drive(world, 0.8, 0.8, 3.0)
    points = []
    for _ in range(70):
        now = drive(world, 0.8, 0.8, 0.1, now)
        points.append((world.pose2().x, world.pose2().y))
    assert fitted_radius(np.array(points)) == pytest.approx(1.0308, abs=0.02)


def test_car_turns_no_tighter_than_its_profile() -> None:
    # Asked for w = 1.5 at v = 0.5 (radius 0.33 m) the car gives 0.7 m: w = 0.5 / 0.7 = 0.714.
    world = make_world('coco')
    drive(world, 0.5, 1.5, 4.0)
    assert world.velocity()[1] == pytest.approx(0.714, abs=0.02)


def test_car_stands_when_asked_to_turn_on_the_spot() -> None:
    world = make_world('coco')
    drive(world, 0.0, 1.0, 2.0)
    pose = world.pose2()
    assert math.hypot(pose.x, pose.y) < 0.01
    assert abs(pose.yaw) < 0.02


def test_differential_base_turns_on_the_spot() -> None:
    # 1 rad/s for 3 s less the ramp of 1/7.7 s: 3 - 1/(2 x 7.7) = 2.935 rad.
    world = make_world('turtlebot4')
    drive(world, 0.0, 1.0, 3.0)
    pose = world.pose2()
    assert pose.yaw == pytest.approx(2.935, abs=0.05)
    assert math.hypot(pose.x, pose.y) < 0.02


def test_holonomic_base_goes_ahead_and_aside_at_once() -> None:
    # 1 m/s^2: 0.8 m/s after 0.8 s and 0.32 m, then 1.2 s: 1.28 m ahead; aside 0.4 s and 0.08 m,
    # then 1.6 s at 0.4 m/s: 0.72 m. The servo lags by 30 ms and the skids drag a little.
    world = PhysicsWorld(WorldTemplate(MECANUM, flat_map()), Pose2())
    now = drive(world, 0.8, 0.0, 2.0, vy=0.4)
    here = world.pose2()
    assert (here.x, here.y) == pytest.approx((1.28, 0.72), abs=0.04)
    assert here.yaw == pytest.approx(0.0, abs=0.01)
    # It cannot go aside faster than its profile says, and stops like any base.
    now = drive(world, 0.0, 0.0, 1.5, now, vy=5.0)
    before = world.pose2()
    now = drive(world, 0.0, 0.0, 0.5, now, vy=5.0)
    assert world.pose2().y - before.y == pytest.approx(0.5 * MECANUM.vy_max, abs=0.02)
    drive(world, 0.0, 0.0, 1.0, now)
    assert np.abs(world.data.qvel[:6]).max() < 1e-3


def test_a_base_without_side_speed_ignores_it() -> None:
    world = make_world('turtlebot4')
    drive(world, 0.0, 0.0, 1.0, vy=0.4)
    assert world.pose2().y == pytest.approx(0.0, abs=1e-6)


def test_speed_limits_hold() -> None:
    world = make_world('turtlebot4')
    drive(world, 5.0, 0.0, 3.0)
    assert world.velocity()[0] == pytest.approx(0.46, abs=0.01)


def test_base_stops_by_itself_when_commands_end() -> None:
    # 1 m/s, time-out 0.5 s (0.5 m), then 2 m/s^2 (0.25 m): at rest after 1 s and 0.75 m.
    world = make_world('coco')
    now = drive(world, 1.0, 0.0, 2.0)
    before = world.pose2().x
    for _ in range(24):
        world.step(now, 5)
        now += TICK
    assert world.base.timed_out(now)
    assert abs(world.velocity()[0]) < 1e-3
    assert world.pose2().x - before == pytest.approx(0.75, abs=0.08)


def test_a_repeated_stamp_is_not_fresh() -> None:
    base = BaseController(load_robot('coco'))
    base.accept(Command(100, 1.0, 0.0), 0)
    base.accept(Command(100, 1.0, 0.0), 400_000_000)
    base.accept(Command(99, 1.0, 0.0), 400_000_000)
    assert not base.timed_out(500_000_000)
    assert base.timed_out(500_000_001)


def test_commands_that_are_not_finite_are_ignored() -> None:
    base = BaseController(load_robot('coco'))
    base.accept(Command(1, math.nan, 0.0), 0)
    assert base.timed_out(0)


def test_latency_delays_the_first_motion() -> None:
    base = BaseController(load_robot('coco'), latency=0.1)
    base.accept(Command(1, 1.0, 0.0), 0)
    assert base.step(90_000_000, 0.01).left == 0.0
    # a_max x 10 ms = 0.01 m/s on wheels of 0.13 m.
    assert base.step(100_000_000, 0.01).left == pytest.approx(0.01 / 0.13)


def test_steering_slews_and_opens_by_ackermann() -> None:
    base = BaseController(load_robot('coco'))
    now = 0
    base.accept(Command(1, 1.0, 1.0), now)
    first = base.step(now, 0.01)
    bicycle = math.atan(0.5 * base.curvature)
    assert bicycle == pytest.approx(STEER_RATE * 0.01)
    assert first.steer_left > first.steer_right > 0.0
    for _ in range(40):
        now += 10_000_000
        last = base.step(now, 0.01)
    # Radius 1 m: atan(0.5 / (1 -+ 0.25)) on the left and right wheel.
    assert last.steer_left == pytest.approx(math.atan2(0.5, 0.75))
    assert last.steer_right == pytest.approx(math.atan2(0.5, 1.25))
    # Driven wheels: v (1 -+ 0.25) / 0.13 after 0.41 s of 1 m/s^2.
    assert last.left == pytest.approx(0.41 * 0.75 / 0.13)
    assert last.right == pytest.approx(0.41 * 1.25 / 0.13)


def test_reverse_steers_to_the_same_yaw_rate() -> None:
    # Backwards with w > 0 the curvature is negative: w / v.
    world = make_world('coco')
    drive(world, -0.5, 0.3, 3.0)
    assert world.velocity()[1] == pytest.approx(0.3, abs=0.02)
    assert world.velocity()[0] == pytest.approx(-0.5, abs=0.02)


def test_equal_commands_give_equal_bytes() -> None:
    states = []
    for _ in range(2):
        world = make_world('coco', Pose2(1.0, 2.0, 0.5))
        now = drive(world, 1.2, 0.4, 1.0)
        drive(world, 0.7, -0.6, 1.0, now)
        states.append(world.data.qpos.tobytes() + world.data.qvel.tobytes())
    assert states[0] == states[1]


def fitted_radius(points: np.ndarray) -> float:
    """Least-squares circle through points [N, 2] (Kasa 1976)."""
    matrix = np.column_stack([2.0 * points, np.ones(len(points))])
    a, b, c = np.linalg.lstsq(matrix, (points**2).sum(axis=1), rcond=None)[0]
    return math.sqrt(c + a * a + b * b)
