"""Parts of the nodes that need no ROS graph."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_core.stops import Reason
from s2e_nav.episodes.sequence import Sequence
from s2e_nav.errors import InputError
from s2e_nav.gate.drivers import LockstepDriver, SteadyDriver
from s2e_nav.odometry_buffer import OdometryBuffer
from s2e_nav.policy.intake import Intake

SECOND = 1_000_000_000


def odometry(seconds: float, x: float = 0.0, yaw: float = 0.0) -> Odometry:
    return Odometry(round(seconds * SECOND), Pose2(x, 0.0, yaw), x, 0.0)


def test_odometry_is_interpolated_over_the_turn_of_pi():
    buffer = OdometryBuffer()
    buffer.add(odometry(1.0, 2.0, math.pi - 0.1))
    buffer.add(odometry(1.1, 4.0, -math.pi + 0.1))
    middle = buffer.at(round(1.05 * SECOND))
    assert middle is not None
    assert middle.pose.x == pytest.approx(3.0)
    assert abs(middle.pose.yaw) == pytest.approx(math.pi)
    assert buffer.at(round(1.1 * SECOND)) is buffer.newest


def test_odometry_outside_is_given_within_the_slack_only():
    buffer = OdometryBuffer()
    buffer.add(odometry(1.0))
    assert buffer.at(round(1.05 * SECOND)) is None
    assert buffer.at(round(1.05 * SECOND), 60_000_000) is not None
    buffer.add(odometry(0.5))
    assert buffer.at(SECOND) is None, 'a stamp that goes back begins anew'


def image(stamp: int, size: int = 128) -> CameraFrame:
    return CameraFrame(stamp, np.zeros((size, size, 3), np.uint8))


def test_the_slot_keeps_the_newest_image_and_counts_the_others():
    intake = Intake(SMALL_CAMERA, lockstep=False)
    intake.set_camera(SMALL_CAMERA)
    intake.add_odometry(odometry(1.0))
    for step in range(3):
        stamp = SECOND + step
        intake.offer(stamp, lambda stamp=stamp: image(stamp))
    sample = intake.take(0.0)
    assert sample is not None and sample.frame.stamp_ns == SECOND + 2
    assert intake.dropped == 2
    assert intake.take(0.0) is None


@pytest.mark.parametrize('size', [128, 320])
def test_what_is_remembered_survives_the_next_image(size):
    """A decoder may write every image into the same memory, also one of the policy's own view."""
    camera = SMALL_CAMERA.scaled(size, size)
    intake, memory = Intake(SMALL_CAMERA, lockstep=False), np.zeros((size, size, 3), np.uint8)
    intake.set_camera(camera)

    def decode(stamp: int, grey: int) -> CameraFrame:
        memory[:] = grey
        return CameraFrame(stamp, memory)

    seen = []
    for step, grey in enumerate((40, 200)):
        stamp = SECOND + step * 200_000_000
        intake.add_odometry(odometry(stamp / SECOND))
        intake.offer(stamp, lambda stamp=stamp, grey=grey: decode(stamp, grey))
        seen.append(intake.take(0.0).frame.rgb)
    assert (seen[0] == 40).all() and (seen[1] == 200).all()


def test_a_fast_camera_is_thinned_to_the_policy_period():
    # 15 Hz: after an image at 1.000 the ones at 1.067 and 1.133 are passed over, 1.200 is taken.
    intake = Intake(SMALL_CAMERA, lockstep=False)
    intake.set_camera(SMALL_CAMERA)
    taken = []
    for index in range(10):
        stamp = SECOND + round(index * SECOND / 15)
        intake.add_odometry(Odometry(stamp, Pose2()))
        intake.offer(stamp, lambda stamp=stamp: image(stamp))
        sample = intake.take(0.0)
        if sample is not None:
            taken.append(index)
    assert taken == [0, 3, 6, 9]


def test_lockstep_waits_for_odometry_of_the_very_stamp():
    intake = Intake(SMALL_CAMERA, lockstep=True)
    intake.set_camera(SMALL_CAMERA)
    intake.add_odometry(odometry(0.95))
    intake.offer(SECOND, lambda: image(SECOND))
    assert intake.take(0.0) is None
    intake.add_odometry(odometry(1.0, 3.0))
    sample = intake.take(0.0)
    assert sample is not None and sample.odometry.pose.x == 3.0


def test_an_image_without_odometry_near_it_is_refused():
    intake = Intake(SMALL_CAMERA, lockstep=False)
    intake.set_camera(SMALL_CAMERA)
    intake.add_odometry(odometry(0.5))
    intake.offer(SECOND, lambda: image(SECOND))
    with pytest.raises(InputError, match='no odometry within 100 ms'):
        intake.take(0.0)


def test_a_camera_with_a_narrow_view_is_named():
    intake = Intake(SMALL_CAMERA, lockstep=False)
    problem = intake.set_camera(CameraModel.from_fov(640, 480, math.radians(30)))
    assert problem is not None and 'of the view' in problem and 'needs 50%' in problem
    # tan(15 deg) / 1 across, three quarters of it upwards: 0.268 x 0.201 = 5 %.
    assert Intake(SMALL_CAMERA, lockstep=False, coverage=0.05).set_camera(
        CameraModel.from_fov(640, 480, math.radians(30))
    ) is None


