"""How long a fault of an input holds the robot: until it was healthy, or for good."""

from __future__ import annotations

from s2e_core.stops import TRANSIENT, Reason

LONG = 1.0
"""Seconds after which a transient fault waits for a goal like any other (docs/safety.md)."""


class FaultHold:
    """Tells transient faults, which end after a time of health, from lasting ones."""

    def __init__(self, resume_after: float, flapping: float) -> None:
        """Start healthy.

        Args:
            resume_after: Health that ends a transient fault, seconds.
            flapping: Time over which faults that come and go are a lasting one, seconds.
        """
        self._resume_after, self._flapping = resume_after, flapping
        self._reason = Reason.NONE
        self._first: int | None = None
        self._since: int | None = None
        self._healthy_since: int | None = None

    def clear(self) -> None:
        """Forget every fault."""
        self._first = self._since = self._healthy_since = None

    def fault(self, now_ns: int, reason: Reason) -> bool:
        """Take a fault that is there now; return whether it needs a cause to move again."""
        if self._first is None:
            self._first = now_ns
        if self._since is None or self._healthy_since is not None:
            # Healthy in between: each fault lasts as long as it lasts, not as long as all of them.
            self._since = now_ns
        self._reason, self._healthy_since = reason, None
        lasted, flapped = (now_ns - self._since) * 1e-9, (now_ns - self._first) * 1e-9
        return reason not in TRANSIENT or lasted >= LONG or flapped >= self._flapping

    def healthy(self, now_ns: int) -> tuple[Reason, str]:
        """Take that all is well now; return what still holds the robot, or NONE."""
        if self._since is None:
            return Reason.NONE, ''
        if self._healthy_since is None:
            self._healthy_since = now_ns
        healthy = (now_ns - self._healthy_since) * 1e-9
        if healthy < self._resume_after:
            return self._reason, f'healthy for {healthy:.2f} s'
        self.clear()
        return Reason.NONE, ''
