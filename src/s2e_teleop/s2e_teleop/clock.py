"""How far the page's clock is from the robot's, from pings.

As NTP does it: of the newest pings the one with the shortest way there and back is the best
witness; half of that way bounds its error (RFC 5905, section 8).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

KEPT = 40
"""Pings remembered: 20 s at two a second; quartz drifts by under 2 ms in that time (100 ppm)."""
MAX_ROUND_TRIP = 5.0
"""An answer that took longer says nothing about the offset, seconds."""


@dataclass(frozen=True)
class Sample:
    """One ping."""

    sent: float
    """Robot's clock, seconds."""
    answered: float
    """Page's clock, seconds."""
    received: float
    """Robot's clock, seconds."""

    @property
    def round_trip(self) -> float:
        """Way there and back, seconds."""
        return self.received - self.sent

    @property
    def offset(self) -> float:
        """Page's clock less robot's clock if both ways took equally long, seconds."""
        return self.answered - (self.sent + self.received) / 2


class ClockOffset:
    """Estimates page - robot from the newest pings."""

    def __init__(self) -> None:
        """Start without an estimate."""
        self._samples: deque[Sample] = deque(maxlen=KEPT)

    def add(self, sample: Sample) -> None:
        """Take a ping; one that is impossible or too slow is left out."""
        if 0.0 <= sample.round_trip <= MAX_ROUND_TRIP:
            self._samples.append(sample)

    @property
    def known(self) -> bool:
        """Whether there is an estimate."""
        return bool(self._samples)

    @property
    def offset(self) -> float:
        """Page's clock less robot's clock, seconds; 0 before the first ping."""
        return self._best().offset if self._samples else 0.0

    @property
    def uncertainty(self) -> float:
        """Bound of the error of `offset`, seconds."""
        return self.shortest / 2 if self._samples else float('inf')

    @property
    def shortest(self) -> float:
        """Shortest way there and back, seconds; 0 before the first ping."""
        return self._best().round_trip if self._samples else 0.0

    @property
    def round_trip(self) -> float:
        """Median of the newest ten pings, seconds; infinite before the first."""
        newest = sorted(s.round_trip for s in list(self._samples)[-10:])
        return newest[len(newest) // 2] if newest else float('inf')

    def age(self, sent: float, now: float) -> float:
        """Return how long ago a message was sent.

        Args:
            sent: Page's clock, seconds.
            now: Robot's clock, seconds.
        """
        return now - (sent - self.offset)

    def _best(self) -> Sample:
        return min(self._samples, key=lambda sample: sample.round_trip)
