"""Rates and agreement by hand, and the gate that acts on them."""

from __future__ import annotations

import math

import pytest

from s2e_core.gate import Gate, GateConfig, Reason, Source
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2
from s2e_core.watchdogs import MotionAgreement, RateWatch

MS = 1_000_000
TICK = 20 * MS
ROBOT = RobotProfile(
    'round', 'differential', 0.4, 0.4, 0.4, 10.0, 0.05, 0.3, 1.0, 1.5, base_timeout=0.5
)


def rate_after(*stamps_ms: int) -> str:
    """Watch a camera that promised 100 ms with a slack of 1.5."""
    watch = RateWatch(0.1, 1.5)
    for stamp in stamps_ms:
        watch.add(stamp * MS)
    return watch.slow()


def test_one_lost_image_is_no_slow_camera_and_half_the_rate_is() -> None:
    """Means of three intervals: 400 / 3 = 133 ms passes, 500 / 3 = 167 ms does not."""
    assert rate_after(0, 100, 200, 400) == ''
    assert rate_after(0, 100, 300, 500) == '6.0 Hz, at least 6.7 are needed'


def test_a_gap_of_a_second_is_another_drive() -> None:
    """Three intervals must lie within the drive before anything is said."""
    assert rate_after(0, 100, 1201, 1401) == ''


def test_repeated_stamps_are_no_images() -> None:
    """A driver that sends its last image again is not fast."""
    assert rate_after(0, 200, 200, 200, 400, 400, 600).startswith('5.0 Hz')


def agree(speed: float, turn: float, moved: float, turned: float) -> str:
    """Ask for a speed over 1.2 s in steps of 20 ms while odometry covers a share of it."""
    watch = MotionAgreement(1.0)
    text = ''
    for step in range(61):
        share = step / 60
        pose = Pose2(moved * share, 0.0, turned * share)
        now = step * TICK
        text = watch.step(now, Command(now, speed, turn), Odometry(now, pose))
    return text


@pytest.mark.parametrize(
    ('speed', 'turn', 'moved', 'turned', 'frozen'),
    [
        (0.5, 0.0, 0.0, 0.0, True),
        # 0.1 m of the last second's 0.5 m is a fifth: a base that spins its wheels still moves.
        (0.5, 0.0, 0.13, 0.0, False),
        (0.5, 0.0, 0.6, 0.0, False),
        (0.1, 0.0, 0.0, 0.0, False),  # 0.1 m in a second: within the dead band
        (0.0, 1.0, 0.0, 0.0, True),
        (0.0, 1.0, 0.0, 1.2, False),
        (0.5, 1.0, 0.0, 1.2, False),  # it turns: blocked on one side, not frozen
        (0.0, 4.0, 0.0, 0.0, False),  # 4 rad in a second: the heading cannot tell
    ],
)
def test_agreement(speed: float, turn: float, moved: float, turned: float, frozen: bool) -> None:
    """Frozen means that none of what was asked for shows."""
    assert bool(agree(speed, turn, moved, turned)) == frozen


class Drive:
    """A gate that is fed 0.5 m/s every 20 ms, images every 100 ms and plans every 200 ms."""

    def __init__(self, **options: float) -> None:
        """Take the gate's settings."""
        config = GateConfig(tick_period=0.02, camera_period=0.1, **options)  # type: ignore[arg-type]
        self.gate, self.now, self.x, self.seen = Gate(ROBOT, config), 0, 0.0, 0.0
        self.reasons: list[Reason] = []
        # Before the first image the camera is stale, and a second must pass after that.
        self.run(2.0)

    def run(self, seconds: float, *without: str, camera_ms: int = 100) -> float:
        """Run, leaving out inputs by name; return the last speed."""
        speed = 0.0
        for _ in range(round(seconds / 0.02)):
            self.now += TICK
            if 'pose' not in without:
                self.seen = self.x
            pose = Pose2(self.seen, 0.0, 0.0)
            self.gate.update_odometry(Odometry(self.now, pose))
            if 'camera' not in without and self.now % (camera_ms * MS) == 0:
                self.gate.update_camera(self.now)
            if 'plan' not in without and self.now % (200 * MS) == 0:
                self.gate.update_plan(self.now, True)
            self.gate.update_command(Source.AUTONOMY, Command(self.now, 0.5, 0.0))
            output = self.gate.step(self.now)
            self.reasons.append(output.reason)
            speed = output.command.v
            self.x += speed * 0.02
        return speed


