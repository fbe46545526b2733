"""Odometry drifts by the protocol's amounts, signs drawn from the seed."""

from __future__ import annotations

import math

import pytest

from navbench_gs.sensors.odometry import Drift, DriftingOdometry
from s2e_core.errors import ConfigError
from s2e_core.se2 import Pose2


def straight(odometry: DriftingOdometry, start: Pose2, metres: float, steps: int = 400) -> None:
    for k in range(1, steps + 1):
        odometry.update(start.compose(Pose2(metres * k / steps, 0.0, 0.0)))


def test_without_drift_the_pose_is_the_true_motion_since_start() -> None:
    start = Pose2(3.0, -2.0, 0.7)
    odometry = DriftingOdometry(Drift(0.0, 0.0), 5, 20.0, start)
    pose = start
    for k in range(200):
        pose = pose.compose(Pose2(0.05, 0.001 * (k % 3), 0.01))
        odometry.update(pose)
    expected = start.inverse().compose(pose)
    assert odometry.pose.x == pytest.approx(expected.x, abs=1e-9)
    assert odometry.pose.y == pytest.approx(expected.y, abs=1e-9)
    assert odometry.pose.yaw == pytest.approx(expected.yaw, abs=1e-9)


def test_twenty_metres_drift_by_half_a_percent_and_0_4_degrees() -> None:
    odometry = DriftingOdometry(Drift(), 1, 20.0, Pose2())
    straight(odometry, Pose2(), 20.0)
    assert abs(math.degrees(odometry.pose.yaw)) == pytest.approx(0.4, abs=1e-6)
    length = math.hypot(odometry.pose.x, odometry.pose.y)
    # 20 m x (1 +- 0.005); the arc's chord is shorter by 20 x 0.007^2 / 24 = 0.04 mm.
    assert abs(length - 20.0) == pytest.approx(0.1, abs=1e-3)
    # Sideways: half the final yaw over the length, 20 x 0.00349 = 0.0698 m.
    assert abs(odometry.pose.y) == pytest.approx(0.0698, abs=1e-3)


def test_signs_come_from_the_seed_and_all_four_occur() -> None:
    drawn = {}
    for seed in range(40):
        odometry = DriftingOdometry(Drift(), seed, 20.0, Pose2())
        again = DriftingOdometry(Drift(), seed, 20.0, Pose2())
        assert (odometry.scale, odometry.yaw_rate) == (again.scale, again.yaw_rate)
        key = (odometry.scale > 1.0, odometry.yaw_rate > 0.0)
        drawn[key] = drawn.get(key, 0) + 1
    assert len(drawn) == 4


def test_long_routes_do_not_drift() -> None:
    odometry = DriftingOdometry(Drift(), 1, 60.0, Pose2())
    straight(odometry, Pose2(), 60.0)
    assert odometry.pose.x == pytest.approx(60.0)
    assert odometry.pose.yaw == 0.0


def test_turning_on_the_spot_does_not_drift() -> None:
    odometry = DriftingOdometry(Drift(), 2, 20.0, Pose2())
    for k in range(1, 11):
        odometry.update(Pose2(0.0, 0.0, 0.1 * k))
    assert odometry.pose.yaw == pytest.approx(1.0)


def test_speed_carries_the_same_scale() -> None:
    odometry = DriftingOdometry(Drift(), 1, 20.0, Pose2())
    reading = odometry.read(7, 1.0, 0.2)
    assert reading.stamp_ns == 7
    assert reading.v == pytest.approx(odometry.scale)
    assert reading.w == pytest.approx(0.2 + odometry.yaw_rate)


def test_negative_drift_is_refused() -> None:
    with pytest.raises(ConfigError, match='distance'):
        Drift(distance=-0.1)
