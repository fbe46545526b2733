"""Run the fuzz for some kinds and print a table: python -m splat_fuzz COUNT [KIND ...]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from splat_fuzz.samples import KINDS
from splat_fuzz.trial import run


def main() -> None:
    """Print one line per kind."""
    count = int(sys.argv[1])
    for kind in sys.argv[2:] or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            verdict = run(kind, count, Path(folder))
        print(
            f'{kind:16s} {verdict.accepted:6d} accepted {verdict.refused:6d} refused '
            f'slowest {verdict.slowest:.2f} s  peak {verdict.peak / 1e6:.0f} MB  '
            f'{time.perf_counter() - start:.0f} s',
            flush=True,
        )
        if verdict.failure:
            print(verdict.failure, flush=True)


if __name__ == '__main__':
    main()
