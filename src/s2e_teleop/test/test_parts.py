"""Clock, rate, steering, seats, overlay and journal, each by hand."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.camera import CameraModel, CameraMount, project
from s2e_core.contract import PolicyOutput
from s2e_core.robot import RobotProfile, load_robot
from s2e_teleop.clock import ClockOffset, Sample
from s2e_teleop.journal import Journal, LinkSample, OperatorInput
from s2e_teleop.joystick import JoystickConfig, read_joystick
from s2e_teleop.overlay import (
    ground_of_click,
    lines_from_modes,
    lines_from_path,
    point_of_goal,
)
from s2e_teleop.rates import TokenBucket
from s2e_teleop.seats import Seats
from s2e_teleop.steering import SteeringConfig, command_from_stick

COCO, TURTLEBOT = load_robot('coco'), load_robot('turtlebot4')
MECANUM = RobotProfile(
    'mecanum', 'holonomic', 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 2.0, vy_max=0.3
)
CAMERA, MOUNT = COCO.camera.model(), COCO.camera.mount()


def test_the_clock_offset_is_that_of_the_shortest_round_trip():
    clock = ClockOffset()
    assert not clock.known and clock.round_trip == math.inf
    # 100 ms there, 100 ms back: (10.0 + 10.2) / 2 = 10.1; the page said 510.1.
    clock.add(Sample(10.0, 510.1, 10.2))
    assert clock.offset == pytest.approx(500.0) and clock.uncertainty == pytest.approx(0.1)
    # 300 ms there, 100 ms back: half of 400 ms is wrong by 100 ms; the shorter one stays.
    clock.add(Sample(11.0, 511.3, 11.4))
    assert clock.offset == pytest.approx(500.0)
    clock.add(Sample(12.0, 512.02, 12.04))
    assert clock.offset == pytest.approx(500.0) and clock.uncertainty == pytest.approx(0.02)
    assert clock.round_trip == pytest.approx(0.2), 'the median of 0.2, 0.4 and 0.04'
    assert clock.age(512.5, 12.75) == pytest.approx(0.25)


def test_impossible_and_slow_pings_are_left_out():
    clock = ClockOffset()
    clock.add(Sample(10.0, 1.0, 9.0))
    clock.add(Sample(10.0, 1.0, 16.0))
    assert not clock.known


@given(st.floats(-1e6, 1e6), st.lists(st.tuples(st.floats(0, 0.3), st.floats(0, 0.3)),
                                      min_size=1, max_size=60))
def test_the_error_of_the_offset_is_within_its_bound(truth, ways):
    clock = ClockOffset()
    for k, (there, back) in enumerate(ways):
        sent = float(k)
        clock.add(Sample(sent, sent + there + truth, sent + there + back))
    assert abs(clock.offset - truth) <= clock.uncertainty + 1e-6


def test_a_bucket_of_three_at_ten_a_second():
    bucket = TokenBucket(10.0, 3.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.09) and bucket.take(0.11)
    # 0.11 s brought 1.1 tokens, one was taken; a clock that goes back brings none.
    assert not bucket.take(0.05)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 0.05), max_size=200))
def test_a_bucket_never_gives_more_than_burst_and_rate(waits):
    bucket, now, taken = TokenBucket(20.0, 5.0, 0.0), 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= 5 + 20 * now + 1e-6


def test_the_stick_of_a_car_is_its_steering_wheel():
    config = SteeringConfig(v_reverse=0.3)
    # coco turns at 0.7 m: at 0.6 m/s and half a turn of the wheel 0.5 / 0.7 * 0.6 = 0.429 rad/s.
    command = command_from_stick(1.0, 0.5, 0.6, COCO, config, 7)
    assert (command.stamp_ns, command.v) == (7, 0.6)
    assert command.w == pytest.approx(0.42857, abs=1e-5)
    backwards = command_from_stick(-1.0, 0.5, 0.6, COCO, config, 0)
    assert backwards.v == pytest.approx(-0.3) and backwards.w == pytest.approx(-0.21429, abs=1e-5)
    assert command_from_stick(0.0, 1.0, 0.6, COCO, config, 0).w == 0.0


def test_the_stick_of_a_differential_base_turns_on_the_spot():
    command = command_from_stick(0.0, -1.0, 0.4, TURTLEBOT, SteeringConfig(turn=0.5), 0)
    assert (command.v, command.w) == (0.0, pytest.approx(-0.95))  # 0.5 x 1.9 rad/s


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.05, 1.5))
def test_the_limit_holds(x, y, limit):
    for robot in (COCO, TURTLEBOT):
        command = command_from_stick(x, y, limit, robot, SteeringConfig(), 0)
        assert -min(limit, 0.3) - 1e-9 <= command.v <= limit + 1e-9 and command.finite
        assert abs(command.w) <= max(robot.w_max, limit / 0.7) + 1e-9


def test_only_a_holonomic_base_goes_aside_and_no_faster_into_a_corner():
    # 0.3 m/s aside at most; ahead and aside together are 0.4 and 0.3 m/s: 0.5 m/s, brought to 0.4.
    aside = command_from_stick(0.0, 0.5, 0.4, MECANUM, SteeringConfig(turn=0.5), 0, side=-1.0)
    assert (aside.v, aside.vy) == (0.0, -0.3) and aside.w == pytest.approx(0.5)
    corner = command_from_stick(1.0, 0.0, 0.4, MECANUM, SteeringConfig(), 0, side=1.0)
    assert (corner.v, corner.vy) == (pytest.approx(0.32), pytest.approx(0.24))
    for robot in (COCO, TURTLEBOT):
        assert command_from_stick(0.0, 0.0, 0.4, robot, SteeringConfig(), 0, side=1.0).vy == 0.0


def test_a_joystick_goes_aside_by_an_axis_that_it_may_lack():
    buttons = [0, 0, 0, 0, 1]
    # 0.55 of the way: a dead zone of 0.1 leaves (0.55 - 0.1) / 0.9 = 0.5.
    assert read_joystick([0.0, 0.0, 1.0, 0.55], buttons, JoystickConfig()).stick == (
        0.0, 0.0, pytest.approx(0.5)
    )
    assert read_joystick([0.0, 1.0], buttons, JoystickConfig()).stick == (1.0, 0.0, 0.0)
    none = JoystickConfig(axis_side=-1)
    assert read_joystick([0.0, 0.0, 0.0, 1.0], buttons, none).stick == (0.0, 0.0, 0.0)
    broken = read_joystick([0.0, 0.0, 0.0, math.nan], buttons, JoystickConfig())
    assert broken.stick is None and 'nan' in broken.problem


def test_a_free_seat_is_taken_a_taken_one_is_asked_for():
    seats = Seats(grant_after=10.0)
    seats.join(1, 'Ann')
    seats.join(2, '')
    assert seats.act(1, 'take', 0.0) == '' and seats.driver == 1 and seats.watchers == 1
    assert 'Ann drives' in seats.act(2, 'take', 1.0)
    assert seats.act(2, 'grant', 1.0) == 'only the driver may do this'
    assert seats.act(1, 'grant', 1.0) == 'nobody asks for the seat'
    assert seats.act(2, 'ask', 1.0) == '' and seats.request.client == 2
    assert seats.act(1, 'grant', 2.0) == '' and seats.driver == 2 and seats.request is None
    assert seats.name(2) == 'page 2' and seats.name(None) == 'nobody'
    assert seats.act(9, 'take', 2.0) == 'not logged in'


def test_a_request_is_granted_when_the_driver_has_not_driven_for_10_s():
    seats = Seats(grant_after=10.0)
    for number in (1, 2, 3):
        seats.join(number, f'P{number}')
    seats.act(1, 'take', 0.0)
    seats.act(2, 'ask', 5.0)
    assert 'P2 has asked already' in seats.act(3, 'ask', 6.0)
    seats.drove(8.0)
    seats.tick(17.9, busy=False)
    assert seats.driver == 1, 'driven at 8.0: not before 18.0'
    seats.tick(30.0, busy=True)
    assert seats.driver == 1, 'who drives is never interrupted'
    seats.tick(30.1, busy=False)
    assert seats.driver == 2 and seats.request is None


def test_a_seat_that_falls_free_goes_to_who_asked():
    seats = Seats(grant_after=10.0)
    for number in (1, 2):
        seats.join(number, '')
    seats.act(1, 'take', 0.0)
    seats.act(2, 'ask', 0.0)
    seats.leave(1)
    assert seats.driver == 2
    seats.leave(2)
    assert seats.driver is None and seats.act(1, 'take', 0.0) == 'not logged in'


def test_a_request_ends_when_its_page_goes_or_is_denied():
    seats = Seats(grant_after=10.0)
    for number in (1, 2):
        seats.join(number, '')
    seats.act(1, 'take', 0.0)
    seats.act(2, 'ask', 0.0)
    seats.act(1, 'deny', 1.0)
    seats.tick(99.0, busy=False)
    assert seats.driver == 1
    seats.act(2, 'ask', 99.0)
    seats.leave(2)
    seats.tick(999.0, busy=False)
    assert seats.driver == 1


def test_a_click_on_the_ground_is_undone_by_projection():
    camera = CameraModel.from_fov(320, 240, math.pi / 2)
    mount = CameraMount(0.0, 0.0, 1.0, 0.0)
    # f = 160 px, level at 1 m: 80 px below the middle is 160 / 80 = 2 m ahead.
    point = ground_of_click(0.5, (120 + 80) / 240, camera, mount)
    assert point == pytest.approx([2.0, 0.0], abs=1e-9)
    # 80 px to the left there: 80 / 160 * 2 m = 1 m to the left.
    left = ground_of_click((160 - 80) / 320, 200 / 240, camera, mount)
    assert left == pytest.approx([2.0, 1.0], abs=1e-9)
    assert ground_of_click(0.5, 0.5, camera, mount) is None, 'the horizon'
    assert ground_of_click(0.5, 0.2, camera, mount) is None, 'the sky'
    assert ground_of_click(0.5, 0.54, camera, mount) is None, '16.7 m is too far'


@given(st.floats(0.8, 9.0), st.floats(-0.6, 0.6))
def test_clicks_find_what_projection_shows(ahead, slope):
    target = np.array([ahead, slope * ahead])
    if np.hypot(*target) > 9.9:
        return
    pixel, seen = project(CAMERA, MOUNT, np.array([[*target, 0.0]]))
    if seen[0]:
        u, v = pixel[0] / (CAMERA.width, CAMERA.height)
        assert ground_of_click(u, v, CAMERA, MOUNT) == pytest.approx(target, abs=1e-6)


def test_lines_lie_on_the_ground_the_chosen_one_last():
    ahead = np.cumsum(np.full((10, 1), 0.3), axis=0)
    modes = np.stack([
        np.column_stack([ahead, k * 0.1 * ahead]) for k in range(3)
    ]).astype(np.float32)
    output = PolicyOutput(0, modes, np.array([0.2, 0.5, 0.3], np.float32))
    lines = lines_from_modes(output, 0, CAMERA, MOUNT)
    assert [line.chosen for line in lines] == [False, False, True]
    assert [line.share for line in lines] == pytest.approx([0.6, 1.0, 0.4])
    straight = lines[-1].points
    assert all(abs(u - 0.5) < 1e-3 for u, _ in straight), 'straight ahead is the middle'
    assert straight[-1][1] < straight[0][1], 'far is up'
    assert point_of_goal(np.array([3.0, 0.0]), CAMERA, MOUNT)[0] == pytest.approx(0.5, abs=1e-3)
    assert point_of_goal(np.array([-3.0, 0.0]), CAMERA, MOUNT) is None


def test_a_path_behind_the_camera_draws_nothing():
    ahead = np.column_stack([np.linspace(1, 3, 5), np.zeros(5)])
    [line] = lines_from_path(ahead, CAMERA, MOUNT)
    assert line.chosen and len(line.points) == 5
    assert lines_from_path(-ahead, CAMERA, MOUNT) == []
    assert lines_from_path(np.zeros((0, 2)), CAMERA, MOUNT) == []


def test_the_journal_has_a_row_for_each_command_and_sample(tmp_path):
    journal = Journal(tmp_path / 'new' / 'folder')
    journal.add_input(OperatorInput(
        1.5, 1, 7, 2, True, 0.5, -1.0, 0.0, 0.03, 0.25, 0.1, 0.0, 'accepted'
    ))
    journal.add_link(LinkSample(
        2.0, 1, True, 0.04, 500.0, 0.02, 0.03, 20, 1, 30, 29, 14.5, 0.12, 40000, 0, 0, 'websocket'
    ))
    journal.close()
    rows = list(csv.DictReader((tmp_path / 'new/folder/operator_inputs.csv').open()))
    assert rows[0]['verdict'] == 'accepted' and float(rows[0]['v']) == 0.25
    rows = list(csv.DictReader((tmp_path / 'new/folder/link.csv').open()))
    assert float(rows[0]['glass_to_glass']) == 0.12 and rows[0]['driver'] == 'True'
