"""Poses, plans, cameras, modes, scans: there and back without loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo

from s2e_core.camera import SMALL_CAMERA, CameraModel, CameraMount
from s2e_core.contract import PolicyOutput
from s2e_core.records import Command, Odometry, Plan
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import camera_from_info, info_from_camera
from s2e_nav.convert.commands import (
    command_from_stamped,
    command_from_twist,
    stamped_from_command,
    twist_from_command,
)
from s2e_nav.convert.modes import markers_from_output, output_from_markers
from s2e_nav.convert.plans import path_from_plan, plan_from_path
from s2e_nav.convert.poses import (
    message_from_odometry,
    odometry_from_message,
    transform_from_matrix,
    yaw_of,
)
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError

finite = st.floats(-1e6, 1e6)
stamps = st.integers(0, 2**31 * 1_000_000_000 - 1)


@given(stamps)
def test_stamps_are_exact(stamp):
    assert to_ns(to_time(stamp)) == stamp


@given(stamps, finite, finite, st.floats(-3.14159, 3.14159), finite, finite)
def test_odometry_of_a_rounded_yaw_is_exact(stamp, x, y, yaw, v, w):
    odometry = Odometry(stamp, Pose2(x, y, round(yaw, 9)), v, w)
    assert odometry_from_message(message_from_odometry(odometry)) == odometry


def test_yaw_of_a_tilted_quaternion_is_its_heading():
    # Yaw 90 deg then pitch 60 deg: q = qz * qy, and the x axis still points along +y.
    a, b = math.pi / 4, math.pi / 6
    q = Quaternion(w=math.cos(a) * math.cos(b), x=-math.sin(a) * math.sin(b),
                   y=math.cos(a) * math.sin(b), z=math.sin(a) * math.cos(b))
    assert yaw_of(q) == pytest.approx(math.pi / 2, abs=1e-9)


def test_a_quaternion_without_length_is_refused():
    with pytest.raises(ConversionError, match='unit length'):
        yaw_of(Quaternion(w=0.0))


def test_odometry_that_is_not_finite_reaches_the_gate():
    message = message_from_odometry(Odometry(5, Pose2(1.0, 2.0, 0.0)))
    message.pose.pose.position.x = math.nan
    message.pose.pose.orientation.w = math.nan
    odometry = odometry_from_message(message)
    assert not odometry.finite and math.isnan(odometry.pose.yaw)


@given(stamps, finite, finite, finite)
def test_commands_are_exact(stamp, v, w, vy):
    command = Command(stamp, v, w, vy)
    assert command_from_stamped(stamped_from_command(command)) == command
    assert command_from_twist(twist_from_command(command), stamp) == command


@given(stamps, st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_plans_are_exact(stamp, seed, count):
    points = np.random.default_rng(seed).normal(size=(count, 2))
    back = plan_from_path(path_from_plan(Plan(stamp, points, 0.2, 3)))
    assert (back.stamp_ns, back.dt) == (stamp, 0.2)
    np.testing.assert_array_equal(back.points, points)


def test_the_last_waypoint_is_due_after_two_seconds():
    path = path_from_plan(Plan(1_000_000_000, np.zeros((10, 2)), 0.2))
    assert to_ns(path.poses[-1].header.stamp) == 3_000_000_000


def test_an_uneven_or_infinite_path_is_refused():
    path = path_from_plan(Plan(0, np.zeros((3, 2)), 0.2))
    path.poses[1].header.stamp.nanosec += 50_000_000
    with pytest.raises(ConversionError, match='evenly'):
        plan_from_path(path)
    path = path_from_plan(Plan(0, np.array([[1.0, math.inf]]), 0.2))
    with pytest.raises(ConversionError, match='not finite'):
        plan_from_path(path)


@pytest.mark.parametrize('camera', [
    SMALL_CAMERA,
    CameraModel.from_fov(640, 480, 1.2),
    CameraModel(640, 480, 400, 401, 322, 239, 'plumb_bob', (0.1, -0.2, 0.001, 0.002, 0.05)),
    CameraModel(640, 480, 400, 401, 322, 239, 'equidistant', (0.1, -0.2, 0.001, 0.002)),
])
def test_cameras_survive(camera):
    assert camera_from_info(info_from_camera(camera, 4, 'optical')) == camera


def test_an_uncalibrated_or_strange_camera_is_refused():
    with pytest.raises(ConversionError, match='not calibrated'):
        camera_from_info(CameraInfo(width=4, height=3))
    info = info_from_camera(SMALL_CAMERA, 0, '')
    info.distortion_model, info.d = 'double_sphere', [0.1, 0.2]
    with pytest.raises(ConversionError, match="got 'double_sphere'"):
        camera_from_info(info)


def test_modes_survive_with_choice_and_reasons():
    rng = np.random.default_rng(1)
    output = PolicyOutput(
        9_000_000_000, rng.normal(size=(8, 10, 2)).astype(np.float32),
        rng.dirichlet(np.ones(8)).astype(np.float32),
    )
    array = markers_from_output(output, 2, {5: 'speed 3.0 m/s above 2.2'})
    lines = {m.id: m for m in array.markers if m.ns == 'modes' and m.action == 0}
    assert lines[2].scale.x > lines[3].scale.x
    assert lines[5].text.endswith('rejected speed 3.0 m/s above 2.2')
    texts = [m.text for m in array.markers if m.ns == 'labels']
    assert f'{output.scores[2]:.2f}' in texts
    back = output_from_markers(array)
    assert back is not None and back[1] == 2
    np.testing.assert_array_equal(back[0].modes, output.modes)
    np.testing.assert_array_equal(back[0].scores, output.scores)
    assert back[0].stamp_ns == output.stamp_ns


def test_no_modes_are_no_output():
    array = markers_from_output(
        PolicyOutput(1, np.zeros((1, 10, 2), np.float32), np.ones(1, np.float32)), None, {}
    )
    array.markers = array.markers[:1]
    assert output_from_markers(array) is None


def test_the_optical_frame_looks_ahead_and_down():
    # Pitch 0.1 down: the optical axis in base_link is (cos 0.1, 0, -sin 0.1).
    matrix = CameraMount(0.3, 0.0, 0.6, 0.1).base_from_optical()
    message = transform_from_matrix(matrix, 0, 'base_link', 'optical')
    q = message.transform.rotation
    # Third column of the rotation matrix of q.
    axis = (2 * (q.x * q.z + q.w * q.y), 2 * (q.y * q.z - q.w * q.x), 1 - 2 * (q.x**2 + q.y**2))
    assert axis == pytest.approx((math.cos(0.1), 0.0, -math.sin(0.1)), abs=1e-12)


def test_a_scan_covers_the_turn():
    ranges = np.full(360, np.inf, np.float32)
    scan = scan_from_ranges(ranges, 1, 10.0)
    assert len(scan.ranges) == 360 and scan.range_max == 10.0
    assert scan.angle_max == pytest.approx(math.pi - scan.angle_increment)
