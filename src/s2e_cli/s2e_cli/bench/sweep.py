"""`s2e bench sweep`: how a policy fares as camera, link and world get worse."""

from __future__ import annotations

import argparse
import datetime
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navbench_gs.runner.plan import RunConfig

EPILOG = """examples:
  s2e bench sweep --policy s2e-small --scenes city:100-107 --tasks obstacle --out runs/sweep
  s2e bench sweep --policy s2e-small --axes latency blur --scenes city:100-103 --out runs/sweep
  s2e bench sweep --policy straight --axes people=0,10,30 --tasks pedestrian --out runs/people
Asked again with the same --out, a sweep goes on where it was cut off; more axes, values, scenes or
episodes may be added. Results: OUT/sweep.html, sweep.csv, sweep.json and sweep.png, and a run
folder for each value. `s2e bench report OUT` writes them again, also of a sweep that was cut off.
"""


def add_sweep(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this action."""
    parser = actions.add_parser(
        'sweep', help='curves of SR and CT over field of view, blur, latency, people, ...',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--policy', required=True, metavar='POLICY', help='as for run')
    parser.add_argument('--axes', nargs='+', metavar='AXIS[=V1,V2]',
                        help='fov, height, pitch, exposure, blur, frame_drop, latency, '
                             'goal_noise, drift, people (all that matter in the tasks)')
    parser.add_argument('--scenes', nargs='+', metavar='SCENE',
                        help="the protocol's, else city:100-107")
    parser.add_argument('--tasks', nargs='+', metavar='TASK', help="the protocol's, else obstacle")
    parser.add_argument('--episodes', type=int, default=4, metavar='N',
                        help='per scene, task and value (4)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the runs (0)')
    parser.add_argument('--workers', type=int, default=1, metavar='K', help='processes (1)')
    parser.add_argument('--protocol', default='default', help='protocol by name or file (default)')
    parser.add_argument('--robot', metavar='NAME', help="robot profile (the protocol's)")
    parser.add_argument('--backend', default='cpu', help='renderer back end (cpu)')
    parser.add_argument('--out', type=Path, metavar='DIR', help='folder (runs/sweep_<time>)')


def run_sweep(args: argparse.Namespace) -> int:
    """Run the action."""
    from navbench_gs.runner.sweep import AXES, measure, plan, total
    from navbench_gs.runner.sweep_record import write_plan
    from s2e_cli.bench.console import Console
    from s2e_cli.bench.policies import policy_factory

    config = _config(args)
    wanted = [parse_axis(word) for word in args.axes or ()] or [
        (axis.name, []) for axis in AXES.values()
        if not axis.tasks or set(axis.tasks) & set(config.tasks)
    ]
    started = datetime.datetime.now().strftime('%Y-%m-%d_%H%M%S')
    out = args.out or Path('runs') / f'sweep_{started}'
    factory = policy_factory(args.policy, config.protocol.judge.v_max)
    fov = math.nan
    if any(name == 'fov' for name, _ in wanted):
        camera = factory().spec.camera
        # Rounded, so that its folder and its place in tables do not have 15 digits.
        fov = round(math.degrees(2.0 * math.atan(0.5 * camera.width / camera.fx)), 2)
    points = plan(config, wanted, out, fov)
    write_plan(points, factory.name, factory.details(), out)
    console = Console(total(points), sys.stderr)
    console.prepare(config.scenes)
    try:
        measured = measure(points, factory, factory.details(), console.finished)
    finally:
        console.close()
    for item in measured:
        sr, ct = (item.summary.metrics[name] for name in ('success', 'collisions'))
        print(f'{item.axis:<11}{item.value:>7g}  {item.summary.name:<20}{item.summary.episodes:>5}'
              f'  SR {sr.mean:.2f} [{sr.low:.2f}, {sr.high:.2f}]'
              f'  CT {ct.mean:.2f} [{ct.low:.2f}, {ct.high:.2f}]')
    return report_sweep(out)


def report_sweep(out: Path) -> int:
    """Write page and tables of a sweep from its folder, and say where they lie."""
    from navbench_gs.report.sweep import write_sweep

    page = write_sweep(out)
    print(f'curves: {page}, table: {out / "sweep.csv"}')
    return 0


def _config(args: argparse.Namespace) -> RunConfig:
    """Return the run that is varied."""
    from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
    from navbench_gs.tasks.protocol import load_protocol

    protocol = load_protocol(args.protocol)
    return RunConfig(
        scenes=parse_scenes(args.scenes or protocol.scenes or ('city:100-107',)),
        tasks=parse_tasks(args.tasks or protocol.tasks or ('obstacle',)), protocol=protocol,
        robot=args.robot or protocol.robot, episodes=args.episodes, seed=args.seed,
        workers=args.workers, backend=args.backend,
    )


def parse_axis(word: str) -> tuple[str, list[float]]:
    """Split 'blur=0,1,2' into name and values; a name alone leaves them open.

    Raises:
        RunError: a value is no number.
    """
    from navbench_gs.errors import RunError

    name, equals, text = word.partition('=')
    try:
        return name, [float(part) for part in text.split(',')] if equals else []
    except ValueError as error:
        raise RunError(f'axes: values must be numbers, NAME=V1,V2, got {word!r}') from error
