"""Pictures that a page shows from a WebRTC stream: which one it was, and how old."""

from __future__ import annotations

import math
import random
from collections import OrderedDict, deque

import numpy as np

from s2e_teleop.video import IN_FLIGHT

CLOCK_RATE = 90_000
"""Ticks of RTP time a second, for every video codec (RFC 3551, section 5)."""
TICKS = 2**32
STEP = 8
"""RTP times are multiples of so many ticks: 0.09 ms."""
UNEVEN = tuple(random.Random(0).choices(range(16), k=256))
"""Steps that are added to the times of successive pictures, so that no two gaps are alike."""
REMEMBERED = 64
"""Pictures whose capture is remembered: over three seconds at 20 Hz."""
GIVEN_UP = 0.3
"""A picture that is not reported for so long was lost, seconds on top of a round trip."""


def ticks_of(capture: float, number: int) -> int:
    """Return the RTP time of a picture, up to 1.4 ms after its capture.

    It is a whole number of steps, as browsers report it one tick off now and then, and gaps
    between pictures are made uneven: see `StreamFlow`.

    Args:
        capture: Robot's clock, seconds.
        number: Counts pictures.
    """
    return STEP * (round(capture * CLOCK_RATE / STEP) + UNEVEN[number % len(UNEVEN)])


class StreamFlow:
    """Finds the capture of each picture that a page says is on its screen.

    The sender adds a random number to the RTP time of a stream and keeps it to itself
    (RFC 3550, section 5.1). It is found as the one number that explains every report: gaps
    between pictures are uneven, so after a few reports only one is left, to a few ticks.
    """

    def __init__(self) -> None:
        """Start with nothing sent."""
        self._captures: OrderedDict[int, float] = OrderedDict()
        self._open: OrderedDict[int, float] = OrderedDict()
        self._offsets: set[int] | None = None
        self._ages: deque[float] = deque(maxlen=60)
        self._shown: deque[tuple[float, int]] = deque(maxlen=100)
        self.sent = self.confirmed = 0
        """Pictures so far."""

    @property
    def aligned(self) -> bool:
        """Whether the stream's random number is known."""
        return self._offsets is not None and len(self._offsets) == 1

    def wants(self, now: float, gap: float, round_trip: float) -> bool:
        """Whether a picture may be sent now: only so many are on the way as the way explains.

        What is sent beyond that stands in a queue before the narrowest place and grows old.

        Args:
            now: Robot's clock, seconds.
            gap: Between two pictures, seconds.
            round_trip: Way there and back of a small message, seconds.
        """
        for ticks, at in list(self._open.items()):
            if now - at > GIVEN_UP + round_trip:
                del self._open[ticks]
        # One more than of JPEGs: some are lost on the way, and only time tells.
        return len(self._open) < max(IN_FLIGHT, 2 + math.ceil(round_trip / gap))

    def send(self, ticks: int, capture: float, now: float) -> None:
        """Note a picture on its way.

        Args:
            ticks: Its RTP time before the random number is added.
            capture: Robot's clock, seconds.
            now: Robot's clock, seconds.
        """
        self._captures[ticks % TICKS] = capture
        self._open[ticks % TICKS] = now
        self.sent += 1
        if len(self._captures) > REMEMBERED:
            self._captures.popitem(last=False)

    def shown(self, rtp: int, frames: int, at: float, now: float) -> None:
        """Take a report of a page.

        Args:
            rtp: RTP time of the newest picture on the screen.
            frames: How many were shown since the last report.
            at: When the newest was shown, robot's clock, seconds.
            now: Robot's clock, seconds.
        """
        self.confirmed += frames
        self._shown.append((now, frames))
        if self._offsets is None:
            self._offsets = {(rtp - ticks) % TICKS for ticks in self._captures}
        else:
            self._offsets = {k for k in self._offsets if self._near(rtp - k) in self._captures}
        # A picture that is no longer remembered, or a stream that began anew: search again.
        self._offsets = self._offsets or None
        if self._offsets is None or not self.aligned:
            for _ in range(min(frames, len(self._open))):
                self._open.popitem(last=False)
            return
        ticks = self._near(rtp - next(iter(self._offsets)))
        self._settle(ticks)
        capture = self._captures[ticks]
        # A page cannot show a picture before its exposure or after it said so.
        self._ages.append(min(max(at, capture), now) - capture)

    @staticmethod
    def _near(ticks: int) -> int:
        return (ticks + STEP // 2) // STEP * STEP % TICKS

    def _settle(self, shown: int) -> None:
        """A picture is on the screen: those sent before it are, or never will be."""
        if shown in self._open:
            while next(iter(self._open)) != shown:
                self._open.popitem(last=False)
            del self._open[shown]

    def glass_to_glass(self) -> float:
        """Median time from exposure to screen of the newest pictures, seconds; NaN without any."""
        return float(np.median(self._ages)) if self._ages else float('nan')

    def frame_rate(self, now: float) -> float:
        """Pictures shown in the last two seconds, per second."""
        return sum(frames for at, frames in self._shown if now - at <= 2.0) / 2.0
