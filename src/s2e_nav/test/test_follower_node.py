"""The follower node on the wall clock: what it answers, and when."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path

from s2e_core.records import Odometry, Plan
from s2e_core.se2 import Pose2
from s2e_nav.convert.commands import command_from_stamped
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.nodes.follower import FollowerNode

SECOND = 1_000_000_000
AHEAD = np.stack([0.1 * np.arange(1, 11), np.zeros(10)], 1)
"""0.5 m/s."""


@pytest.fixture
def bench(ros):
    """Return publishers of odometry and plan, and what the follower has sent."""
    node = ros.node('follower', robot='coco')
    FollowerNode(node)
    user = ros.node('user')
    odom = user.create_publisher(OdometryMessage, 'odom', 20)
    plan = user.create_publisher(Path, 's2e/trajectory', 20)
    sent = ros.listen(user, TwistStamped, 'cmd_vel_nav')
    ros.spin(node)
    ros.spin(user)
    ros.wait(lambda: all(p.get_subscription_count() for p in (odom, plan)))
    ros.wait(lambda: user.count_publishers('cmd_vel_nav') == 1)
    return odom, plan, sent


def test_a_plan_is_followed_before_the_next_odometry(ros, bench):
    odom, plan, sent = bench
    odom.publish(message_from_odometry(Odometry(10 * SECOND, Pose2())))
    ros.wait(lambda: len(sent) == 1)
    assert not command_from_stamped(sent[0]).moves
    plan.publish(path_from_plan(Plan(10 * SECOND, AHEAD, 0.2)))
    ros.wait(lambda: len(sent) == 2)
    # It bears the stamp of the odometry it was made from: an old one is not made young.
    command = command_from_stamped(sent[1])
    assert command.stamp_ns == 10 * SECOND and command.v == pytest.approx(0.5)
    plan.publish(path_from_plan(Plan(10 * SECOND, np.zeros((0, 2)), 0.2)))
    ros.wait(lambda: len(sent) == 3)
    assert not command_from_stamped(sent[2]).moves


def test_what_cannot_be_used_is_not_answered(ros, bench):
    odom, plan, sent = bench
    # A plan before any odometry: from where would it be followed?
    plan.publish(path_from_plan(Plan(10 * SECOND, AHEAD, 0.2)))
    broken = message_from_odometry(Odometry(10 * SECOND, Pose2()))
    broken.pose.pose.orientation.w = 3.0
    odom.publish(broken)
    odom.publish(message_from_odometry(Odometry(10 * SECOND, Pose2(float('nan')))))
    odom.publish(message_from_odometry(Odometry(11 * SECOND, Pose2())))
    ros.wait(lambda: bool(sent))
    assert [command_from_stamped(message).stamp_ns for message in sent] == [11 * SECOND]
