"""What metrics may know about the world beyond the robot's own sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from navbench_gs.physics.contacts import ContactEvent
from s2e_core.se2 import Pose2

STUCK_TIME_NS = 3_000_000_000
"""A base that tries to move this long without doing so is stuck, nanoseconds."""
STUCK_DISTANCE = 0.05
"""Moving less than this within `STUCK_TIME_NS` is not moving, metres."""
STUCK_SPEED = 0.1
"""Slowest asked-for speed that counts as trying, m/s."""


@dataclass(frozen=True)
class SimState:
    """The world after a tick."""

    contacts: tuple[ContactEvent, ...] = ()
    """Bodies the robot touched since the last tick, sorted by name; `onset` marks new ones."""
    tilt: float = 0.0
    """Angle of the robot's z axis from the vertical, radians; over 1 it has fallen."""
    stuck: bool = False
    """Whether the base has tried to move for 3 s and moved less than 5 cm."""
    base_timed_out: bool = False
    """Whether the base stands because commands stopped coming."""


class StuckDetector:
    """Remembers where the base began to try."""

    def __init__(self) -> None:
        self._place: Pose2 | None = None
        self._since_ns = 0

    def update(self, now_ns: int, pose: Pose2, asked: float) -> bool:
        """Return whether the base is stuck.

        Args:
            now_ns: Simulated time.
            pose: map <- base_link.
            asked: Speed the base asks of its wheels, m/s.
        """
        trying = abs(asked) >= STUCK_SPEED
        place = self._place
        if not trying or place is None or _moved(place, pose) >= STUCK_DISTANCE:
            self._place = pose if trying else None
            self._since_ns = now_ns
            return False
        return now_ns - self._since_ns >= STUCK_TIME_NS


def _moved(a: Pose2, b: Pose2) -> float:
    return math.hypot(b.x - a.x, b.y - a.y)
