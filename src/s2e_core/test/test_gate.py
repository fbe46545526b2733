"""The gate: limits by hand, and time to zero for every fault it watches."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.gate import Gate, GateConfig, GateOutput, Reason, Source, fault_limit_ns
from s2e_core.limits import limit_acceleration, limit_velocity, ramp_down
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

TICK = 50_000_000
ROBOT = RobotProfile(
    'car',
    'car',
    0.9,
    0.6,
    0.8,
    45.0,
    0.13,
    0.5,
    1.5,
    1.5,
    wheelbase=0.5,
    min_turn_radius=0.7,
    base_timeout=0.5,
)


class Drive:
    """Feeds a gate a steady drive of 1 m/s and leaves out what a test names."""

    def __init__(self, config: GateConfig | None = None, robot: RobotProfile = ROBOT) -> None:
        """Start at tick 0."""
        self.gate, self.tick, self.x, self.speed = Gate(robot, config), 0, 0.0, 1.0

    def run(self, ticks: int, without: str = '') -> list[GateOutput]:
        """Run some ticks."""
        return [self.step(without) for _ in range(ticks)]

    def step(self, without: str = '') -> GateOutput:
        """Run one tick."""
        now = self.tick * TICK
        if without != 'odometry':
            self.gate.update_odometry(Odometry(now, Pose2(self.x, 0.0, 0.0), self.speed))
        if without != 'camera' and self.tick % 4 == 0:
            self.gate.update_camera(now)
        if without != 'command':
            self.gate.update_command(Source.AUTONOMY, Command(now, self.speed, 0.0))
        output = self.gate.step(now)
        self.x += output.command.v * 0.05
        self.tick += 1
        return output


def test_fault_limit_by_hand() -> None:
    """Two periods + 100 ms, never over 300 ms: 50 ms -> 200, 66.7 ms -> 233, 200 ms -> 300."""
    assert fault_limit_ns(0.05) == 200_000_000
    assert fault_limit_ns(1 / 15) == 233_333_333
    assert fault_limit_ns(0.2) == 300_000_000


def test_speeds_up_by_the_limit() -> None:
    """1 m/s^2 in 50 ms steps: 0, 0.05, 0.10, ... 1.0 after 20 steps."""
    speeds = [output.command.v for output in Drive().run(25)]
    assert speeds[:3] == pytest.approx([0.0, 0.05, 0.10])
    assert speeds[20] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ('missing', 'reason', 'limit_s'),
    [
        ('odometry', Reason.ODOMETRY_STALE, 0.2),
        ('camera', Reason.CAMERA_STALE, 0.3),
        ('command', Reason.COMMAND_STALE, 0.2),
    ],
)
def test_time_to_zero(missing: str, reason: Reason, limit_s: float) -> None:
    """From the last good stamp to the first command of the ramp, then 2 m/s^2 down to zero."""
    drive = Drive()
    drive.run(41)
    last_good = 40 * TICK  # tick 40 carried all three: 40 % 4 == 0
    outputs = drive.run(20, without=missing)
    first = next(o for o in outputs if o.reason is not Reason.NONE)
    assert first.reason is reason
    assert first.command.v == pytest.approx(0.9)  # 1.0 - 2 m/s^2 * 0.05 s
    assert (first.command.stamp_ns - last_good) * 1e-9 == pytest.approx(limit_s)
    at_rest = next(o for o in outputs if o.reason is reason and o.command.v == 0.0)
    assert (at_rest.command.stamp_ns - first.command.stamp_ns) * 1e-9 == pytest.approx(0.45)


def test_short_fault_resumes_after_a_healthy_second() -> None:
    """An outage of 0.5 s ends; motion comes back one second after the input did."""
    drive = Drive()
    drive.run(41)
    drive.run(10, without='odometry')
    back = drive.run(60)
    moving = next(i for i, output in enumerate(back) if output.reason is Reason.NONE)
    assert moving * 0.05 == pytest.approx(1.0)
    assert back[moving + 1].command.v > 0


def flap(drive: Drive, seconds: float) -> list[Reason]:
    """Lose odometry for 0.5 s of each second; return the reasons of all ticks."""
    seen: list[Reason] = []
    for _ in range(round(seconds)):
        seen += [o.reason for o in drive.run(10, without='odometry')]
        seen += [o.reason for o in drive.run(10)]
    return seen


def test_two_short_faults_are_not_a_long_one() -> None:
    """Each lasts 0.5 s; together they span 1.5 s. Health after them still moves the robot."""
    drive = Drive()
    drive.run(41)
    assert Reason.NONE not in flap(drive, 2)[4:]
    assert drive.gate.latched is Reason.NONE
    back = drive.run(30)
    assert back[-1].reason is Reason.NONE
    assert back[-1].command.v > 0


def test_faults_that_go_on_and_off_for_five_seconds_wait_for_a_rearm() -> None:
    """The first fault shows 0.1 s after the input ended, the last of six ends 5.5 s in."""
    drive = Drive()
    drive.run(41)
    assert Reason.NONE not in flap(drive, 6)[4:]
    assert drive.gate.latched is Reason.ODOMETRY_STALE
    assert all(output.command.v == 0.0 for output in drive.run(60))
    drive.gate.rearm()
    assert drive.run(3)[-1].command.v > 0


def test_a_command_from_the_future_does_not_outlive_the_next_goal() -> None:
    """It is newer than whatever comes for an hour; a new goal begins with new commands."""
    drive = Drive()
    drive.run(41)
    drive.gate.update_command(Source.AUTONOMY, Command(3600 * 10**9, 1.0))
    assert all(output.reason is Reason.FUTURE_STAMP for output in drive.run(10))
    drive.gate.rearm()
    assert drive.run(30)[-1].command.v > 0


def test_long_fault_waits_for_a_rearm() -> None:
    """After more than a second the input alone does not move the robot again."""
    drive = Drive()
    drive.run(41)
    drive.run(40, without='camera')
    assert all(output.command.v == 0.0 for output in drive.run(60))
    assert drive.gate.latched is Reason.CAMERA_STALE
    drive.gate.rearm()
    assert drive.run(3)[-1].command.v > 0


def test_nan_command_latches() -> None:
    """A command that is not a number stops, and the next good one does not undo it."""
    drive = Drive()
    drive.run(30)
    drive.gate.update_command(Source.AUTONOMY, Command(30 * TICK, math.nan, 0.0))
    outputs = drive.run(20)
    assert outputs[0].reason is Reason.COMMAND_INVALID
    assert outputs[-1].command.v == 0.0


def test_odometry_jump_latches() -> None:
    """A jump of 3 m in 50 ms is over 0.5 m + 1.5 m/s * 0.05 s."""
    drive = Drive()
    drive.run(30)
    drive.x += 3.0
    assert drive.run(1)[0].reason is Reason.ODOMETRY_JUMP


def test_a_simulator_that_begins_anew_is_no_jump() -> None:
    """On the gate's clock 50 ms passed, on the sender's 2 s more: past a second none is judged."""
    drive, gap = Drive(), 2_000_000_000
    drive.run(30)
    for sent, reason in ((gap, Reason.NONE), (gap + TICK, Reason.ODOMETRY_JUMP)):
        drive.x += 3.0
        now = drive.tick * TICK
        drive.gate.update_odometry(Odometry(now, Pose2(drive.x, 0.0, 0.0)), now + sent)
        assert drive.run(1, 'odometry')[0].reason is reason


def test_nan_odometry_latches() -> None:
    """A pose that is not a number stops."""
    drive = Drive()
    drive.run(30)
    drive.gate.update_odometry(Odometry(30 * TICK, Pose2(math.nan, 0.0, 0.0)))
    assert drive.run(1)[0].reason is Reason.ODOMETRY_INVALID


def test_future_stamp_latches() -> None:
    """A command stamped 0.5 s ahead is not trusted: 0.1 s is allowed."""
    drive = Drive()
    drive.run(30)
    drive.gate.update_command(Source.AUTONOMY, Command(30 * TICK + 500_000_000, 1.0, 0.0))
    assert drive.run(1, without='command')[0].reason is Reason.FUTURE_STAMP


def test_e_stop_is_immediate_and_needs_release_and_rearm() -> None:
    """Zero on the next tick without a ramp; a rearm while it is pressed does nothing."""
    drive = Drive()
    drive.run(41)
    drive.gate.update_e_stop(True, drive.tick * TICK)
    assert drive.step().command.v == 0.0
    drive.gate.rearm()
    assert drive.step().reason is Reason.E_STOP
    drive.gate.update_e_stop(False, drive.tick * TICK)
    assert drive.step().reason is Reason.E_STOP
    drive.gate.rearm()
    assert drive.step().reason is Reason.NONE


def test_e_stop_heartbeat_lost() -> None:
    """Once seen, 300 ms without a beat (two of 200 ms + 100, capped) is a stop at once."""
    drive = Drive()
    drive.run(41)
    drive.gate.update_e_stop(False, drive.tick * TICK)
    outputs = drive.run(9)
    stopped = next(i for i, o in enumerate(outputs) if o.reason is Reason.E_STOP_LOST)
    assert stopped * 0.05 == pytest.approx(0.3)
    assert outputs[stopped].command.v == 0.0


def test_teleop_goes_first_and_never_hands_over() -> None:
    """When the operator's commands end, autonomy stays out until a rearm."""
    drive = Drive()
    drive.run(30)
    now = drive.tick * TICK
    drive.gate.update_command(Source.TELEOP, Command(now, 0.5, 0.0))
    assert drive.step().source is Source.TELEOP
    outputs = drive.run(40)
    assert outputs[-1].reason is Reason.OPERATOR_LOST
    assert outputs[-1].command.v == 0.0
    drive.gate.rearm()
    assert drive.run(2)[-1].command.v > 0


