"""Velocities: geometry_msgs/Twist and TwistStamped to commands and back."""

from __future__ import annotations

from geometry_msgs.msg import Twist, TwistStamped

from s2e_core.records import Command
from s2e_nav.convert.stamps import to_ns, to_time


def command_from_stamped(message: TwistStamped) -> Command:
    """Read a stamped velocity."""
    return command_from_twist(message.twist, to_ns(message.header.stamp))


def command_from_twist(message: Twist, stamp_ns: int) -> Command:
    """Read a velocity that carries no stamp."""
    linear = message.linear
    return Command(stamp_ns, float(linear.x), float(message.angular.z), float(linear.y))


def stamped_from_command(command: Command, frame_id: str = 'base_link') -> TwistStamped:
    """Write a stamped velocity."""
    message = TwistStamped()
    message.header.stamp, message.header.frame_id = to_time(command.stamp_ns), frame_id
    message.twist = twist_from_command(command)
    return message


def twist_from_command(command: Command) -> Twist:
    """Write a velocity without a stamp."""
    message = Twist()
    message.linear.x, message.linear.y = command.v, command.vy
    message.angular.z = command.w
    return message