def test_a_plan_that_is_not_followed_by_another_stops_within_the_limit() -> None:
    """Last plan at 3.0 s; 300 ms later at the latest the ramp has begun."""
    drive = Drive()
    assert drive.run(1.0) == pytest.approx(0.5)
    drive.run(0.26, 'plan')
    assert drive.reasons[-1] is Reason.NONE
    drive.run(0.04, 'plan')
    assert drive.reasons[-1] is Reason.PLAN_STALE
    drive.run(1.2, 'plan')
    assert drive.gate.latched is Reason.PLAN_STALE
    assert drive.run(2.0) == 0.0, 'plans again do not move what waits for a goal'
    drive.gate.rearm()
    assert drive.run(1.0) == pytest.approx(0.5)


def test_a_standing_plan_needs_no_successor() -> None:
    """An idle policy answers each image by standing still; when it dies nothing changes."""
    drive = Drive()
    drive.run(0.5)
    drive.gate.update_plan(drive.now, False)
    drive.run(2.0, 'plan')
    assert drive.gate.latched is Reason.NONE


def test_images_that_end_stop_within_the_limit_though_a_plan_still_comes() -> None:
    """Last image at 3.0 s, its plan at 3.1 s: the ramp begins by 3.3 s, not by 3.4 s."""
    drive = Drive()
    for _ in range(10):
        drive.gate.update_image(drive.now)
        drive.run(0.1)
    drive.gate.update_image(drive.now)
    drive.run(0.1, 'plan')
    drive.gate.update_plan(drive.now, True)
    drive.run(0.16, 'plan')
    assert drive.reasons[-1] is Reason.NONE
    drive.run(0.04, 'plan')
    assert drive.reasons[-1] is Reason.CAMERA_STALE
    assert drive.gate.step(drive.now).detail == 'newest at the policy 300 ms old'
    drive.gate.update_image(drive.now)
    drive.gate.update_plan(drive.now, True)
    assert drive.run(0.2, 'plan') < 0.5, 'it resumes after a second of health'


def test_half_the_images_are_a_slow_camera() -> None:
    """10 Hz promised, 5 Hz kept: stopped after two slow intervals, resumed after a second."""
    drive = Drive(rate_slack=1.5)
    drive.run(1.0)
    before = len(drive.reasons)
    assert drive.run(0.9, camera_ms=200) == 0.0
    # Images at 3.2 and 3.4 s: (100 + 200 + 200) / 3 = 167 ms, so the stop begins at 3.4 s.
    assert drive.reasons.index(Reason.CAMERA_SLOW) - before == pytest.approx(19, abs=1)
    assert drive.run(0.9) == 0.0
    assert drive.run(1.0) > 0.0, 'under a second it was transient'


def test_frozen_odometry_stops_within_a_second_and_waits() -> None:
    """Fresh stamps on an old pose: the stamps alone would never tell."""
    drive = Drive(agreement=1.0)
    drive.run(2.0)
    assert Reason.ODOMETRY_FROZEN not in drive.reasons
    before = len(drive.reasons)
    drive.run(1.5, 'pose')
    drive.x = drive.seen
    latency = (drive.reasons.index(Reason.ODOMETRY_FROZEN) - before) * 0.02
    assert latency <= 1.1
    assert drive.run(2.0) == 0.0
    drive.gate.rearm()
    assert drive.run(1.0) == pytest.approx(0.5)


def test_a_gate_that_was_started_anew_waits_for_a_goal() -> None:
    """A gate that died and came back must not let the old drive go on."""
    drive = Drive(needs_goal=True)
    assert drive.run(2.0) == 0.0
    assert drive.reasons[-1] is Reason.NO_GOAL
    drive.gate.rearm()
    assert drive.run(1.0) == pytest.approx(0.5)


def test_a_command_that_comes_late_does_not_replace_a_newer_one() -> None:
    """A burst of old commands after a pause of the link changes nothing."""
    gate = Gate(ROBOT, GateConfig(tick_period=0.02))
    speeds = []
    for step in range(50):
        now = step * TICK
        gate.update_odometry(Odometry(now, Pose2(0.4 * now * 1e-9, 0.0, 0.0)))
        gate.update_camera(now)
        gate.update_command(Source.AUTONOMY, Command(now, 0.4, 0.0))
        for old in range(5):
            gate.update_command(Source.AUTONOMY, Command(now - (old + 1) * 200 * MS, 1.0, 1.0))
        speeds.append(gate.step(now).command.v)
    assert max(speeds) == pytest.approx(0.4) and math.isclose(speeds[-1], 0.4)
