"""When a message that is sent now arrives on a bad link, if it does."""

from __future__ import annotations

import numpy as np

from s2e_teleop.link import Direction


class Impairment:
    """One direction of a link: a queue before a bottleneck, then the way, then loss."""

    def __init__(
        self, direction: Direction, ordered: bool, retransmit: float, rng: np.random.Generator
    ) -> None:
        """Start with an empty queue.

        Args:
            direction: Delay, jitter, loss and bandwidth.
            ordered: Whether a message waits for those before it.
            retransmit: A lost message comes so much later, seconds; 0: never.
            rng: Draws delay and loss; the same seed gives the same link.
        """
        self._direction, self._ordered, self._retransmit = direction, ordered, retransmit
        self._rng = rng
        self._busy_until = 0.0
        self._newest = 0.0
        self.lost = 0
        """Messages that never arrive."""

    def arrival(self, now: float, size: int) -> float | None:
        """Return when a message arrives.

        Args:
            now: When it is sent, seconds; must not go back.
            size: Bytes.

        Returns:
            Seconds, or None if it is lost for good.
        """
        direction = self._direction
        wait = max(0.0, self._busy_until - now)
        if wait > direction.queue:
            self.lost += 1
            return None
        if direction.bandwidth:
            wait += size * 8e-6 / direction.bandwidth
            self._busy_until = now + wait
        at = now + wait + max(0.0, self._rng.normal(direction.delay, direction.jitter))
        # Every try may be lost again: the number of tries is geometric.
        while self._rng.random() < direction.loss:
            if not self._retransmit:
                self.lost += 1
                return None
            at += self._retransmit
        if self._ordered:
            # A microsecond apart: timers of the very same time fire in any order.
            at = self._newest = max(at, self._newest + 1e-6)
        return float(at)
