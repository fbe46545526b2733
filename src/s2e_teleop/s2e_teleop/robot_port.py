"""What a session asks of the robot; the ROS node answers, or a fake in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from s2e_core.records import Command


class RobotPort(Protocol):
    """Called from the server's thread; nothing here may block."""

    def drive(self, command: Command, age: float) -> None:
        """Send a velocity that was asked for so many seconds ago; the stamp of it is unused."""

    def halt(self, why: str) -> None:
        """Send a zero now and then nothing: the gate stops and waits for a person."""

    def press(self) -> None:
        """A person pressed the dead-man anew: a stop for want of the driver is over."""

    def e_stop(self, pressed: bool) -> None:
        """Send the heartbeat of the emergency stop."""

    def rearm(self) -> None:
        """A person allows motion again after a stop that waits for one."""

    def go_to(self, u: float, v: float) -> str:
        """Drive to the ground at a point of the picture; return why not, or nothing."""


@dataclass(frozen=True)
class RobotState:
    """What the page shows of the robot."""

    speed: float = float('nan')
    """m/s, from odometry."""
    reason: str = ''
    """Why the gate stops, or `none`."""
    latched: str = ''
    """The stop that waits for a person, or `none`; empty while no gate was heard."""
    source: str = ''
    """Whose command passes."""
    policy: str = ''
    """State of the policy."""
    battery: float = float('nan')
    """Charge, 0..1."""
    camera_age: float = float('nan')
    """From exposure to the arrival of the newest image, seconds."""
    notes: tuple[str, ...] = field(default=())
    """Problems that a driver must know."""
