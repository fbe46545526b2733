"""The simulator as the robot of the fault bench: what is passed on, and where a drive begins."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
import yaml
from geometry_msgs.msg import TwistStamped
from recorded_node import RecordedNode
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from navbench_gs.agents.straight import StraightToGoal
from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import Observation
from s2e_core.errors import S2EError
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.images import image_from_frame
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import StartError
from s2e_nav.faults import simulated
from s2e_nav.faults.cases import CASES, IN_SIMULATOR, in_simulator
from s2e_nav.faults.model import BreakableModel
from s2e_nav.faults.processes import PRIORITY, let_others_first
from s2e_nav.faults.simulated import RAW, SimulatedRobot, SimulatedWorld
from s2e_nav.sim.parameters import SimParameters

TICK = 50_000_000


class Steady:
    """The steady clock of the robot, set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def steady(monkeypatch):
    clock = Steady()
    monkeypatch.setattr(simulated, 'time', clock)
    return clock


@pytest.fixture
def node():
    return RecordedNode()


@pytest.fixture
def robot(node, steady):
    return SimulatedRobot(node, scan=True)


def tick(node, number, v=0.5, x=0.0):
    """Let the bridge publish a tick: clock, then odometry."""
    node.hear(RAW['/clock'], Clock(clock=to_time(number * TICK)))
    odometry = Odometry(number * TICK, Pose2(x, 0.0, 0.0), v, 0.0)
    node.hear(RAW['odom'], message_from_odometry(odometry))


def look(node, number):
    node.hear(RAW['camera/camera_info'], info_from_camera(SMALL_CAMERA, number * TICK, 'eye'))
    picture = np.full((128, 128, 3), number, np.uint8)
    frame = CameraFrame(number * TICK, picture)
    node.hear(RAW['camera/image_raw'], image_from_frame(frame, 'eye'))


def at_once(condition, seconds, what):
    assert condition(), what


def test_what_the_bridge_says_goes_on_to_the_nodes(node, robot, steady):
    tick(node, 20, x=1.5)
    # Drawn in 30 ms, in which the world and its clock stood: new when it comes.
    steady.now = 100.03
    look(node, 20)
    node.hear(RAW['scan'], scan_from_ranges(np.full(360, 3.0), 20 * TICK, 10.0))
    assert to_ns(node.sent('/clock')[0].clock) == 20 * TICK
    assert node.sent('odom')[0].pose.pose.position.x == robot.pose.x == 1.5
    assert robot.senses.last_good['odometry'] == 100.0
    assert robot.senses.last_good['camera'] == pytest.approx(100.03)
    image, = node.sent('camera/image_raw')
    info, = node.sent('camera/camera_info')
    assert image.header == info.header and to_ns(info.header.stamp) == 20 * TICK
    assert not node.sent('scan'), 'there is a scanner only where the bench wants one'
    # A picture that comes when the clock is a tick further is 50 ms old.
    tick(node, 21)
    look(node, 20)
    assert robot.senses.last_good['camera'] == pytest.approx(99.98)


def test_sabotage_reaches_what_comes_from_the_bridge(node, robot):
    tick(node, 20)
    robot.sabotage.odometry, robot.sabotage.image, robot.sabotage.clock = 'jump', 'black', False
    tick(node, 22, x=1.0)
    look(node, 22)
    assert node.sent('odom')[-1].pose.pose.position.x == 4.0
    assert to_ns(node.sent('odom')[-1].header.stamp) == 20 * TICK, 'the clock stands'
    assert len(node.sent('/clock')) == 1 and robot.now_ns() == 20 * TICK
    assert max(node.sent('camera/image_raw')[0].data) == 0


def test_the_scan_is_listened_to_only_where_there_is_a_scanner(steady):
    without = RecordedNode()
    SimulatedRobot(without, scan=False)
    assert without.hears(RAW['odom']) and not without.hears(RAW['scan'])


def test_rest_is_the_bases_own_by_its_odometry(node, robot, steady):
    tick(node, 1)
    node.hear('cmd_vel', TwistStamped())
    assert robot.moves and robot.rested_at == 0.0, 'told to stand, it still rolls'
    assert not robot.trace.since(0.0)[0].moves
    steady.now = 100.25
    tick(node, 2, v=0.02)
    assert not robot.moves and robot.rested_at == 100.25
    steady.now = 101.0
    tick(node, 3, v=0.0)
    assert robot.rested_at == 100.25


def test_late_is_what_a_tick_took_beyond_its_time(node, robot, steady):
    tick(node, 1)
    steady.now = 100.05
    tick(node, 2)
    assert robot.late == pytest.approx(0.0, abs=1e-9)
    # 50 ms of its time in 120.
    steady.now = 100.17
    tick(node, 3)
    assert robot.late == pytest.approx(0.07)


