"""The gate node: what passes, what stops it, and what it says on its way out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path
from sensor_msgs.msg import CameraInfo, LaserScan
from std_msgs.msg import Bool, Header

from s2e_core.camera import SMALL_CAMERA
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.commands import command_from_stamped, stamped_from_command
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_ns
from s2e_nav.nodes.gate import GateNode
from s2e_nav.qos import LATCHED

SECOND = 1_000_000_000
TICK = 50_000_000


class Bench:
    """A gate and the node that talks to it."""

    def __init__(self, ros, **parameters) -> None:
        self.ros = ros
        self.gate_node = ros.node('gate', **{'robot': 'coco', **parameters})
        self.gate = GateNode(self.gate_node)
        self.driver = ros.node('driver')
        self.odom = self.driver.create_publisher(OdometryMessage, 'odom', 20)
        self.info = self.driver.create_publisher(CameraInfo, 'camera/camera_info', 20)
        self.command = self.driver.create_publisher(TwistStamped, 'cmd_vel_nav', 20)
        self.e_stop = self.driver.create_publisher(Bool, 'e_stop', 20)
        self.goal = self.driver.create_publisher(PoseStamped, 's2e/goal', 20)
        kind = TwistStamped if parameters.get('stamped', True) else Twist
        self.sent = ros.listen(self.driver, kind, 'cmd_vel')
        self.states = ros.listen(self.driver, DiagnosticStatus, 's2e/gate', LATCHED)
        ros.spin(self.gate_node)
        ros.spin(self.driver)
        inputs = (self.odom, self.info, self.command, self.e_stop, self.goal)
        ros.wait(lambda: all(p.get_subscription_count() for p in inputs) and bool(self.states))
        ros.wait(lambda: self.driver.count_publishers('cmd_vel') == 1)

    def tick(self, stamp: int, v: float = 1.0, x: float = 0.0, w: float = 0.0) -> Command:
        """Give the gate one tick of lock-step and return its answer."""
        before = len(self.sent)
        if stamp % 200_000_000 == 0:
            self.info.publish(info_from_camera(SMALL_CAMERA, stamp, 'optical'))
        self.odom.publish(message_from_odometry(Odometry(stamp, Pose2(x, 0.0, 0.0))))
        self.command.publish(stamped_from_command(Command(stamp, v, w)))
        self.ros.wait(lambda: len(self.sent) > before)
        return command_from_stamped(self.sent[-1])

    def reason(self) -> str:
        return status_values(self.states[-1])['reason']


def test_lockstep_answers_each_tick_with_its_stamp_and_speeds_up_by_a_max(ros):
    bench = Bench(ros, mode='lockstep')
    commands = [bench.tick(10 * SECOND + k * TICK) for k in range(4)]
    assert [c.stamp_ns for c in commands] == [10 * SECOND + k * TICK for k in range(4)]
    # coco: a_max 1 m/s^2, so 0.05 m/s more with each tick; the first has no time before it.
    assert [c.v for c in commands] == pytest.approx([0.0, 0.05, 0.10, 0.15])


def test_an_odometry_jump_ramps_down_and_waits_for_a_new_goal(ros):
    bench = Bench(ros, mode='lockstep')
    for k in range(21):
        bench.tick(10 * SECOND + k * TICK)
    # 1.0 m/s; then odometry leaps by 3 m: 2 m/s^2 take 0.1 m/s with each tick.
    ramp = [bench.tick(11 * SECOND + (k + 1) * TICK, x=3.0).v for k in range(3)]
    assert ramp == pytest.approx([0.9, 0.8, 0.7])
    ros.wait(lambda: bench.reason() == 'odometry_jump')
    assert bench.states[-1].level == DiagnosticStatus.ERROR
    for k in range(40):
        last = bench.tick(11 * SECOND + (k + 4) * TICK, x=3.0)
    assert last.v == 0.0, 'two seconds of good input do not resume what waits for a rearm'


def test_a_fault_that_lasts_a_second_is_published_as_latched(ros):
    bench = Bench(ros, mode='lockstep')
    for k in range(21):
        bench.tick(10 * SECOND + k * TICK)
    # The camera goes quiet: the gate is answered without it on ticks that carry no image.
    quiet = [11 * SECOND + k * TICK for k in range(1, 41) if k % 4]
    for stamp in quiet:
        bench.tick(stamp)
    ros.wait(lambda: status_values(bench.states[-1])['latched'] == 'camera_stale')
    assert bench.states[-1].level == DiagnosticStatus.ERROR
    assert bench.states[-1].message == 'camera_stale'


def test_an_e_stop_cuts_to_zero_at_once(ros):
    bench = Bench(ros, mode='lockstep')
    for k in range(11):
        bench.tick(10 * SECOND + k * TICK)
    bench.e_stop.publish(Bool(data=True))
    stopped = [bench.tick(10 * SECOND + (k + 11) * TICK) for k in range(20)]
    ros.wait(lambda: bench.reason() == 'e_stop')
    speeds = [c.v for c in stopped]
    assert speeds[-1] == 0.0
    first = speeds.index(0.0)
    assert not any(speeds[first:]), 'no ramp, and no motion after it'


def test_silence_of_every_input_ends_in_zero_by_the_steady_clock(ros):
    bench = Bench(ros, mode='realtime', gate__tick_period=0.02)
    clock = bench.driver.get_clock()

    def feed() -> bool:
        now = int(clock.now().nanoseconds)
        bench.info.publish(info_from_camera(SMALL_CAMERA, now, 'optical'))
        bench.odom.publish(message_from_odometry(Odometry(now, Pose2())))
        bench.command.publish(stamped_from_command(Command(now, 0.3, 0.0)))
        return any(message.twist.linear.x > 0.1 for message in bench.sent)

    timer = bench.driver.create_timer(0.02, feed)
    ros.wait(lambda: bench.reason() == 'no_goal')
    assert not any(message.twist.linear.x for message in bench.sent)
    bench.goal.publish(PoseStamped())
    ros.wait(lambda: any(message.twist.linear.x > 0.1 for message in bench.sent))
    bench.driver.destroy_timer(timer)
    last_good = int(clock.now().nanoseconds)
    ros.wait(lambda: bench.sent[-1].twist.linear.x == 0.0)
    stale = {'odometry_stale', 'command_stale', 'camera_stale'}
    ros.wait(lambda: bench.reason() in stale)
    zeros = [m for m in bench.sent if m.twist.linear.x == 0.0
             and to_ns(m.header.stamp) > last_good]
    assert zeros, 'the stop was sent, not only left out'
    bench.gate.close()


def test_a_camera_whose_images_do_not_arrive_stops_though_it_says_that_it_works(ros):
    bench = Bench(ros, mode='realtime', gate__tick_period=0.02)
    clock, images = bench.driver.get_clock(), [True]
    image = bench.driver.create_publisher(Header, 's2e/image', 20)
    plan = bench.driver.create_publisher(Path, 's2e/trajectory', 20)
    ros.wait(lambda: image.get_subscription_count() and plan.get_subscription_count())

    def feed() -> None:
        now = clock.now()
        if images[0]:
            image.publish(Header(stamp=now.to_msg()))
        plan.publish(Path(poses=[PoseStamped()]))
        stamp = int(now.nanoseconds)
        bench.info.publish(info_from_camera(SMALL_CAMERA, stamp, 'optical'))
        bench.odom.publish(message_from_odometry(Odometry(stamp, Pose2())))
        bench.command.publish(stamped_from_command(Command(stamp, 0.3, 0.0)))

    timer = bench.driver.create_timer(0.02, feed)
    ros.wait(lambda: bench.reason() == 'no_goal')
    bench.goal.publish(PoseStamped())
    ros.wait(lambda: any(message.twist.linear.x > 0.1 for message in bench.sent))
    images[0] = False
    ros.wait(lambda: bench.reason() == 'camera_stale')
    ros.wait(lambda: bench.sent[-1].twist.linear.x == 0.0)
    bench.driver.destroy_timer(timer)
    bench.gate.close()


def test_a_gate_that_raises_sends_a_zero_and_ends(ros, monkeypatch):
    bench = Bench(ros, mode='realtime')

    def fail(now_ns: int):
        raise ArithmeticError('one over zero')

    monkeypatch.setattr(bench.gate._gate, 'step', fail)
    ros.wait(lambda: bench.gate.exit_code == 1)
    ros.wait(lambda: bool(bench.sent))
    assert bench.sent[-1].twist.linear.x == 0.0
    bench.gate.close()


def test_a_second_publisher_is_named_and_stops_autonomy(ros):
    bench = Bench(ros, mode='lockstep')
    bench.driver.create_publisher(TwistStamped, 'cmd_vel', 10)
    stamp = 10 * SECOND

    def tick_until_stopped() -> bool:
        nonlocal stamp
        stamp += TICK
        bench.tick(stamp)
        return bench.reason() == 'second_publisher'

    ros.wait(tick_until_stopped)
    assert '/driver' in status_values(bench.states[-1])['detail']


def test_twist_without_a_stamp_for_bases_that_want_it(ros):
    bench = Bench(ros, mode='lockstep', stamped=False)
    stamp = 10 * SECOND
    for k in range(2):
        bench.info.publish(info_from_camera(SMALL_CAMERA, stamp, 'optical'))
        bench.odom.publish(message_from_odometry(Odometry(stamp + k * TICK, Pose2())))
        bench.command.publish(stamped_from_command(Command(stamp + k * TICK, 1.0, 0.0)))
        ros.wait(lambda k=k: len(bench.sent) > k)
    assert bench.sent[1].linear.x == pytest.approx(0.05)


def test_shutdown_leaves_a_zero(ros):
    bench = Bench(ros, mode='lockstep')
    for k in range(5):
        bench.tick(10 * SECOND + k * TICK)
    before = len(bench.sent)
    bench.gate.close()
    ros.wait(lambda: len(bench.sent) > before)
    assert command_from_stamped(bench.sent[-1]).v == 0.0


def test_a_scan_stops_a_person_who_wants_help(ros):
    """Something 5 cm ahead of the nose: whoever drives forward stands, and is told why."""
    bench = Bench(ros, mode='lockstep', gate__obstacles__source='scan',
                  gate__obstacles__assist=True)
    teleop = bench.driver.create_publisher(TwistStamped, 'cmd_vel_teleop', 20)
    scans = bench.driver.create_publisher(LaserScan, 'scan', 20)
    ros.wait(lambda: teleop.get_subscription_count() and scans.get_subscription_count())
    stamps = itertools.count(10 * SECOND, TICK)

    def drive(frame: str, gap: float = 0.05) -> str:
        stamp = next(stamps)
        ranges = np.full(360, np.inf)
        # The middle of the full turn is straight ahead.
        ranges[180] = load_robot('coco').length / 2 + gap
        scans.publish(scan_from_ranges(ranges, stamp, 10.0, frame))
        teleop.publish(stamped_from_command(Command(stamp, 1.0, 0.0)))
        bench.tick(stamp, v=0.0)
        return bench.reason()

    ros.wait(lambda: drive('base_link') == 'obstacle')
    assert bench.tick(next(stamps), v=0.0).v == 0.0
    # 0.2 m less the margin: v t + v^2 / 2a allows 0.58 of the 1 m/s, which is no stop.
    ros.wait(lambda: drive('base_link', 0.3) == 'none')
    ros.wait(lambda: status_values(bench.states[-1])['slowed'] == 'True')
    # Scans of a sensor whose place is unknown are not read: the last one grows too old.
    ros.wait(lambda: drive('laser') == 'obstacles_stale')
    bench.gate.close()


def test_a_turn_that_nobody_sees_is_refused_with_what_would_allow_it(ros):
    """Jackal's corners reach 0.12 m beyond its sides; straight ahead it drives at once."""
    bench = Bench(ros, mode='lockstep', robot='jackal', gate__unseen__watch=True)
    stamps = itertools.count(10 * SECOND, TICK)
    turned = [bench.tick(next(stamps), v=0.0, w=1.0) for _ in range(5)]
    assert not any(command.w for command in turned)
    ros.wait(lambda: bench.reason() == 'unseen_space')
    values = status_values(bench.states[-1])
    assert (values['sees'], values['latched']) == ('camera_only', 'none')
    for said in ('corners 0.12 m out', 'obstacles:=scan', 'gate.unseen.permit: 0.12'):
        assert said in values['detail']
    assert bench.tick(next(stamps), v=0.3).v > 0.0
    ros.wait(lambda: bench.reason() == 'none')
    bench.gate.close()


def test_a_turn_that_is_permitted_is_made(ros):
    bench = Bench(ros, mode='lockstep', robot='jackal', gate__unseen__watch=True,
                  gate__unseen__permit=0.12)
    commands = [bench.tick(10 * SECOND + k * TICK, v=0.0, w=1.0) for k in range(4)]
    # 6 rad/s^2: 0.3 rad/s more with each tick; the first has no time before it.
    assert [command.w for command in commands] == pytest.approx([0.0, 0.3, 0.6, 0.9])
    bench.gate.close()
