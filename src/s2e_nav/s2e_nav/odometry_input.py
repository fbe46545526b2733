"""Odometry as every node but the gate takes it: what cannot be used never arrives."""

from __future__ import annotations

from collections.abc import Callable

from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from s2e_core.records import Odometry
from s2e_nav.convert.poses import odometry_from_message
from s2e_nav.errors import ConversionError


def listen_to_odometry(
    node: Node, take: Callable[[Odometry], None], qos: QoSProfile
) -> Subscription:
    """Subscribe to `odom`.

    Args:
        node: Owner.
        take: Called with each odometry of finite numbers; the gate sees the same messages and
            names what is wrong with the others.
        qos: Profile of the subscription.
    """
    def on_message(message: OdometryMessage) -> None:
        try:
            odometry = odometry_from_message(message)
        except ConversionError as error:
            node.get_logger().error(f'odom: {error}', throttle_duration_sec=5.0)
            return
        if odometry.finite:
            take(odometry)

    return node.create_subscription(OdometryMessage, 'odom', on_message, qos)