@pytest.mark.parametrize(('unseen', 'value'), [('black', 0), ('edge', 200)])
def test_what_a_narrow_camera_leaves_unseen_is_as_the_policy_wants_it(unseen, value):
    intake = Intake(SMALL_CAMERA, lockstep=False, coverage=0.05, unseen=unseen)
    intake.set_camera(CameraModel.from_fov(640, 480, math.radians(60)))
    intake.add_odometry(odometry(1.0))
    seen = CameraFrame(SECOND, np.full((480, 640, 3), 200, np.uint8))
    intake.offer(SECOND, lambda: seen)
    view = intake.take(0.0).frame.rgb
    assert (view[64, :20] == value).all() and (view[64, 64] == 200).all()


def test_the_gate_waits_for_the_whole_tick():
    steps: list[int] = []
    driver = LockstepDriver(lambda now, stamp: steps.append(now))
    driver.heard('odom', 200_000_000)
    driver.heard('command', 200_000_000)
    assert steps == [], 'an image tick needs the camera'
    driver.heard('camera', 200_000_000)
    driver.heard('odom', 200_000_000)
    assert steps == [200_000_000], 'one answer a tick'
    driver.heard('command', 250_000_000)
    driver.heard('odom', 250_000_000)
    assert steps == [200_000_000, 250_000_000]


def test_stamps_age_on_the_steady_clock_when_the_ros_clock_stands_still():
    driver = SteadyDriver(lambda now, stamp: None, lambda: 5 * SECOND, 0.05, print, print)
    first = driver.local_ns('odom', 4 * SECOND)
    assert driver.now_ns() - first >= SECOND
    # The same stamp again is no news: its age goes on growing.
    assert driver.local_ns('odom', 4 * SECOND) == first
    assert driver.local_ns('camera', 4 * SECOND) >= first
    assert driver.local_ns('odom', 4 * SECOND + 1) > first


def test_before_simulated_time_comes_every_stamp_is_old():
    """A clock at 0 would put a stamp of now half a century ahead."""
    driver = SteadyDriver(lambda now, stamp: None, lambda: 0, 0.05, print, print)
    assert driver.local_ns('autonomy', 1_800_000_000 * SECOND) <= driver.now_ns() - SECOND


def test_a_run_waits_for_everybody_and_repeats_a_lost_goal():
    run = Sequence(timeout=10.0)
    assert run.step(bridge=True, now_s=0.0) == ''
    run.policy('idle', 0)
    assert run.step(bridge=True, now_s=1.0) == ''
    run.gate(0)
    assert run.step(bridge=True, now_s=2.0) == 'next'
    assert run.step(bridge=True, now_s=2.1) == ''
    run.ready(12 * SECOND)
    assert run.step(bridge=True, now_s=3.0) == 'goal'
    assert run.step(bridge=True, now_s=3.5) == ''
    assert run.step(bridge=True, now_s=4.1) == 'goal'
    run.policy('navigating', 12 * SECOND)
    assert run.step(bridge=True, now_s=4.2) == ''
    run.gate(12 * SECOND)
    assert run.step(bridge=True, now_s=4.3) == 'start'
    assert run.step(bridge=True, now_s=99.0) == ''
    run.over()
    assert run.step(bridge=True, now_s=99.1) == 'next'


def test_a_run_names_who_is_missing():
    run = Sequence(timeout=10.0)
    run.gate(0)
    run.step(bridge=True, now_s=0.0)
    assert run.step(bridge=True, now_s=11.0) == 'not there after 10 s: policy (active)'


def test_a_driver_tells_when_it_was_frozen_and_when_the_clock_went_back():
    clock, stops, steps = [9 * SECOND], [], threading.Event()
    driver = SteadyDriver(
        lambda now, stamp: steps.set(), lambda: clock[0], 0.01,
        lambda reason, detail: stops.append(reason), print,
    )
    old = driver.local_ns('odom', 9 * SECOND)
    driver.start()
    assert steps.wait(10.0) and not stops
    clock[0] = 5 * SECOND
    steps.clear()
    assert steps.wait(10.0)
    assert stops == [Reason.CLOCK_JUMP]
    assert driver.local_ns('odom', 5 * SECOND) > old, 'lower stamps are news too'
    driver.stop()
    # The same look, half a second and more after the last: as after SIGSTOP and SIGCONT.
    driver._look_at_clocks(driver.now_ns() + 600_000_000, 5 * SECOND)
    assert stops == [Reason.CLOCK_JUMP, Reason.GATE_FROZEN]


def test_with_goals_of_the_user_the_world_starts_at_once():
    run = Sequence(timeout=10.0, own_goals=False)
    run.policy('idle', 0)
    run.gate(0)
    assert run.step(bridge=True, now_s=0.0) == 'next'
    run.ready(12 * SECOND)
    assert run.step(bridge=True, now_s=0.1) == 'start'
    assert run.step(bridge=True, now_s=9.0) == ''
