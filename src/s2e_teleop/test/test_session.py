"""The session: seats, dead-man, emergency stop and goals together, on a clock of the test's."""

from __future__ import annotations

import dataclasses
import math

import pytest

from s2e_core.robot import load_robot
from s2e_teleop.deadman import Hold, Verdict
from s2e_teleop.link import LinkProfile
from s2e_teleop.protocol import Drive
from s2e_teleop.session import Session, SessionConfig

COCO = load_robot('coco')


class Drives:
    """A session with Ann (1) in the seat and Bob (2) watching."""

    def __init__(self, robot, link=None):
        self.robot, self.said = robot, []
        self.session = Session(
            SessionConfig(), COCO, link or LinkProfile(), robot, self.said.append
        )
        for number, name in ((1, 'Ann'), (2, 'Bob')):
            self.session.join(number, name)
        self.session.seat(1, 'take', 0.0)
        self.sequence = 0

    def drive(self, now, client=1, press=1, held=True, x=1.0, age=0.0):
        self.sequence += 1
        message = Drive(self.sequence, now * 1e3, press, held, x, 0.0)
        return self.session.drive(client, message, age, now)[0]

    def velocities(self):
        return [value[0] for _, value in self.robot.named('drive')]


@pytest.fixture
def drives(fake_robot):
    return Drives(fake_robot)


def test_a_press_is_sent_first_and_rearms_after(drives):
    assert drives.drive(1.0) is Verdict.ACCEPTED
    assert drives.drive(1.05) is Verdict.ACCEPTED
    # Only the first command of a press rearms, and only once the gate has the driver's command.
    assert [kind for _, kind, _ in drives.robot.calls] == ['drive', 'press', 'drive']
    assert drives.velocities() == [0.5, 0.5], 'the limit at the start'
    drives.drive(1.1, held=False)
    assert drives.robot.calls[-1][1:] == ('halt', 'the dead-man was released')
    drives.drive(1.2, press=2)
    assert drives.robot.count('press') == 2


def test_only_the_driver_drives(drives):
    assert drives.drive(1.0, client=2) is Verdict.NOT_DRIVER
    assert drives.drive(1.0, client=7) is Verdict.NOT_DRIVER
    assert drives.robot.calls == []


def test_without_a_clock_nobody_drives_but_everybody_can_let_go(drives):
    assert drives.drive(1.0, age=math.nan) is Verdict.NO_CLOCK
    drives.drive(1.1)
    assert drives.drive(1.2, held=False, age=math.nan) is Verdict.RELEASED
    assert drives.robot.count('halt') == 1


def test_a_lost_driver_is_halted_within_the_bound(drives):
    drives.drive(1.0)
    now = 1.0
    while drives.robot.count('halt') == 0:
        now += 0.01
        drives.session.tick(now)
    # 220 ms of silence, looked at every 10 ms; the gate's tick of 50 ms stays under 300 ms.
    assert now - 1.0 <= 0.2301
    assert drives.session.hold is Hold.LOST
    assert drives.drive(1.3) is Verdict.SPENT
    assert 'let go, then press again' in drives.said[-1]


def test_a_late_command_is_bridged_with_an_honest_age(drives):
    drives.drive(1.0)
    for now in (1.055, 1.110, 1.165, 1.2195):
        drives.session.tick(now)
    ages = [value[2] for _, value in drives.robot.named('drive')]
    # Up to 100 ms the stamp is that of the tick; past it the stamp stays at 1.1 s, so the gate's
    # watchdog of 200 ms runs out at 1.3 s even if this process hangs.
    assert ages == pytest.approx([0.0, 0.0, 0.010, 0.065, 0.1195])


def test_the_gate_may_report_the_old_stop_for_a_moment_after_a_press(drives):
    drives.drive(1.0)
    drives.session.gate_latched('operator_lost', 1.5)
    assert drives.session.hold is Hold.DRIVING
    for k in range(1, 20):
        drives.drive(1.0 + 0.05 * k)
    drives.session.gate_latched('odometry_stale', 1.9)
    assert drives.session.hold is Hold.DRIVING, 'other stops are shown, and end by rearm'
    drives.session.gate_latched('operator_lost', 1.96)
    assert drives.session.hold is Hold.LOST
    assert drives.drive(2.0) is Verdict.SPENT


def test_the_driver_who_goes_leaves_a_zero_and_an_empty_seat(drives):
    drives.drive(1.0)
    drives.session.leave(1)
    assert drives.robot.count('halt') == 1 and drives.session.seats.driver is None
    assert drives.session.hold is Hold.IDLE
    assert drives.drive(1.05) is Verdict.NOT_DRIVER


