"""The gate behind a velocity smoother and a collision monitor that behave as Nav2's, on ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import yaml

from s2e_core.config import from_mapping
from s2e_core.gate import Gate, GateConfig, Reason, Source
from s2e_core.paths import find_config
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.faults.nav2 import Monitor, Smoother

STEP = 5_000_000
"""Nanoseconds; everything happens on multiples of it."""
SPEED = 0.5
"""m/s: the cap of `gate_robot.yaml`. The follower asks for three times as much."""


def robot_config() -> GateConfig:
    """Return the gate's settings on a robot."""
    text = find_config('nodes/gate_robot.yaml').read_text(encoding='utf-8')
    values = yaml.safe_load(text)['/**']['gate']['ros__parameters']['gate']
    return from_mapping(GateConfig, {**values, 'needs_goal': True}, source='gate_robot.yaml')


@dataclass
class Drive:
    """Follower, smoother, monitor, gate and base in simulated time."""

    smoother: Smoother
    monitor: Monitor
    before: bool = True
    """Whether the two come before the gate, as they should, or after it."""
    follower: bool = True
    planner: bool = True
    now: int = 0
    pose: Pose2 = field(default_factory=Pose2)
    driven: Command = field(default_factory=lambda: Command(0))
    reasons: list[Reason] = field(default_factory=list)
    sent: list[tuple[int, float]] = field(default_factory=list)
    last_command: int = 0
    last_plan: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(load_robot('coco'), robot_config())
        self.gate.rearm()

    def run(self, seconds: float) -> None:
        """Go on."""
        for _ in range(round(seconds * 1e9 / STEP)):
            self._step()
            self.now += STEP

    def _each(self, milliseconds: int, offset: int = 0) -> bool:
        return (self.now - offset * 1_000_000) % (milliseconds * 1_000_000) == 0

    def _step(self) -> None:
        now, turn = self.now, self.driven.w * STEP * 1e-9
        way = self.driven.v * STEP * 1e-9
        self.pose = self.pose.compose(
            Pose2(way * math.cos(turn / 2), way * math.sin(turn / 2), turn))
        if self._each(100, 35):
            self.gate.update_camera(now)
        if self.planner and self._each(200, 45):
            self.last_plan = now
            self.gate.update_plan(now, True)
        if self._each(40):
            self.gate.update_odometry(Odometry(now, self.pose, self.driven.v, self.driven.w))
            if self.follower:
                self.last_command = now
                self._follow(Command(now, 3 * SPEED, 0.6))
        if self._each(50, 15):
            self._smooth()
        if self._each(10):
            self._decide()

    def _follow(self, command: Command) -> None:
        if self.before:
            self.smoother.take(command)
        else:
            self.gate.update_command(Source.AUTONOMY, command)

    def _smooth(self) -> None:
        smoothed = self.smoother.tick(self.now)
        out = None if smoothed is None else self.monitor.process(smoothed, self.now)
        if out is None:
            return
        if self.before:
            self.gate.update_command(Source.AUTONOMY, out)
        else:
            self.driven = out

    def _decide(self) -> None:
        out = self.gate.step(self.now)
        self.reasons.append(out.reason)
        self.sent.append((self.now, out.command.v))
        if self.before:
            self.driven = out.command
        else:
            self.smoother.take(out.command)

    def ramp_after(self, begun: int) -> float:
        """Return seconds from a time to the first slower command."""
        fast = max(v for at, v in self.sent if at <= begun)
        return next(at - begun for at, v in self.sent if at > begun and v < fast - 0.005) * 1e-9


@pytest.mark.parametrize('restamps', [True, False])
@pytest.mark.parametrize('accel', [2.5, 0.5])
def test_nothing_misfires_in_a_drive(restamps, accel):
    """Twenty seconds along a bend; at first it waits for all inputs, and a second of health."""
    drive = Drive(Smoother(restamps=restamps, accel=accel), Monitor())
    drive.run(20.0)
    began = drive.reasons.index(Reason.NONE)
    assert set(drive.reasons[began:]) == {Reason.NONE} and began < 150
    assert drive.sent[-1][1] == pytest.approx(SPEED)
    assert drive.gate.latched is Reason.NONE


@pytest.mark.parametrize('restamps', [True, False])
def test_a_follower_that_dies_is_noticed_within_its_bound(restamps):
    """Two periods and 100 ms: 0.2 s after the last command, however the smoother stamps."""
    drive = Drive(Smoother(restamps=restamps), Monitor())
    drive.run(4.0)
    drive.follower = False
    drive.run(2.0)
    assert drive.ramp_after(drive.last_command) <= 0.2
    assert drive.sent[-1][1] == 0.0 and drive.gate.latched is Reason.COMMAND_STALE


def test_nav2s_default_time_out_would_hide_it():
    """Why docs/robot.md sets velocity_timeout: the last command is sent anew for a second."""
    drive = Drive(Smoother(timeout=1.0), Monitor())
    drive.run(4.0)
    drive.follower = False
    drive.run(3.0)
    assert drive.ramp_after(drive.last_command) > 0.9


def test_a_smoother_faster_than_the_gate_would_delay_it():
    """Why docs/robot.md sets max_velocity: from 1.5 to 0.5 m/s it brakes unseen for 0.4 s."""
    drive = Drive(Smoother(top=1.5), Monitor())
    drive.run(4.0)
    drive.follower = False
    drive.run(2.0)
    assert drive.ramp_after(drive.last_command) > 0.4


def test_a_policy_that_dies_is_noticed_beside_the_chain():
    """The follower goes on with its last plan for 0.5 s; the gate does not wait for that."""
    drive = Drive(Smoother(), Monitor())
    drive.run(4.0)
    drive.planner = False
    drive.run(2.0)
    assert drive.ramp_after(drive.last_plan) <= 0.3 and Reason.PLAN_STALE in drive.reasons


def test_a_monitor_that_stops_the_robot_lets_it_go_on():
    """Five seconds before an obstacle: no fault, and no new goal when it is gone."""
    drive = Drive(Smoother(), Monitor())
    drive.run(4.0)
    drive.monitor.stops = True
    drive.run(5.0)
    assert drive.sent[-1][1] == 0.0 and drive.gate.latched is Reason.NONE
    drive.monitor.stops = False
    drive.run(2.0)
    assert drive.sent[-1][1] == pytest.approx(SPEED)
    began = drive.reasons.index(Reason.NONE)
    assert set(drive.reasons[began:]) == {Reason.NONE}


def test_nav2s_default_silence_would_cost_the_goal():
    """Why docs/robot.md sets stop_pub_timeout: after a second of zeros nothing comes any more."""
    drive = Drive(Smoother(), Monitor(stop_pub_timeout=1.0))
    drive.run(4.0)
    drive.monitor.stops = True
    drive.run(4.0)
    assert drive.gate.latched is Reason.COMMAND_STALE


def test_an_e_stop_is_zero_at_once():
    drive = Drive(Smoother(accel=0.3, decel=0.3), Monitor())
    drive.run(4.0)
    drive.gate.update_e_stop(True, drive.now)
    drive.run(0.02)
    assert drive.sent[-1][1] == 0.0


def test_behind_the_gate_a_monitor_looks_like_broken_odometry():
    """Why docs/robot.md puts both before the gate: it sends 0.5 m/s and sees none of it."""
    drive = Drive(Smoother(), Monitor(), before=False)
    drive.run(4.0)
    assert drive.gate.latched is Reason.NONE
    drive.monitor.stops = True
    drive.run(3.0)
    assert drive.gate.latched is Reason.ODOMETRY_FROZEN
