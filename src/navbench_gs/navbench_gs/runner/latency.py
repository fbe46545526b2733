"""How long a policy takes to answer; wall-clock values that go into run.json alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from s2e_core.contract import Observation, Policy, PolicyOutput, PolicySpec

STAGE = 'policy, image to answer'
QUANTILES = (50, 95, 99)


class TimedPolicy:
    """A policy whose answers are timed."""

    def __init__(self, policy: Policy) -> None:
        """Wrap a policy."""
        self._policy = policy
        self.seconds: list[float] = []
        """Wall time of each answer so far."""

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
        output = self._policy.infer(observation)
        self.seconds.append(time.perf_counter() - started)
        return output


def latency_table(
    episodes: Iterable[tuple[float, ...]], earlier: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return percentiles of the answers of many episodes, milliseconds.

    Args:
        episodes: Seconds of each answer, by episode.
        earlier: What the run's record holds; stays where more answers stand behind it.
    """
    seconds = [value for episode in episodes for value in episode]
    if earlier and earlier.get(STAGE, {}).get('images', 0) >= len(seconds):
        return dict(earlier)
    if not seconds:
        return {}
    values = 1e3 * np.percentile(np.array(seconds), QUANTILES)
    return {STAGE: {
        'images': len(seconds),
        **{f'p{q} ms': round(float(value), 2)
           for q, value in zip(QUANTILES, values, strict=True)},
    }}
