"""The sabotage of the fault bench: what each word of it does to what the nodes hear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from recorded_node import RecordedNode

from s2e_core.camera import SMALL_CAMERA
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.images import frame_from_image
from s2e_nav.convert.stamps import to_ns
from s2e_nav.faults.senses import NEAR, Senses

SECOND = 10**9


@pytest.fixture
def node():
    return RecordedNode()


@pytest.fixture
def senses(node):
    return Senses(node, sim_time=True)


def look(senses, number, taken=0.0):
    """Show a picture whose pixels are all its number but for the left column, which is 0."""
    picture = np.full((128, 128, 3), number, np.uint8)
    picture[:, 0] = 0
    stamp = number * SECOND
    senses.camera(
        info_from_camera(SMALL_CAMERA, 0, 'camera'), CameraFrame(stamp, picture), taken
    )


def shown(node):
    return [frame_from_image(message) for message in node.sent('camera/image_raw')]


def drive(senses, stamp_s, x, taken=0.0):
    senses.odometry(Odometry(stamp_s * SECOND, Pose2(x, 2.0, 0.0), 0.5, 0.1), taken)


def test_a_healthy_camera_is_passed_on_and_counts_as_good(node, senses):
    look(senses, 7, taken=70.0)
    frame, = shown(node)
    assert frame.stamp_ns == 7 * SECOND and frame.rgb[0, 1, 0] == 7
    assert to_ns(node.sent('camera/camera_info')[0].header.stamp) == 7 * SECOND
    assert senses.last_good['camera'] == 70.0


def test_a_frozen_camera_repeats_the_last_picture_with_new_stamps(node, senses):
    look(senses, 1, taken=10.0)
    senses.sabotage.image = 'frozen'
    look(senses, 2, taken=20.0)
    frame = shown(node)[-1]
    assert (frame.rgb[0, 1, 0], frame.stamp_ns) == (1, 2 * SECOND)
    assert senses.last_good['camera'] == 10.0


@pytest.mark.parametrize(('image', 'pixel', 'size'), [
    # The left column is 0: mirrored, it is the last.
    ('black', (0, 0), (128, 128)), ('mirrored', (9, 0), (128, 128)), ('size', (0, 9), (64, 64)),
])
def test_a_picture_is_spoilt(node, senses, image, pixel, size):
    senses.sabotage.image = image
    look(senses, 9)
    rgb = shown(node)[0].rgb
    assert rgb.shape[:2] == size
    assert (rgb[0, 0, 0], rgb[0, -1, 0]) == pixel
    assert senses.last_good['camera'] == 0.0


def test_without_pictures_intrinsics_go_on_unless_they_are_off_too(node, senses):
    senses.sabotage.image = 'off'
    look(senses, 1)
    senses.sabotage.info = False
    look(senses, 2)
    assert not node.sent('camera/image_raw')
    assert len(node.sent('camera/camera_info')) == 1


def test_the_encoding_is_a_lie(node, senses):
    senses.sabotage.image = 'encoding'
    look(senses, 1)
    assert node.sent('camera/image_raw')[0].encoding == '16UC1'


def test_half_the_rate_is_every_second_picture_and_a_shift_moves_both_stamps(node, senses):
    senses.sabotage.camera_every, senses.sabotage.camera_shift = 2, -5.0
    for number in (11, 12, 13, 14):
        look(senses, number)
    # 12 and 14 of four, five seconds back.
    assert [frame.stamp_ns for frame in shown(node)] == [7 * SECOND, 9 * SECOND]
    infos = node.sent('camera/camera_info')
    assert [to_ns(info.header.stamp) for info in infos] == [7 * SECOND, 9 * SECOND]


@pytest.mark.parametrize(('odometry', 'x', 'v'), [
    ('frozen', 1.0, 0.0), ('jump', 5.0, 0.5), ('nan', math.nan, 0.5),
])
def test_odometry_is_spoilt(node, senses, odometry, x, v):
    drive(senses, 1, 1.0, taken=10.0)
    senses.sabotage.odometry = odometry
    # Frozen, it stays at 1; it jumps from 2 by 3 m.
    drive(senses, 2, 2.0, taken=20.0)
    message = node.sent('odom')[-1]
    assert message.pose.pose.position.x == pytest.approx(x, nan_ok=True)
    assert message.twist.twist.linear.x == v
    assert to_ns(message.header.stamp) == 2 * SECOND
    assert senses.last_good['odometry'] == 10.0


def test_odometry_that_is_off_says_nothing(node, senses):
    senses.sabotage.odometry = 'off'
    drive(senses, 1, 1.0)
    assert not node.sent('odom')


def test_a_stopped_clock_stands_and_all_stamps_with_it(node, senses):
    senses.tell_time(senses.told_ns(10 * SECOND))
    senses.sabotage.clock = False
    senses.tell_time(senses.told_ns(11 * SECOND))
    assert [to_ns(message.clock) for message in node.sent('/clock')] == [10 * SECOND]
    assert senses.stamp_ns(12 * SECOND) == 10 * SECOND


def test_a_clock_set_back_takes_all_stamps_along(node, senses):
    senses.sabotage.clock_shift = -5.0
    senses.tell_time(senses.told_ns(10 * SECOND))
    assert to_ns(node.sent('/clock')[0].clock) == 5 * SECOND
    assert senses.stamp_ns(11 * SECOND) == 6 * SECOND


def test_what_steps_before_the_nose_fills_twenty_degrees_ahead(node, senses):
    senses.sabotage.scan = 'near'
    senses.scan(np.full(360, 4.0), SECOND, 1.0)
    ranges = np.array(node.sent('scan')[0].ranges)
    # Beam k looks to k - 180 degrees: from 170 to 190 is 10 degrees to either side.
    assert np.flatnonzero(ranges < 1.0).tolist() == list(range(170, 191))
    assert ranges[180] == pytest.approx(NEAR) and ranges[0] == 4.0
    assert senses.last_good['scan'] == 0.0
    senses.sabotage.scan = 'free'
    senses.scan(np.full(360, 4.0), SECOND, 1.0)
    assert min(node.sent('scan')[1].ranges) == 4.0 and senses.last_good['scan'] == 1.0
    for word in ('off', 'none'):
        senses.sabotage.scan = word
        senses.scan(np.full(360, 4.0), SECOND, 2.0)
    assert len(node.sent('scan')) == 2


def test_commands_held_back_come_all_at_once(node, senses):
    senses.sabotage.driver = 'drives'
    for beat in range(4):
        senses.beat(beat, float(beat))
    # Every second beat: 0 and 2.
    assert [to_ns(m.header.stamp) for m in node.sent('cmd_vel_teleop')] == [0, 2]
    senses.sabotage.driver = 'held'
    for beat in range(4, 8):
        senses.beat(beat, float(beat))
    assert len(node.sent('cmd_vel_teleop')) == 2 and senses.last_good['driver'] == 2.0
    senses.sabotage.driver = 'drives'
    senses.beat(8, 8.0)
    assert [to_ns(m.header.stamp) for m in node.sent('cmd_vel_teleop')] == [0, 2, 4, 6, 8]
    # A clock that still says 8: the gate takes it for the command of before.
    senses.beat(8, 9.0)
    senses.beat(8, 10.0)
    assert senses.last_good['driver'] == 8.0
    senses.sabotage.driver = 'lost'
    senses.beat(9, 11.0)
    senses.beat(10, 12.0)
    assert len(node.sent('cmd_vel_teleop')) == 6


def test_the_e_stop_beats_at_every_fifth_once_it_speaks(node, senses):
    for beat in range(5):
        senses.beat(beat, 0.0)
    assert not node.sent('e_stop')
    senses.sabotage.e_stop = True
    for beat in range(5, 15):
        senses.beat(beat, 0.0)
    # At beats 5 and 10.
    assert [message.data for message in node.sent('e_stop')] == [True, True]
    assert senses.heartbeats == 2
