"""What went to the base, and when: where a stop begins, where it ends, whether it holds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SLOWER = 0.005
"""m/s below the speed before that count as braking; a command repeats to 1e-6."""
KEPT = 100_000
"""Commands remembered: a quarter of an hour, where a fault takes seconds."""
FLAT = 0.02
"""m/s by which a steady drive may waver."""


@dataclass(frozen=True)
class Sent:
    """One velocity that reached the base."""

    time: float
    """Steady clock on arrival, seconds."""
    v: float
    """m/s."""
    w: float
    """rad/s."""

    @property
    def moves(self) -> bool:
        """Whether it asks for motion."""
        return self.v != 0.0 or self.w != 0.0


class Trace:
    """Commands in the order they came; waiting is by event."""

    def __init__(self) -> None:
        """Start empty."""
        self._sent: deque[Sent] = deque(maxlen=KEPT)
        self._changed = threading.Condition()

    def add(self, v: float, w: float) -> None:
        """Take a command that came now."""
        with self._changed:
            self._sent.append(Sent(time.monotonic(), v, w))
            self._changed.notify_all()

    def poke(self) -> None:
        """Something else happened that a waiting condition may depend on."""
        with self._changed:
            self._changed.notify_all()

    def since(self, start: float) -> list[Sent]:
        """Return the commands that came after a time."""
        with self._changed:
            return [sent for sent in self._sent if sent.time > start]

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds; it is looked at on every event.

        Returns:
            Whether it came to hold in time.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            rest = deadline - time.monotonic()
            if rest <= 0:
                return False
            with self._changed:
                self._changed.wait(min(rest, 0.05))
        return True

    def is_cruising(self, speed: float, seconds: float) -> bool:
        """Whether the base has been told this speed, steadily, for so long until now."""
        window = self.since(time.monotonic() - seconds)
        if len(window) < 5 or window[-1].time - window[0].time < 0.7 * seconds:
            return False
        speeds = [sent.v for sent in window]
        return min(speeds) >= speed and max(speeds) - min(speeds) < FLAT


def ramp_begins(sent: list[Sent], before: float, creep: float = 0.0) -> float | None:
    """Find the first command of the stop: slower than before, and no faster one until rest.

    Args:
        sent: Commands since the fault.
        before: Speed until then, m/s.
        creep: Speed up to which a faster one is no drive, m/s.

    Returns:
        Its time, or None if there was no stop.
    """
    rest = rest_begins(sent)
    if rest is None:
        return None
    begin, last = None, 0.0
    for item in reversed([s for s in sent if s.time <= rest]):
        if item.v > before - SLOWER or (item.v < last - SLOWER and last > creep):
            break
        begin, last = item.time, item.v
    return begin


def rest_begins(sent: list[Sent]) -> float | None:
    """Find the first command that asks for no motion, or None."""
    return next((item.time for item in sent if not item.moves), None)


def moved_again(sent: list[Sent], after: float) -> float | None:
    """Find the first motion after a time, or None."""
    return next((item.time for item in sent if item.time > after and item.moves), None)
