"""Shadow mode: the comparison by hand, its log, the node, and a gate that hears no policy."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path as PathMessage

from s2e_core.records import Command, Odometry, Plan
from s2e_core.se2 import Pose2
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.errors import StartError
from s2e_nav.navigation.codes import Code
from s2e_nav.navigation.mission import Kind, Mission, MissionConfig, MissionControl
from s2e_nav.nodes.gate import GateNode
from s2e_nav.nodes.shadow import ShadowNode
from s2e_nav.shadow.comparison import Comparison
from s2e_nav.shadow.log import ShadowLog

SECOND = 1_000_000_000


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def plan(seconds: float, lateral: float = 0.0) -> Plan:
    """A metre per second along x from x = seconds - 10, that far to the left in its last metre."""
    points = np.array([((seconds - 10) + 0.2 * (k + 1), 0.0) for k in range(10)])
    points[5:, 1] = lateral
    return Plan(at(seconds), points, 0.2)


def drive(comparison: Comparison, begin: float, end: float, hands: bool = True):
    """The person drives a metre per second along x; odometry and commands at 20 Hz."""
    scores = []
    for k in range(round(begin * 20), round(end * 20) + 1):
        if hands:
            comparison.person(Command(at(k / 20), 1.0, 0.0))
        scores += comparison.odometry(Odometry(at(k / 20), Pose2(k / 20 - 10), 1.0, 0.0))
    return scores


def test_a_plan_is_scored_when_its_time_is_over():
    comparison = Comparison()
    drive(comparison, 10, 10)
    comparison.plan(plan(10.0, lateral=0.4))
    assert drive(comparison, 10.05, 11.95) == []
    (score,) = drive(comparison, 12.0, 12.0)
    # Half of the ten waypoints lie 0.4 m beside the way: mean 0.2, last 0.4.
    assert score.ade == pytest.approx(0.2) and score.fde == pytest.approx(0.4)
    # Driven 2 m; planned nine legs of 0.2 m and one of sqrt(0.2^2 + 0.4^2) = 0.447 m.
    assert score.driven == pytest.approx(2.0) and score.planned == pytest.approx(2.2472, abs=1e-4)


def test_plans_without_a_driver_or_without_odometry_have_no_score():
    comparison = Comparison()
    drive(comparison, 10, 11, hands=False)
    comparison.plan(plan(10.5))
    assert drive(comparison, 11.05, 13.0) == [], 'the drive began after the plan'
    comparison.plan(plan(13.0))
    assert drive(comparison, 13.05, 16.0, hands=False) == [], 'the driver let go'
    comparison.plan(Plan(at(16.0), np.zeros((0, 2)), 0.2))
    assert drive(comparison, 16.05, 19.0) == [], 'a plan to stand still'
    comparison.plan(plan(19.0))
    drive(comparison, 19.05, 19.2)
    comparison.person(Command(at(20.9), 1.0, 0.0))
    assert drive(comparison, 20.9, 21.2) == [], 'a gap of odometry'


def test_velocities_are_paired_while_a_person_drives():
    comparison = Comparison()
    assert comparison.policy(Command(at(10), 0.5, 0.1)) is None
    comparison.person(Command(at(10), 0.8, -0.1))
    tick = comparison.policy(Command(at(10.3), 0.5, 0.1))
    assert tick is not None
    assert tick.dv == pytest.approx(-0.3) and tick.dw == pytest.approx(0.2)
    assert comparison.policy(Command(at(10.301), 0.5, 0.1)) is None, 'older than 0.3 s'


def test_the_log_holds_rows_and_means(tmp_path):
    log, comparison = ShadowLog(tmp_path / 'log'), Comparison()
    assert log.facts()['mean_ade'] == ''
    comparison.person(Command(at(10), 0.8, 0.0))
    for v in (0.5, 1.0):
        tick = comparison.policy(Command(at(10), v, 0.1))
        assert tick is not None
        log.tick(tick)
    log.close()
    rows = list(csv.DictReader((tmp_path / 'log' / 'ticks.csv').open()))
    assert [row['dv'] for row in rows] == ['-0.3000', '0.2000']
    # (0.3 + 0.2) / 2.
    assert log.facts() == {'ticks': '2', 'plans': '0', 'mean_dv': '0.250', 'mean_dw': '0.100',
                           'mean_ade': '', 'mean_fde': ''}
    with pytest.raises(StartError, match=r'ticks\.csv'):
        ShadowLog(tmp_path / 'log')


def test_a_disk_that_fails_ends_the_file_and_not_the_sums(tmp_path, monkeypatch):
    log, comparison = ShadowLog(tmp_path / 'log'), Comparison()

    class Full:
        def writerow(self, row):
            raise OSError(28, 'No space left on device')

    monkeypatch.setattr(log, '_tick_rows', Full())
    comparison.person(Command(at(10), 0.8, 0.0))
    tick = comparison.policy(Command(at(10), 0.5, 0.0))
    assert tick is not None
    log.tick(tick)
    assert 'No space left' in log.failure and log.facts()['ticks'] == '1'
    log.close()


def test_a_goal_outlives_its_driver_in_the_shadow_but_no_other_stop():
    control = MissionControl(MissionConfig(outlives_driver=True))
    control.begin(Mission(5, Kind.POSE), 0.0)
    assert control.on_gate(5, 'operator_lost') is None
    ending = control.on_gate(5, 'e_stop')
    assert ending is not None and ending.code is Code.GATE_STOPPED
    control = MissionControl()
    control.begin(Mission(5, Kind.POSE), 0.0)
    assert control.on_gate(5, 'operator_lost') is not None


def test_the_node_logs_and_publishes(ros, tmp_path):
    node = ros.node('shadow', folder=str(tmp_path / 'log'))
    shadow = ShadowNode(node)
    bench = ros.node('bench')
    odom = bench.create_publisher(OdometryMessage, 'odom', 50)
    person = bench.create_publisher(TwistStamped, 'cmd_vel_teleop', 50)
    policy = bench.create_publisher(TwistStamped, 'cmd_vel_nav', 50)
    plans = bench.create_publisher(PathMessage, 's2e/trajectory', 50)
    said = ros.listen(bench, DiagnosticStatus, 's2e/shadow')
    ros.spin(node)
    ros.spin(bench)
    ros.wait(lambda: all(p.get_subscription_count() for p in (odom, person, policy, plans)))

    def heard(condition) -> None:
        ros.wait(condition)

    for k in range(45):
        stamp = at(10 + k / 20)
        person.publish(stamped_from_command(Command(stamp, 1.0, 0.0)))
        heard(lambda stamp=stamp: getattr(shadow._comparison._person, 'stamp_ns', 0) == stamp)
        odom.publish(message_from_odometry(Odometry(stamp, Pose2(k / 20), 1.0)))
        policy.publish(stamped_from_command(Command(stamp, 0.6, 0.2)))
        if k == 0:
            plans.publish(path_from_plan(plan(10.0, lateral=0.4)))
            heard(lambda: len(shadow._comparison._plans) == 1)
    ros.wait(lambda: bool(said) and status_values(said[-1])['plans'] == '1'
             and status_values(said[-1])['ticks'] == '45')
    facts = status_values(said[-1])
    assert facts['mean_dv'] == '0.400' and facts['mean_fde'] == '0.400'
    shadow.close()
    assert len((tmp_path / 'log' / 'plans.csv').read_text().splitlines()) == 2


def test_a_gate_in_the_shadow_does_not_hear_the_policy(ros):
    node = ros.node('gate', robot='coco', shadow=True)
    gate = GateNode(node)
    topics = [name for name, _ in node.get_subscriber_names_and_types_by_node('gate', '/')]
    assert '/cmd_vel_teleop' in topics and '/cmd_vel_nav' not in topics
    gate.close()
    node.destroy_node()
