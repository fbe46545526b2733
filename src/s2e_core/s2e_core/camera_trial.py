"""Whether a robot's camera turns with its odometry: tried by hand before the first drive.

On a straight drive a mirrored picture flows outwards like a true one; only a turn tells them
apart. `image_motion.TurnWatch` finds it in the first turn of a drive, this before there is one.
"""

from __future__ import annotations

from collections import Counter

from s2e_core.image_motion import Fit

WITNESSES = 8
"""Clear pairs of pictures that are wanted of each direction."""
SHARE = 0.8
"""Share of the clear pairs that must agree: a walker or a near wall may fool some."""


class CameraTrial:
    """Counts what pairs of pictures say while somebody turns the robot both ways."""

    def __init__(self) -> None:
        """Start without a picture."""
        self._left: Counter[str] = Counter()
        self._right: Counter[str] = Counter()

    def add(self, fit: Fit) -> None:
        """Take what two pictures say."""
        if fit.says != 'unclear':
            (self._left if fit.turn > 0.0 else self._right)[fit.says] += 1

    @property
    def missing(self) -> str:
        """Which way the robot is still to be turned: left, right, or nothing."""
        for name, seen in (('left', self._left), ('right', self._right)):
            if seen.total() < WITNESSES:
                return name
        return ''

    @property
    def counts(self) -> Counter[str]:
        """Clear pairs so far: `agrees`, `mirrored` and `held`."""
        return self._left + self._right

    @property
    def problem(self) -> str:
        """What is wrong with the camera, or nothing."""
        counts = self.counts
        if counts['agrees'] >= SHARE * counts.total():
            return ''
        if counts['mirrored'] >= SHARE * counts.total():
            return (
                'the picture turns against odometry: the camera is mirrored or upside down, or '
                "odometry's yaw does not grow to the left (REP-103)"
            )
        if counts['held'] >= SHARE * counts.total():
            return 'the picture stands still while odometry turns: it is not of this robot'
        return (
            'the picture turns now with odometry, now not: field of view, stamps of the camera, '
            'or people who walk through the picture'
        )
