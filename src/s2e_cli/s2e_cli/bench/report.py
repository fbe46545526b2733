"""`s2e bench report`: page, CSV and JSON of a run, and films of what stands for it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from s2e_cli.bench.sweep import report_sweep

EPILOG = """examples:
  s2e bench report runs/a
  s2e bench report runs/a --film
  s2e bench report runs/sweep
Writes RUN/report.html, RUN/episodes.csv and RUN/summary.json; of a sweep sweep.html, .csv, .json
and .png.
"""


def add_report(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this action."""
    parser = actions.add_parser(
        'report', help='write report.html, episodes.csv and summary.json of a run',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('run_dir', type=Path, metavar='RUN', help='run folder, or that of a sweep')
    parser.add_argument('--film', action='store_true',
                        help='first drive the worst and the median episode of each task again, '
                             'to film them')


def run_report(args: argparse.Namespace) -> int:
    """Run the action."""
    from navbench_gs.runner.sweep_record import PLAN

    if (args.run_dir / PLAN).is_file():
        return report_sweep(args.run_dir)
    if args.film:
        film_exemplars(args.run_dir)
    return report(args.run_dir)


def report(run_dir: Path) -> int:
    """Write the report and say where it lies."""
    from navbench_gs.report.html import write_report

    print(f'report: {write_report(run_dir)}')
    return 0


def film_exemplars(run_dir: Path) -> None:
    """Film the episodes that stand for a task, unless there are films of them.

    Raises:
        S2EError: an episode cannot be driven again.
    """
    from navbench_gs.report.exemplars import exemplars
    from navbench_gs.report.read import read_run
    from navbench_gs.runner.plan import RunFolder
    from navbench_gs.runner.replay import open_recorded, replay
    from s2e_cli.bench.policies import policy_factory

    _, logs, scored = read_run(run_dir)
    folder = RunFolder(run_dir)
    for index, tag in exemplars(scored).items():
        identity = logs[index].spec.id
        film = folder.films / f'{identity}.mp4'
        if film.is_file():
            continue
        print(f'filming {identity}, the {tag}', file=sys.stderr)
        recorded = open_recorded(folder.episode(identity))
        factory = policy_factory(recorded.policy_source, recorded.protocol.judge.v_max)
        result = replay(recorded, factory, film=film, stills=folder.stills)
        if result.difference:
            print(f'the film shows another drive than the record: {result.difference}',
                  file=sys.stderr)
