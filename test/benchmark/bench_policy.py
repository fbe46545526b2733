"""Time a policy bundle: newest image in, trajectories out, preprocessing included.

Run: python test/benchmark/bench_policy.py --bundle s2e-small

Wall time and processor time are given as percentiles, the latter's median also as a ratio to a
fixed small kernel timed in the same run, so that runs on different days, busy or not, compare.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from s2e_core.paths import find_model
from s2e_policy.bundle import load_bundle
from s2e_policy.latency import measure


def kernel_milliseconds() -> float:
    """Return the median processor time of a 256 x 256 matrix product."""
    matrix = np.random.default_rng(0).random((256, 256), np.float32)
    times = []
    for _ in range(51):
        begin = time.process_time()
        matrix @ matrix
        times.append(1e3 * (time.process_time() - begin))
    return float(np.median(times))


def main() -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bundle', default='s2e-small')
    parser.add_argument('--runs', type=int, default=200)
    args = parser.parse_args()
    bundle = load_bundle(find_model(args.bundle))
    kernel = kernel_milliseconds()
    rows = []
    for mode in ('streaming', 'window'):
        for threads in (1, 2):
            wall = measure(bundle, mode, threads, args.runs, time.perf_counter)
            work = measure(bundle, mode, threads, args.runs, time.process_time)
            rows.append({
                'graph': mode, 'threads': threads, 'provider': wall.provider,
                'wall_ms': {'p50': round(wall.p50, 2), 'p95': round(wall.p95, 2),
                            'p99': round(wall.p99, 2)},
                'processor_ms': {'p50': round(work.p50, 2), 'p99': round(work.p99, 2)},
                'processor_per_kernel': round(work.p50 / max(kernel, 1e-6), 2),
            })
    print(json.dumps({'bundle': bundle.manifest.name, 'kernel_ms': round(kernel, 3),
                      'graphs': rows}, indent=1))


if __name__ == '__main__':
    main()
