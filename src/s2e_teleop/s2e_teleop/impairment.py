"""When a message that is sent now arrives on a bad link, if it does."""

from __future__ import annotations

import numpy as np

from s2e_teleop.link import Direction

PACKET = 1200
"""Bytes that are lost or arrive together: a longer message travels as several packets."""
BURST = 0.005
"""Datagrams so close together, as those of one picture, share a delay, seconds."""


class Impairment:
    """One direction of a link: a queue before a bottleneck, then the way, then loss.

    Messages of a stream (TCP) and datagrams (UDP) share the bottleneck. What a stream lost is
    sent again and holds up what is behind it; a datagram that was lost never comes, and holds
    up nothing.
    """

    def __init__(
        self, direction: Direction, ordered: bool, retransmit: float, rng: np.random.Generator
    ) -> None:
        """Start with an empty queue.

        Args:
            direction: Delay, jitter, loss and bandwidth.
            ordered: Whether a message waits for those before it.
            retransmit: A lost message of a stream comes so much later, seconds; 0: never.
            rng: Draws delay and loss; the same seed gives the same link.
        """
        self._direction, self._ordered, self._retransmit = direction, ordered, retransmit
        self._rng = rng
        self._busy_until = 0.0
        self._newest = self._newest_datagram = 0.0
        self._burst: tuple[float, float] | None = None
        self.lost = 0
        """Messages that never arrive."""

    def arrival(self, now: float, size: int, datagram: bool = False) -> float | None:
        """Return when a message arrives.

        Args:
            now: When it is sent, seconds; must not go back.
            size: Bytes.
            datagram: Whether it goes by itself, and is not part of the stream.

        Returns:
            Seconds, or None if it is lost for good.
        """
        wait = self._wait(now, size)
        if wait is None:
            self.lost += 1
            return None
        at = now + wait + (self._shared_delay(now) if datagram else self._delay())
        again = 0.0 if datagram else self._retransmit
        packets = max(1, -(-size // PACKET))
        # Every try may be lost again, and a message is there when its last packet is.
        while packets := int(self._rng.binomial(packets, self._direction.loss)):
            if not again:
                self.lost += 1
                return None
            at += again
        return self._in_order(at, datagram) if self._ordered else float(at)

    def _wait(self, now: float, size: int) -> float | None:
        """Queue up at the bottleneck; None where the queue is full."""
        direction = self._direction
        wait = max(0.0, self._busy_until - now)
        if wait > direction.queue:
            return None
        if direction.bandwidth:
            wait += size * 8e-6 / direction.bandwidth
            self._busy_until = now + wait
        return wait

    def _delay(self) -> float:
        return max(0.0, float(self._rng.normal(self._direction.delay, self._direction.jitter)))

    def _shared_delay(self, now: float) -> float:
        if self._burst is None or now - self._burst[0] > BURST:
            self._burst = now, self._delay()
        return self._burst[1]

    def _in_order(self, at: float, datagram: bool) -> float:
        # A microsecond apart: timers of the very same time fire in any order.
        if datagram:
            self._newest_datagram = max(at, self._newest_datagram + 1e-6)
            return self._newest_datagram
        self._newest = max(at, self._newest + 1e-6)
        return self._newest