def test_a_drive_begins_at_the_next_route_with_a_picture_of_it(node, robot, steady):
    tick(node, 1)
    answer = json.dumps({'done': False, 'goal': [12.0, -3.0]})

    def start():
        steady.now = 103.0
        tick(node, 60)
        return Trigger.Response(success=True)

    def wait(condition, seconds, what):
        if not condition():
            look(node, 60)
        assert condition(), what

    node.answers = {
        'sim_bridge/next_episode': lambda: Trigger.Response(success=True, message=answer),
        'sim_bridge/start': start,
    }
    robot.begin(wait)
    assert node.called == ['sim_bridge/next_episode', 'sim_bridge/start']
    assert robot.goal().tolist() == [12.0, -3.0]
    assert robot.late == 0.0, 'three seconds between two drives are no delay'
    # 8 m to the left of a robot at the origin.
    assert robot.bend().tolist() == [0.0, 8.0]


@pytest.mark.parametrize(('response', 'text'), [
    (Trigger.Response(success=False, message='no splats'), 'the simulator: no splats'),
    (Trigger.Response(success=True, message='{"done": true}'), 'no route for this robot'),
])
def test_a_scene_that_cannot_be_driven_is_said(node, robot, response, text):
    node.answers = {'sim_bridge/next_episode': lambda: response}
    with pytest.raises(StartError, match=text):
        robot.begin(at_once)


def test_unknown_scene_and_policy_are_refused_before_anything_starts():
    with pytest.raises(StartError, match="scene 'atlantis' does not exist"):
        SimulatedWorld('atlantis').check()
    with pytest.raises(S2EError, match='nobody'):
        SimulatedWorld('city:100', 'nobody').check()
    SimulatedWorld('city:100', 'straight').check()


def test_the_bridge_gets_one_scene_also_with_a_blank_in_its_name():
    words = SimulatedWorld('my yard/scene').bridge(scan=False)
    values = {key: yaml.safe_load(value) for key, value in words.items()}
    assert shlex.split(values['scenes']) == ['my yard/scene']
    assert not values.pop('use_sim_time'), 'it makes the time'
    config = SimParameters(**values)
    assert (config.mode, config.goals, config.scan) == ('realtime', 'user', False)


def test_in_the_simulator_all_run_on_its_clock_and_a_body_takes_its_time_to_rest():
    for case in CASES:
        tried = in_simulator(case)
        assert tried.bench == dataclasses.replace(case.bench, sim_time=True)
        # Without a gate it is 0.6 s and 0.5 m/s / 2 m/s^2 + 2 ticks of 50 ms.
        extra = 0.0 if case.gate_alive else 0.25 + 2 * 0.05
        if case.name not in IN_SIMULATOR:
            assert tried.bound == pytest.approx(case.bound + extra)
            assert tried.plans == case.plans
        assert (tried.name, tried.reasons, tried.after) == (case.name, case.reasons, case.after)
    assert set(IN_SIMULATOR) <= {case.name for case in CASES}


class Remembering(StraightToGoal):
    """Drives straight and remembers what it was shown until it is reset."""

    def __init__(self) -> None:
        super().__init__(1.5)
        self.seen: list[Observation] = []

    def infer(self, observation):
        self.seen.append(observation)
        return super().infer(observation)

    def reset(self):
        self.seen.clear()


def test_any_policy_breaks_as_it_is_told():
    policy = Remembering()
    model = BreakableModel(policy)
    assert model.spec is policy.spec
    observation = Observation(
        np.zeros((1, 128, 128, 3), np.uint8), np.array([TICK]), np.array([5.0, 0.0]),
        Odometry(TICK, Pose2()),
    )
    whole = model.infer(observation)
    model.mode = 'raise'
    with pytest.raises(RuntimeError, match='sabotage'):
        model.infer(observation)
    model.mode = 'nan'
    assert np.isnan(model.infer(observation).modes).all()
    model.mode = 'nonsense'
    np.testing.assert_array_equal(model.infer(observation).modes, whole.modes * 100.0)
    model.mode = 'ok'
    np.testing.assert_array_equal(model.infer(observation).modes, whole.modes)
    assert len(policy.seen) == 5
    model.reset()
    assert not policy.seen, 'the policy forgets too'


def test_the_world_waits_for_the_nodes():
    child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)
    try:
        let_others_first(child.pid)
        assert os.sched_getscheduler(child.pid) == os.sched_getscheduler(0), 'left as it was'
        try:
            os.sched_setscheduler(child.pid, os.SCHED_RR, os.sched_param(PRIORITY))
        except OSError:
            pytest.skip('real-time priority is not granted here')
        let_others_first(child.pid)
        assert os.sched_getparam(child.pid).sched_priority == PRIORITY - 1
    finally:
        child.communicate(b'\n')
