"""Velocities: geometry_msgs/Twist and TwistStamped to commands and back."""

from __future__ import annotations

from geometry_msgs.msg import Twist, TwistStamped

from s2e_core.records import Command
from s2e_nav.convert.stamps import to_ns, to_time


def command_from_stamped(message: TwistStamped) -> Command:
    """Read a stamped velocity."""
    twist = message.twist
    return Command(to_ns(message.header.stamp), float(twist.linear.x), float(twist.angular.z))


def command_from_twist(message: Twist, stamp_ns: int) -> Command:
    """Read a velocity that carries no stamp."""
    return Command(stamp_ns, float(message.linear.x), float(message.angular.z))


def stamped_from_command(command: Command, frame_id: str = 'base_link') -> TwistStamped:
    """Write a stamped velocity."""
    message = TwistStamped()
    message.header.stamp, message.header.frame_id = to_time(command.stamp_ns), frame_id
    message.twist.linear.x, message.twist.angular.z = command.v, command.w
    return message


def twist_from_command(command: Command) -> Twist:
    """Write a velocity without a stamp."""
    message = Twist()
    message.linear.x, message.angular.z = command.v, command.w
    return message
