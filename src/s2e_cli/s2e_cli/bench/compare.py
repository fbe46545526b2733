"""`s2e bench compare`: runs beside each other, in the terminal and as a page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """examples:
  s2e bench compare runs/a runs/straight
  s2e bench compare runs/straight runs/a runs/b --out runs/comparison
The first run is the one that others are compared with, over the episodes that both drove.
"""


def add_compare(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this action."""
    parser = actions.add_parser(
        'compare', help='set runs beside each other, by task and by whether a corner blocks the '
        'straight line, with differences of the same episodes',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('run_dirs', type=Path, nargs='+', metavar='RUN', help='run folder')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help='also write compare.html, compare.json and CSV files there')


def run_compare(args: argparse.Namespace) -> int:
    """Run the action."""
    from navbench_gs.report.cautions import warnings
    from navbench_gs.report.compare import differences, read_runs, write_comparison
    from s2e_cli.bench.console import print_differences, print_table

    runs = read_runs(args.run_dirs)
    for run in runs:
        print(f'{run.folder}: {run.name}, sees {run.inputs}')
        print_table([*run.routes, *run.parts])
    found = differences(runs)
    for name, parts in found:
        print(f'{name} minus {runs[0].name}, the same episodes')
        print_differences(parts)
    for text in warnings(runs, found):
        print(text)
    if args.out is not None:
        print(f'page: {write_comparison(runs, args.out, found)}')
    return 0
