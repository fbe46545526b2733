"""People who go together, and people who wait until the robot is near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.tasks.spec import PersonSpec

Floats = NDArray[np.float64]

PULL = 0.5
"""Share by which the pace changes for each metre before or behind the middle of the group."""
SLOWEST, FASTEST = 0.4, 1.25
"""Bounds of that change."""


class Company:
    """Keeps groups together along their way and says who still waits."""

    def __init__(self, people: Sequence[PersonSpec]) -> None:
        """Note who belongs together.

        Args:
            people: Everybody.
        """
        numbers = np.array([person.group for person in people], np.int64)
        self._groups = [np.flatnonzero(numbers == n) for n in np.unique(numbers[numbers > 0])]
        self._wakes = np.array([person.wakes for person in people])
        self.waits = self._wakes > 0.0
        """Who stands until the robot is near. [P]"""

    def wake(self, places: Floats, robot: tuple[float, float]) -> None:
        """Let those walk to whom the robot has come near, and those who go with them.

        Args:
            places: Map. [P, 2]
            robot: Map.
        """
        if not self.waits.any():
            return
        near = np.hypot(places[:, 0] - robot[0], places[:, 1] - robot[1]) < self._wakes
        for group in self._groups:
            near[group] |= near[group].any()
        self.waits &= ~near

    def keep(self, places: Floats, preferred: Floats) -> None:
        """Slow those down who are ahead of their group, and let those catch up who are behind.

        Args:
            places: Map. [P, 2]
            preferred: Velocities, m/s, changed in place. [P, 2]
        """
        for group in self._groups:
            speed = np.hypot(*preferred[group].T)
            way = preferred[group] / np.maximum(speed, 1e-9)[:, None]
            behind = ((places[group].mean(axis=0) - places[group]) * way).sum(axis=1)
            preferred[group] *= np.clip(1.0 + PULL * behind, SLOWEST, FASTEST)[:, None]
