"""What the bench needs of a robot, whichever world it drives in."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import TwistStamped
from rclpy.node import Node

from s2e_core.se2 import Pose2
from s2e_nav.faults.senses import BEAT, Sabotage, Senses
from s2e_nav.faults.trace import Trace
from s2e_nav.qos import RELIABLE

Wait = Callable[[Callable[[], bool], float, str], None]
"""Waits for a condition for so many seconds, or raises StartError with what it waited for."""


class BenchRobot(ABC):
    """Hears cmd_vel and speaks through `Senses`, on a thread of its own: nothing delays it."""

    def __init__(self, node: Node, *, sim_time: bool) -> None:
        """Open the topics.

        Args:
            node: Owner.
            sim_time: Publish /clock and stamp by it.
        """
        self.senses = Senses(node, sim_time=sim_time)
        self.trace = Trace()
        """What the gate sent."""
        self.late = 0.0
        """Longest delay of the loop since it was set to zero, seconds."""
        self.rested_at = 0.0
        """Steady clock at which the base last came to rest, seconds."""
        node.create_subscription(TwistStamped, 'cmd_vel', self._on_command, RELIABLE)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='robot', daemon=True)

    @property
    def sabotage(self) -> Sabotage:
        """What is broken now."""
        return self.senses.sabotage

    @sabotage.setter
    def sabotage(self, value: Sabotage) -> None:
        self.senses.sabotage = value

    @property
    @abstractmethod
    def pose(self) -> Pose2:
        """Where it is, odom <- base_link."""

    @property
    @abstractmethod
    def moves(self) -> bool:
        """Whether the base is in motion."""

    @abstractmethod
    def now_ns(self) -> int:
        """Return the robot's clock, nanoseconds."""

    @abstractmethod
    def begin(self, wait: Wait) -> None:
        """Make room for a drive.

        Raises:
            StartError: There is none.
        """

    @abstractmethod
    def goal(self) -> np.ndarray:
        """Return a point ahead that a fault comes long before, in odom, metres. [2]"""

    @abstractmethod
    def bend(self) -> np.ndarray:
        """Return a point for which the robot must turn left, in odom, metres. [2]"""

    @abstractmethod
    def _on_command(self, message: TwistStamped) -> None:
        """Take a velocity from the gate into the trace."""

    @abstractmethod
    def _step(self, count: int) -> None:
        """Do what is due at a beat."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        due, count = time.monotonic(), 0
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            self.late = max(self.late, time.monotonic() - due)
            self._step(count)
            count += 1
            due += BEAT
