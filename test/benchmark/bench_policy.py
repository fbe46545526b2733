"""Time policy bundles: newest image in, trajectories out, preprocessing included.

Run: python test/benchmark/bench_policy.py --bundles s2e-small --int8
     python test/benchmark/bench_policy.py --bundles random:paper --int8 --runs 20

Wall time and processor time are given as percentiles, the latter's median also as a ratio to a
fixed small kernel timed in the same run, so that runs on different days, busy or not, compare.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kernel import product_seconds

from s2e_core.paths import find_model
from s2e_policy.bundle import Bundle, load_bundle
from s2e_policy.latency import measure

WARM_UP = 5
"""Calls before the timed ones; the first streaming call encodes a whole window."""


def variants(names: list[str], int8: bool, folder: Path) -> Iterator[tuple[str, str, Bundle]]:
    """Yield name, precision and bundle of everything to be timed.

    Args:
        names: Bundles, or random:small and random:paper.
        int8: Whether each is also converted.
        folder: For what has to be made.
    """
    for name in names:
        if name.startswith('random:'):
            from s2e_training.export.random import random_bundle

            bundle = random_bundle(name.partition(':')[2], folder)
        else:
            bundle = load_bundle(find_model(name))
        yield name, bundle.manifest.precision, bundle
        if int8:
            from s2e_training.export.precision import convert_bundle

            made = convert_bundle(bundle.root, folder / f'{bundle.manifest.name}-int8', 'int8')
            yield name, 'int8', made


def rows(
    name: str, precision: str, bundle: Bundle, runs: int, kernel: float
) -> Iterator[dict[str, Any]]:
    """Time both graphs with one and two threads."""
    for mode in ('streaming', 'window'):
        for threads in (1, 2):
            wall = measure(bundle, mode, threads, runs, time.perf_counter, WARM_UP)
            work = measure(bundle, mode, threads, runs, time.process_time, WARM_UP)
            yield {
                'policy': name, 'precision': precision, 'graph': mode, 'threads': threads,
                'provider': wall.provider, 'runs': runs, 'wall_p50_ms': round(wall.p50, 2),
                'wall_p95_ms': round(wall.p95, 2), 'wall_p99_ms': round(wall.p99, 2),
                'cpu_p50_ms': round(work.p50, 2), 'cpu_p99_ms': round(work.p99, 2),
                'kernel_cpu_ms': round(kernel, 3),
                'cpu_over_kernel': round(work.p50 / max(kernel, 1e-6), 2),
                'load': round(os.getloadavg()[0], 1), 'cores': os.cpu_count(),
            }


def main() -> None:
    """Print the table as CSV, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bundles', nargs='+', default=['s2e-small'])
    parser.add_argument('--int8', action='store_true', help='time int8 conversions too')
    parser.add_argument('--runs', type=int, default=200)
    parser.add_argument('--csv', type=Path, help='append to this file; it is begun if absent')
    args = parser.parse_args()
    kernel = 1e3 * product_seconds()
    begun = args.csv is not None and args.csv.is_file()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stream = sys.stdout
        if args.csv is not None:
            stream = stack.enter_context(args.csv.open('a', newline='', encoding='utf-8'))
        for name, precision, bundle in variants(args.bundles, args.int8, folder):
            for row in rows(name, precision, bundle, args.runs, kernel):
                writer = csv.DictWriter(stream, list(row), lineterminator='\n')
                if not begun:
                    writer.writeheader()
                    begun = True
                writer.writerow(row)
                stream.flush()


if __name__ == '__main__':
    main()