def test_a_new_press_admits_the_driver_and_nobody_else() -> None:
    """Autonomy, which asks for 1 m/s all the while, stays out until a goal or rearm."""
    drive = Drive()
    drive.run(30)
    drive.gate.update_command(Source.TELEOP, Command(drive.tick * TICK, 0.5, 0.0))
    drive.run(40)
    assert drive.gate.latched is Reason.OPERATOR_LOST
    drive.gate.admit_driver()
    outputs = drive.run(20)
    assert {o.reason for o in outputs} == {Reason.NO_GOAL}
    assert not any(o.command.v for o in outputs)
    drive.gate.update_command(Source.TELEOP, Command(drive.tick * TICK, 0.5, 0.0))
    assert drive.step().command.v > 0, 'the driver drives'
    drive.run(40)
    assert drive.gate.latched is Reason.OPERATOR_LOST, 'and is missed again'
    drive.gate.rearm()
    assert drive.run(2)[-1].source is Source.AUTONOMY


def test_a_new_press_ends_no_other_stop() -> None:
    """What is not for want of a driver needs a rearm."""
    drive = Drive()
    drive.run(5)
    drive.gate.stop(Reason.SECOND_PUBLISHER, 'somebody')
    drive.gate.admit_driver()
    assert drive.step().reason is Reason.SECOND_PUBLISHER


