"""How often somebody may do something."""

from __future__ import annotations


class TokenBucket:
    """Allows a steady rate and a burst."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """Start full.

        Args:
            rate: Tokens per second.
            burst: Most tokens that are saved up.
            now: Seconds.
        """
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, now

    def take(self, now: float) -> bool:
        """Take a token if there is one; a clock that goes back brings none."""
        self._tokens = min(self._burst, self._tokens + self._rate * max(0.0, now - self._at))
        self._at = max(self._at, now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
