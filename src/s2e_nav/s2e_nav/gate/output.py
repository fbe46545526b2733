"""Velocity to the base, as Twist or TwistStamped, and who else talks to it."""

from __future__ import annotations

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.topic_endpoint_info import TopicEndpointInfo

from s2e_core.records import Command
from s2e_nav.convert.commands import stamped_from_command, twist_from_command
from s2e_nav.qos import RELIABLE

TOPIC = 'cmd_vel'


class VelocityOutput:
    """Publishes velocities and watches the topic."""

    def __init__(self, node: Node, stamped: bool, topic: str = TOPIC) -> None:
        """Open the topic.

        Args:
            node: Owner.
            stamped: TwistStamped; Twist otherwise.
            topic: Name; a driver's velocity has another one than the base's.
        """
        self._node, self._stamped, self._topic = node, stamped, topic
        self.newest_ns = 0
        """Stamp of the command that was sent last, nanoseconds."""
        kind = TwistStamped if stamped else Twist
        self._publisher = node.create_publisher(kind, topic, RELIABLE)

    def send(self, command: Command) -> None:
        """Publish; a context that went down already is not an error at shutdown."""
        self.newest_ns = command.stamp_ns
        try:
            if self._stamped:
                self._publisher.publish(stamped_from_command(command))
            else:
                self._publisher.publish(twist_from_command(command))
        except InvalidHandle:
            self._node.get_logger().error(f'{self._topic} is closed: nothing was sent')

    def others(self) -> list[str]:
        """Name the other nodes that publish on the topic."""
        infos = self._node.get_publishers_info_by_topic(self._topic)
        own = self._node.get_fully_qualified_name()
        names = [_name(info) for info in infos]
        if own in names:
            names.remove(own)
        return names

    def warn_about_other_type(self) -> None:
        """Say it loudly when the listener takes the other kind of message."""
        infos = self._node.get_subscriptions_info_by_topic(self._topic)
        mine = 'geometry_msgs/msg/' + ('TwistStamped' if self._stamped else 'Twist')
        # A node that takes both kinds is served; a recorder of the right kind is not the base.
        served = {_name(info) for info in infos if info.topic_type == mine}
        for info in infos:
            if _name(info) not in served:
                self._node.get_logger().error(
                    f'{self._topic} is sent as {mine}, but {_name(info)} listens to '
                    f'{info.topic_type} and hears nothing: set stamped:='
                    f'{str(not self._stamped).lower()} if that is the base',
                    throttle_duration_sec=10.0,
                )


def _name(info: TopicEndpointInfo) -> str:
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'