def test_dead_man_release_stops() -> None:
    """Release stops with a ramp and waits."""
    drive = Drive()
    drive.gate.update_command(Source.TELEOP, Command(0, 0.5, 0.0))
    drive.step()
    drive.gate.release_teleop()
    assert drive.step().reason is Reason.OPERATOR_LOST


def test_no_reverse_for_autonomy() -> None:
    """Without a view to the rear a backward command is zero."""
    drive = Drive()
    drive.speed = -0.5
    assert all(output.command.v == 0.0 for output in drive.run(10))


def test_unmeasured_base_is_slow() -> None:
    """Without a measured base time-out the cap is 0.3 m/s."""
    robot = RobotProfile('r', 'differential', 0.4, 0.4, 0.4, 9.0, 0.05, 0.3, 1.5, 1.0)
    assert Drive(robot=robot).run(40)[-1].command.v == pytest.approx(0.3)


def test_silence_after_a_second_of_zeros() -> None:
    """Zeros go out for a second after rest, then others are heard on the topic."""
    drive = Drive()
    drive.run(10)
    drive.gate.stop(Reason.SHUTDOWN)
    outputs = drive.run(60)
    rest = next(i for i, output in enumerate(outputs) if output.command.v == 0.0)
    assert outputs[rest + 20].publish
    assert not outputs[rest + 21].publish


def test_clock_going_back_latches() -> None:
    """A clock that steps back is not trusted, and does not wind up the ramp."""
    drive = Drive()
    drive.run(41)
    drive.tick = 5
    output = drive.step()
    assert output.reason is Reason.CLOCK_JUMP
    assert output.command.v == 0.0


def test_new_episode_after_a_gap_starts_like_a_fresh_gate() -> None:
    """Two seconds on, a rearmed gate answers as a new one does."""
    used, fresh = Drive(), Drive()
    used.run(41)
    used.gate.rearm()
    used.tick, used.x = 100, 0.0
    fresh.tick = 100
    assert [o.command for o in used.run(20)] == [o.command for o in fresh.run(20)]


def test_velocity_limit_keeps_the_curve() -> None:
    """(3, 1.5) capped at 1.5 m/s becomes (1.5, 0.75): the same radius of 2 m."""
    limited = limit_velocity(Command(0, 3.0, 1.5), ROBOT, 1.5)
    assert (limited.v, limited.w) == pytest.approx((1.5, 0.75))
    # 1.2 rad/s at 0.35 m/s is tighter than 0.7 m: w = 0.35 / 0.7 = 0.5.
    assert limit_velocity(Command(0, 0.35, 1.2), ROBOT, 1.5).w == pytest.approx(0.5)


def test_ramp_keeps_the_curve() -> None:
    """From (1, 0.5), 2 m/s^2 for 0.1 s: v = 0.8, w = 0.4."""
    ramped = ramp_down(Command(0, 1.0, 0.5), 2.0, 0.1, 1)
    assert (ramped.v, ramped.w) == pytest.approx((0.8, 0.4))


finite = st.floats(-50, 50)


@given(finite, finite, finite, finite, st.floats(0, 1))
def test_limits_hold_for_any_command(v0: float, w0: float, v: float, w: float, dt: float) -> None:
    """Whatever is asked, speed, yaw rate, radius and acceleration stay inside."""
    wanted = limit_velocity(Command(0, v, w), ROBOT, 1.2)
    assert 0.0 <= wanted.v <= 1.2
    assert abs(wanted.w) <= ROBOT.w_max + 1e-9
    assert abs(wanted.w) <= abs(wanted.v) / ROBOT.min_turn_radius + 1e-9
    stepped = limit_acceleration(Command(0, v0, w0), wanted, ROBOT, dt, 1)
    assert abs(stepped.v - v0) <= ROBOT.stop_deceleration * dt + 1e-9
    assert abs(stepped.w - w0) <= ROBOT.w_acceleration * dt + 1e-9
