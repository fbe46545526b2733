"""Stand-ins for Nav2's velocity smoother and collision monitor, as far as the gate can tell.

Nav2 is not on the package index. These two re-time, limit and withhold velocities as its nodes do
(navigation2, `velocity_smoother.cpp` and `collision_monitor_node.cpp`), so that the watchdogs can
be tried behind them.
"""

from __future__ import annotations

from dataclasses import dataclass

from geometry_msgs.msg import TwistStamped
from rclpy.node import Node
from std_msgs.msg import Bool

from s2e_core.records import Command
from s2e_nav.convert.commands import command_from_stamped, stamped_from_command
from s2e_nav.qos import RELIABLE
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer

RAW, SMOOTHED, OUT = 'cmd_vel_raw', 'cmd_vel_smoothed', 'cmd_vel_nav'
"""Follower -> smoother -> monitor -> gate (docs/robot.md)."""
STOP = 'nav2/stop'
"""std_msgs/Bool: whether something stands in the monitor's stop polygon."""


@dataclass
class Smoother:
    """Sends the newest command at a fixed rate, within accelerations."""

    frequency: float = 20.0
    """Hz."""
    accel: float = 2.5
    """m/s^2 and, here, rad/s^2."""
    decel: float = 2.5
    top: float = 0.5
    """m/s; no higher than the gate's own cap, or braking begins above what the robot drives."""
    timeout: float = 0.1
    """Seconds after which a command counts as zero; Nav2's default is 1.0."""
    restamps: bool = True
    """Whether what is sent bears the time of sending, as newer versions do; older ones repeat the
    stamp of the command."""

    def __post_init__(self) -> None:
        self._command: Command | None = None
        self._last, self._stopped = Command(0), True

    def take(self, command: Command) -> None:
        """Take a command."""
        v = max(-self.top, min(self.top, command.v))
        self._command = Command(command.stamp_ns, v, command.w)

    def tick(self, now_ns: int) -> Command | None:
        """Send, or nothing once it has come to rest after a time-out."""
        wanted = self._command
        if wanted is None:
            return None
        if (now_ns - wanted.stamp_ns) * 1e-9 > self.timeout:
            if self._stopped or not (self._last.v or self._last.w):
                self._stopped = True
                return None
            stamp = now_ns if self.restamps else wanted.stamp_ns
            wanted = Command(stamp)
        self._stopped = False
        stamp = now_ns if self.restamps else wanted.stamp_ns
        self._last = Command(
            stamp, self._step(self._last.v, wanted.v), self._step(self._last.w, wanted.w)
        )
        return self._last

    def _step(self, now: float, wanted: float) -> float:
        faster = abs(wanted) >= abs(now) and now * wanted >= 0
        most = (self.accel if faster else self.decel) / self.frequency
        return now + max(-most, min(most, wanted - now))


@dataclass
class Monitor:
    """Passes each command on, or zeros while it stops the robot; then nothing more."""

    stop_pub_timeout: float = 3600.0
    """Seconds of zeros after which it falls silent; Nav2's default is 1.0."""

    def __post_init__(self) -> None:
        self.stops = False
        self._zero_since: int | None = None

    def process(self, command: Command, now_ns: int) -> Command | None:
        """Pass a command on."""
        out = Command(command.stamp_ns) if self.stops else command
        if out.v or out.w:
            self._zero_since = None
            return out
        if self._zero_since is None:
            self._zero_since = now_ns
        return out if (now_ns - self._zero_since) * 1e-9 <= self.stop_pub_timeout else None


class Chain:
    """Both in one process, between the follower and the gate."""

    def __init__(self, node: Node) -> None:
        """Open the topics."""
        self.node = node
        self.exit_code: int | None = None
        self._smoother, self._monitor = Smoother(), Monitor()
        self._smoothed = node.create_publisher(TwistStamped, SMOOTHED, RELIABLE)
        self._out = node.create_publisher(TwistStamped, OUT, RELIABLE)
        node.create_subscription(TwistStamped, RAW, self._on_raw, RELIABLE)
        node.create_subscription(TwistStamped, SMOOTHED, self._on_smoothed, RELIABLE)
        node.create_subscription(Bool, STOP, self._on_stop, RELIABLE)
        steady_timer(node, 1.0 / self._smoother.frequency, self._each_tick)

    def close(self) -> None:
        """Nothing to say: the gate stops for want of commands."""

    def _now(self) -> int:
        return int(self.node.get_clock().now().nanoseconds)

    def _on_raw(self, message: TwistStamped) -> None:
        self._smoother.take(command_from_stamped(message))

    def _each_tick(self) -> None:
        command = self._smoother.tick(self._now())
        if command is not None:
            self._smoothed.publish(stamped_from_command(command))

    def _on_smoothed(self, message: TwistStamped) -> None:
        command = self._monitor.process(command_from_stamped(message), self._now())
        if command is not None:
            self._out.publish(stamped_from_command(command))

    def _on_stop(self, message: Bool) -> None:
        self._monitor.stops = bool(message.data)


def main(args: list[str] | None = None) -> None:
    """Run both."""
    main_program(lambda: Chain(Node('nav2_chain')), args)


if __name__ == '__main__':
    main()
