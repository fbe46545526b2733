"""A stick that is read in this process, without a link: terminal keys and joysticks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.robot import RobotProfile, load_robot
from s2e_nav.teleop.output import OperatorOutput
from s2e_teleop.session import OPERATOR_LOST, PRESS_GRACE
from s2e_teleop.steering import SteeringConfig, command_from_stick


@dataclass(frozen=True)
class DirectParameters:
    """Parameters of the keyboard and joystick nodes."""

    robot: str = option('coco', help='Robot profile by name or path.')
    stamped: bool = option(True, help='Send TwistStamped; Twist otherwise.')
    steering: SteeringConfig = SteeringConfig()

    def __post_init__(self) -> None:
        check(self, source='teleop parameters')


class DirectDriver:
    """Sends the stick's velocity while it is held."""

    def __init__(self, output: OperatorOutput, config: DirectParameters) -> None:
        """Start at rest."""
        self._output, self._steering = output, config.steering
        self._robot: RobotProfile = load_robot(config.robot)
        self.limit = min(config.steering.v_start, self._robot.v_max)
        """Top speed, m/s."""
        self._driving = self._spent = False
        self._pressed_at = 0.0
        self._e_stop: bool | None = None

    def change_limit(self, factor: float) -> float:
        """Make the top speed larger or smaller and return it, m/s."""
        self.limit = min(max(self.limit * factor, 0.05), self._robot.v_max)
        return self.limit

    def step(self, stick: tuple[float, float, float] | None) -> str:
        """Send what the stick says, every 50 ms.

        Args:
            stick: Forward, left, and left without turning, -1..1; None while the dead-man is not
                held.

        Returns:
            What a person should read, or nothing.
        """
        if stick is None or self._e_stop:
            self._spent = self._spent and stick is not None
            if self._driving:
                self._driving = False
                self._output.halt()
            return ''
        if self._spent:
            return ''
        late = time.monotonic() - self._pressed_at > PRESS_GRACE
        if self._driving and late and self._output.latched == OPERATOR_LOST:
            self._driving, self._spent = False, True
            self._output.halt()
            return 'the gate lost the driver: let go, then press again'
        x, y, side = stick
        command = command_from_stick(x, y, self.limit, self._robot, self._steering, 0, side)
        self._output.drive(command, 0.0)
        if not self._driving:
            self._driving, self._pressed_at = True, time.monotonic()
            self._output.press()
        return ''

    def press_e_stop(self, pressed: bool) -> None:
        """Press or release the emergency stop; its heartbeat begins with the first press."""
        if pressed or self._e_stop is not None:
            self._spent, self._e_stop = True, pressed
            self._output.e_stop(pressed)

    def beat(self) -> None:
        """Send the heartbeat, twenty times a second."""
        if self._e_stop is not None:
            self._output.e_stop(self._e_stop)

    def close(self) -> None:
        """Leave a zero behind, if this node was driving."""
        if self._driving:
            self._output.halt()
