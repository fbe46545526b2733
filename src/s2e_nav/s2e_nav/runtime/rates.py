"""Latency of the last frames: percentiles over a sliding window."""

from __future__ import annotations

from collections import deque

import numpy as np


class LatencyWindow:
    """Keeps the newest durations and says their percentiles."""

    def __init__(self, size: int = 200) -> None:
        """Start empty.

        Args:
            size: Durations kept; 200 at 5 Hz are 40 s.
        """
        self._values: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """Take one duration."""
        self._values.append(seconds)

    def percentiles(self) -> dict[str, str]:
        """Return p50, p95 and p99 in milliseconds, as text for diagnostics."""
        if not self._values:
            return {}
        p = np.percentile(np.array(self._values) * 1e3, (50, 95, 99))
        return {f'latency_p{q}_ms': f'{v:.1f}' for q, v in zip((50, 95, 99), p, strict=True)}
