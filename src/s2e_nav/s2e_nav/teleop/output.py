"""A driver's velocity on its way to the gate, and the calls by which a person allows motion."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from s2e_core.records import Command
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.gate.output import VelocityOutput
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.runtime.timers import steady_timer
from s2e_teleop.session import OPERATOR_LOST, PRESS_GRACE

TOPIC = 'cmd_vel_teleop'
ZEROS = 3
"""Zeros after a drive: the gate hears best effort, and one may be lost; then silence."""


class OperatorOutput:
    """Publishes while the dead-man is held, then a few zeros, then nothing."""

    def __init__(self, node: Node, stamped: bool) -> None:
        """Open the topics.

        Args:
            node: Owner; its executor answers the calls.
            stamped: TwistStamped, as the gate takes it; Twist for other arbiters.
        """
        self._node = node
        self._velocity = VelocityOutput(node, stamped, TOPIC)
        self._e_stop = node.create_publisher(Bool, 'e_stop', RELIABLE)
        self._rearm: Any = node.create_client(Trigger, 'gate/rearm')
        self._admit: Any = node.create_client(Trigger, 'gate/admit_driver')
        self._lock = threading.Lock()
        self._zeros = 0
        self._pressed_at = float('-inf')
        self.gate: dict[str, str] = {}
        """What the gate said last: reason, latched, source; empty before it is heard."""
        self.on_gate: Callable[[], None] = lambda: None
        """Called when the gate says something new."""
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, LATCHED)
        steady_timer(node, 0.05, self._each_tick)

    @property
    def latched(self) -> str:
        """The stop that waits for a person, or `none`; empty before the gate is heard."""
        return self.gate.get('latched', '')

    def drive(self, command: Command, age: float) -> None:
        """Send a velocity that was asked for so many seconds ago; from any thread."""
        with self._lock:
            self._zeros = 0
            self._send(command, age)

    def halt(self) -> None:
        """Send a zero now and two more; the gate then waits for a person. From any thread."""
        with self._lock:
            self._pressed_at = float('-inf')
            self._zeros = ZEROS - 1
            self._send(Command(0), 0.0)

    def press(self) -> None:
        """A person pressed the dead-man anew: end the stop for want of a driver, if there is one.

        Only that stop: all others are shown, and end by a call of their own. Autonomy is not let
        loose by it.
        """
        with self._lock:
            self._pressed_at = time.monotonic()
        if self.latched == OPERATOR_LOST:
            self._call(self._admit, lambda text: None)

    def rearm(self, tell: Callable[[str], object]) -> None:
        """Ask the gate to allow motion after whatever stop.

        Args:
            tell: Called with what the gate answers.
        """
        self._call(self._rearm, tell)

    @staticmethod
    def _call(client: Any, tell: Callable[[str], object]) -> None:
        if not client.service_is_ready():
            tell('no gate is there to ask')
            return
        future = client.call_async(Trigger.Request())
        future.add_done_callback(lambda done: tell(str(done.result().message)))

    def e_stop(self, pressed: bool) -> None:
        """Send the heartbeat of the emergency stop; from any thread."""
        try:
            self._e_stop.publish(Bool(data=pressed))
        except InvalidHandle:
            self._node.get_logger().error('e_stop is closed: nothing was sent')

    def _send(self, command: Command, age: float) -> None:
        stamp = int(self._node.get_clock().now().nanoseconds) - round(age * 1e9)
        self._velocity.send(dataclasses.replace(command, stamp_ns=stamp))

    def _each_tick(self) -> None:
        with self._lock:
            if self._zeros > 0:
                self._zeros -= 1
                self._send(Command(0), 0.0)

    def _on_gate(self, message: DiagnosticStatus) -> None:
        self.gate = status_values(message)
        # The stop of the last release may be reported only after the next press.
        with self._lock:
            fresh = time.monotonic() - self._pressed_at < PRESS_GRACE
        if self.latched == OPERATOR_LOST and fresh:
            self._call(self._admit, lambda text: None)
        self.on_gate()
