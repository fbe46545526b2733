"""Try damaged inputs on some readers, or all, and print a line for each.

PYTHONPATH=src/navbench_gs/test/support python -m splat_fuzz 10000 ply 'spz 4'
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from splat_fuzz.samples import KINDS
from splat_fuzz.trial import Verdict, run


def main() -> int:
    """Return how many readers failed."""
    parser = argparse.ArgumentParser(prog='splat_fuzz', description=__doc__)
    parser.add_argument('count', type=int, help='inputs for each reader')
    parser.add_argument('kinds', nargs='*', metavar='KIND', help=', '.join(KINDS))
    parser.add_argument('--first', type=int, default=0, help='number of the first input')
    parser.add_argument('--json', action='store_true', help='print one object per line')
    options = parser.parse_args()
    failures = 0
    for kind in options.kinds or KINDS:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            verdict = run(kind, options.count, Path(folder), options.first)
        failures += bool(verdict.failure)
        if options.json:
            print(json.dumps({'kind': kind, **asdict(verdict)}), flush=True)
        else:
            print(_line(kind, verdict, time.perf_counter() - start), flush=True)
    return failures


def _line(kind: str, verdict: Verdict, seconds: float) -> str:
    return (
        f'{kind:15s} {verdict.accepted:6d} accepted {verdict.refused:6d} refused, slowest '
        f'{verdict.slowest:.2f} s, peak {verdict.peak / 1e6:.0f} MB, all {seconds:.0f} s'
        f'{verdict.failure and chr(10)}{verdict.failure}'
    )


if __name__ == '__main__':
    sys.exit(main())
