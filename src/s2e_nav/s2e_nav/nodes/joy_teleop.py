"""Joystick node: sensor_msgs/Joy in, velocity for the gate out while a button is held."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import Joy

from s2e_core.config import option
from s2e_nav.parameters import declare
from s2e_nav.qos import SENSOR
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.teleop.direct import DirectDriver, DirectParameters
from s2e_nav.teleop.output import OperatorOutput
from s2e_teleop.joystick import JoystickConfig, JoystickState, read_joystick


@dataclass(frozen=True)
class JoyParameters(DirectParameters):
    """Parameters of the joystick node."""

    joystick: JoystickConfig = JoystickConfig()
    timeout: float = option(
        0.2, unit='s', low=0.05, high=0.25, help='Silence of the joystick that lets go.'
    )

class JoyTeleop:
    """Reads a joystick; run joy_node with autorepeat_rate 20 beside it."""

    def __init__(self, node: Node) -> None:
        """Subscribe and publish."""
        self.node = node
        self.exit_code: int | None = None
        self._config = declare(node, JoyParameters)
        self._output = OperatorOutput(node, self._config.stamped)
        self._driver = DirectDriver(self._output, self._config)
        self._state = JoystickState()
        self._heard = float('-inf')
        node.create_subscription(Joy, 'joy', self._on_joy, SENSOR)
        steady_timer(node, 0.05, self._each_tick)
        steady_timer(node, 0.05, self._driver.beat)

    def close(self) -> None:
        """Leave a zero behind."""
        self._driver.close()

    def _on_joy(self, message: Joy) -> None:
        before, self._heard = self._state, time.monotonic()
        self._state = read_joystick(
            list(message.axes), list(message.buttons), self._config.joystick
        )
        if self._state.problem and self._state.problem != before.problem:
            self.node.get_logger().error(self._state.problem)
        if self._state.e_stop and not before.e_stop:
            self._driver.press_e_stop(True)
            self.node.get_logger().warning('emergency stop pressed')
        if self._state.rearm and not before.rearm:
            self._driver.press_e_stop(False)
            self._output.rearm(self.node.get_logger().info)

    def _each_tick(self) -> None:
        silent = time.monotonic() - self._heard > self._config.timeout
        text = self._driver.step(None if silent else self._state.stick)
        if text:
            self.node.get_logger().warning(text)


def main(args: list[str] | None = None) -> None:
    """Run the joystick node."""
    main_program(lambda: JoyTeleop(Node('joy_teleop')), args)


if __name__ == '__main__':
    main()
