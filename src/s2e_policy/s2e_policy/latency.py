"""How long a bundle takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from s2e_core.contract import POLICY_PERIOD_NS, Observation
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import Bundle
from s2e_policy.runtime import OnnxPolicy


@dataclass(frozen=True)
class Latency:
    """Wall time from the newest image to the trajectories, milliseconds."""

    mode: str
    threads: int
    provider: str
    p50: float
    p95: float
    p99: float


def measure(
    bundle: Bundle, mode: str, threads: int, runs: int, clock: Callable[[], float],
    warm_up: int = 10, provider: str | None = None,
) -> Latency:
    """Time a policy on random images, preprocessing included.

    Args:
        bundle: A verified bundle.
        mode: `window` or `streaming`.
        threads: Threads within an operator.
        runs: Timed calls.
        clock: Seconds, monotonic.
        warm_up: Calls before them that are not timed.
        provider: Execution provider; the best present when left out.
    """
    policy = OnnxPolicy(bundle, mode=mode, provider=provider, threads=threads)
    spec = policy.spec
    rng = np.random.default_rng(0)
    shape = (spec.frames + runs + warm_up, spec.height, spec.width, 3)
    images = rng.integers(0, 256, shape, np.uint8)
    times = []
    for i in range(runs + warm_up):
        stamps = (np.arange(spec.frames, dtype=np.int64) + i) * POLICY_PERIOD_NS
        seen = Observation(
            images[i:i + spec.frames], stamps, np.array([10.0, 2.0]),
            Odometry(int(stamps[-1]), Pose2(0.0, 0.0, 0.0)),
        )
        start = clock()
        policy.infer(seen)
        times.append(1e3 * (clock() - start))
    p50, p95, p99 = (float(np.percentile(times[warm_up:], q)) for q in (50, 95, 99))
    return Latency(mode, threads, policy.provider, p50, p95, p99)
