"""The soak's goals, beside a policy that is only words."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage

from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.diagnostics import OK, status_message
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.stamps import to_ns
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR
from s2e_nav.soak import watch as soak_watch


def test_a_goal_is_said_until_the_policy_names_it(ros: Any, monkeypatch: Any) -> None:
    # Five times between the naming and the next goal, were it said on.
    monkeypatch.setattr(soak_watch, 'AGAIN', 0.2)
    world, node = ros.node('world'), ros.node('soak')
    goals = ros.listen(world, PoseStamped, 'goal_pose', RELIABLE)
    odometry = world.create_publisher(OdometryMessage, 'odom', SENSOR)
    status = world.create_publisher(DiagnosticStatus, 's2e/status', LATCHED)
    results = world.create_publisher(DiagnosticStatus, 's2e/result', RELIABLE)
    watch = soak_watch.SoakWatch(node, seed=0)
    for each in (world, node):
        ros.spin(each)

    def ready() -> bool:
        status.publish(status_message('policy', OK, '', {'state': 'idle', 'goal_stamp': 0}))
        odometry.publish(message_from_odometry(Odometry(1, Pose2(1.0, 2.0, 0.0))))
        return watch.is_ready and results.get_subscription_count() > 0

    ros.wait(ready)
    watch.begin()
    # Nobody acknowledged the first: the same place again, under the same stamp.
    ros.wait(lambda: len(goals) >= 2)
    first, again = goals[:2]
    assert first == again

    stamp = to_ns(first.header.stamp)
    named = {'state': 'navigating', 'goal_stamp': stamp}
    status.publish(status_message('policy', OK, '', named))
    ros.wait(lambda: watch.state == 'navigating')
    said = len(goals)
    ended = {'goal_stamp': stamp, 'error_name': 'SUCCESS'}
    results.publish(status_message('policy', OK, '', ended))
    ros.wait(lambda: to_ns(goals[-1].header.stamp) != stamp)
    # One more may have been on its way.
    assert sum(to_ns(goal.header.stamp) == stamp for goal in goals) <= said + 1
    assert watch.take()[0].ends == {'SUCCESS': 1}
