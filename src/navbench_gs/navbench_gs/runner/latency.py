"""How long a policy takes to answer; wall-clock values that go into run.json alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from navbench_gs.runner.deadline import deadline
from s2e_core.contract import Observation, Policy, PolicyOutput, PolicySpec

STAGE = 'policy, image to answer'
QUANTILES = (50, 95, 99)


class TimedPolicy:
    """A policy whose answers are timed, and bounded."""

    def __init__(self, policy: Policy, limit: float = 0.0) -> None:
        """Wrap a policy.

        Args:
            policy: Any.
            limit: Wall seconds that an answer or a reset may take; 0 for any.
        """
        self._policy, self._limit = policy, limit
        self.seconds: list[float] = []
        """Wall time of each answer so far."""

    @property
    def spec(self) -> PolicySpec:
        """What the policy needs to be fed."""
        return self._policy.spec

    def reset(self) -> None:
        """Forget earlier images.

        Raises:
            PolicyStalledError: it took too long.
        """
        with deadline(self._limit):
            self._policy.reset()

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer one observation.

        Raises:
            PolicyStalledError: it took too long.
        """
        started = time.perf_counter()
        with deadline(self._limit):
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
