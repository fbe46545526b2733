"""Where the time of an image goes: percentiles of each stage over a sliding window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

import numpy as np

from s2e_core.contract import Observation, Policy, PolicyOutput, PolicySpec

WINDOW = 200
"""Images kept; at 5 Hz they are 40 s."""
REFRESH = 1.0
"""Seconds between two looks at the percentiles: they take 0.4 ms, and nobody reads them faster."""
QUANTILES = (50, 95, 99)
TOTAL = 'latency'
"""Name of the sum of all stages, from the image's arrival to the published plan."""


class StageTimes:
    """Keeps the newest durations of each stage."""

    def __init__(self, size: int = WINDOW) -> None:
        """Start empty.

        Args:
            size: Images kept.
        """
        self._size = size
        self._windows: dict[str, deque[float]] = {}
        self._facts: dict[str, str] = {}
        self._due = -np.inf

    def add(self, seconds: Mapping[str, float]) -> None:
        """Take the stages of one image, seconds, in their order."""
        for stage, value in {**seconds, TOTAL: sum(seconds.values())}.items():
            self._windows.setdefault(stage, deque(maxlen=self._size)).append(value)

    def facts(self, now: float) -> dict[str, str]:
        """Return p50, p95 and p99 of each stage in milliseconds, as text for diagnostics.

        Args:
            now: Seconds, steady clock.
        """
        if now >= self._due and self._windows:
            self._due = now + REFRESH
            self._facts = {
                f'{stage}_p{q}_ms': f'{1e3 * value:.1f}'
                for stage, window in self._windows.items()
                for q, value in zip(
                    QUANTILES, np.percentile(np.array(window), QUANTILES), strict=True
                )
            }
        return dict(self._facts)


class TimedPolicy:
    """A policy that remembers how long its last answer took."""

    def __init__(self, policy: Policy) -> None:
        """Wrap a policy."""
        self._policy, self.seconds = policy, 0.0

    @property
    def spec(self) -> PolicySpec:
        """What the policy needs to be fed."""
        return self._policy.spec

    def reset(self) -> None:
        """Forget earlier images."""
        self._policy.reset()

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer one observation."""
        started = time.perf_counter()
        try:
            return self._policy.infer(observation)
        finally:
            self.seconds = time.perf_counter() - started