def test_a_watcher_who_goes_changes_nothing(drives):
    drives.drive(1.0)
    drives.session.leave(2)
    assert drives.drive(1.05) is Verdict.ACCEPTED and drives.robot.count('halt') == 0


def test_a_hand_over_stops_first_and_the_new_driver_presses_anew(drives):
    drives.drive(1.0)
    assert drives.session.seat(2, 'ask', 1.1) == ''
    assert drives.session.seat(1, 'grant', 1.1) == ''
    assert drives.robot.count('halt') == 1
    assert drives.drive(1.15) is Verdict.NOT_DRIVER
    assert drives.drive(1.2, client=2) is Verdict.ACCEPTED
    assert 'Bob has the seat.' in drives.said


def test_anyone_stops_only_the_driver_releases(drives):
    drives.drive(1.0)
    assert drives.session.press_e_stop(True, 2) == ''
    assert drives.robot.calls[-1][1:] == ('e_stop', True)
    assert drives.drive(1.05) is Verdict.E_STOP
    assert drives.drive(1.10, press=2) is Verdict.E_STOP
    drives.session.tick(1.2)
    assert len(drives.velocities()) == 1, 'nothing is bridged into an emergency stop'
    assert 'only the driver' in drives.session.press_e_stop(False, 2)
    assert drives.session.press_e_stop(False, 1) == ''
    assert not drives.session.e_stop
    assert drives.drive(1.3) is Verdict.SPENT, 'what was held is still held'


def test_a_rearm_spends_what_is_held(drives):
    drives.drive(1.0)
    assert 'only the driver' in drives.session.rearm(2)
    assert drives.session.rearm(1) == '' and drives.robot.count('rearm') == 1
    assert drives.drive(1.05) is Verdict.SPENT


def test_the_limit_is_capped_by_robot_and_link(fake_robot):
    # coco drives 1.5 m/s; twice the age allowed halves what the link allows: 1.0 x 0.4 / 0.8.
    link = dataclasses.replace(LinkProfile(), max_age=0.8, v_max=1.0)
    drives = Drives(fake_robot, link)
    assert drives.session.speed_cap == pytest.approx(0.5)
    assert 'only the driver' in drives.session.set_limit(2, 0.2)
    drives.session.set_limit(1, 5.0)
    drives.drive(1.0)
    assert drives.velocities() == [0.5]


def test_a_drive_to_a_goal_ends_with_the_driver(drives):
    assert 'only the driver' in drives.session.go_to(2, 0.5, 0.8, 1.0)
    assert drives.session.go_to(1, 0.5, 0.8, 1.0) == '' and drives.session.to_goal
    drives.session.heard(1, 1.9)
    drives.session.tick(2.5)
    assert drives.session.to_goal and drives.robot.count('halt') == 0
    drives.session.tick(2.91)
    assert not drives.session.to_goal and drives.robot.count('halt') == 1


def test_a_goal_is_refused_while_driving_or_stopped(drives):
    drives.drive(1.0)
    assert 'let go' in drives.session.go_to(1, 0.5, 0.8, 1.0)
    drives.session.press_e_stop(True, 1)
    assert 'emergency' in drives.session.go_to(1, 0.5, 0.8, 1.0)
    drives.session.press_e_stop(False, 1)
    assert 'coming to rest' in drives.session.go_to(1, 0.5, 0.8, 1.6)
    drives.robot.refusal = 'no camera'
    assert drives.session.go_to(1, 0.5, 0.8, 1.71) == 'no camera' and not drives.session.to_goal


def test_anyone_stops_a_drive_to_a_goal_and_a_press_takes_over(drives):
    drives.session.go_to(1, 0.5, 0.8, 1.0)
    drives.session.halt(2)
    assert drives.robot.calls[-1][1:] == ('halt', 'stopped by Bob')
    drives.session.go_to(1, 0.5, 0.8, 2.0)
    drives.drive(2.1)
    assert not drives.session.to_goal and drives.robot.count('halt') == 1


def test_a_goal_does_not_outlive_a_hand_over(drives):
    drives.session.go_to(1, 0.5, 0.8, 1.0)
    drives.session.seat(2, 'ask', 1.1)
    drives.session.heard(1, 11.0)
    drives.session.tick(11.2)
    assert drives.session.seats.driver == 2
    assert drives.robot.count('halt') == 1 and not drives.session.to_goal
