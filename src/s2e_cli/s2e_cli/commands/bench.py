"""`s2e bench`: run the benchmark without ROS, and write its report."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.bench.calibrate import add_calibrate, run_calibrate
from s2e_cli.bench.compare import add_compare, run_compare
from s2e_cli.bench.replay import add_replay, run_replay
from s2e_cli.bench.report import add_report, report, run_report
from s2e_cli.bench.sweep import add_sweep, run_sweep

if TYPE_CHECKING:
    from navbench_gs.runner.plan import RunConfig
    from navbench_gs.tasks.protocol import Protocol

ORDER = 30

EPILOG = """examples:
  s2e bench run --policy privileged --scenes city:100-101 --tasks empty --episodes 5
  s2e bench run --policy models/s2e-small --scenes city:100-107 --tasks all --workers 2 --film 1
  s2e bench report runs/2026-01-31_120000
  s2e bench compare runs/a runs/straight
  s2e bench replay runs/a/episodes/city-100_obstacle_003.json
  s2e bench sweep --policy s2e-small --axes latency blur --out runs/sweep
  s2e bench calibrate --workers 2
"""
RUN_EPILOG = """examples:
  s2e bench run --policy straight --scenes city:100 --tasks empty obstacle --out runs/straight
  s2e bench run --policy s2e-small --scenes city:100-107 --episodes 25 --workers 2 --out runs/a
  s2e bench run --policy s2e-small --scenes city:0-25 --tasks all --ray head:6379 --out runs/b
  s2e bench run --policy s2e-small --protocol ablation --out runs/study
  s2e bench run --policy s2e-small --conditions latency=0.2 frame_drop=0.1 --out runs/worse
  s2e bench run --policy s2e-small --scenes city:100-105 --tasks obstacle --gate-source depth
  s2e bench run --policy s2e-small --tasks pedestrian --tracks zara01/obsmat.txt --out runs/zara
  s2e bench run --policy depth --tasks pedestrian --tracks yard.csv fps=30 scale=0.01
Asked again with the same --out, a run goes on where it was cut off.
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'bench', help='measure a policy in closed loop, and write reports',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    run = actions.add_parser(
        'run', help='run episodes in lock-step', epilog=RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument('--policy', required=True, metavar='POLICY',
                     help='straight, privileged, onlooker, depth, a bundle by name or folder, '
                          'adapter:KIND:PATH or python:FILE.py:NAME (docs/policies.md); informed: '
                          'before one of these three has its modes chosen by the true map')
    run.add_argument('--scenes', nargs='+', metavar='SCENE',
                     help='city:SEED, city:FIRST-LAST, scene bundles or captures (the '
                          "protocol's, else city:100)")
    run.add_argument('--tasks', nargs='+', metavar='TASK',
                     help='empty, obstacle, pedestrian, obstacle_pedestrian or all (the '
                          "protocol's, else empty)")
    run.add_argument('--episodes', type=int, metavar='N',
                     help="episodes per scene and task (the protocol's when left out)")
    run.add_argument('--seed', type=int, default=0, help='seed of the run (0)')
    run.add_argument('--workers', type=int, default=1, metavar='K', help='processes (1)')
    run.add_argument('--ray', nargs='?', const='local', metavar='ADDRESS',
                     help='spread episodes over a Ray cluster: HOST:PORT, auto, or this machine '
                          'with --workers CPUs when left out')
    run.add_argument('--answer-limit', type=float, default=60.0, metavar='S',
                     help='wall time an answer of the policy may take; then its episode ends as '
                          'policy_stalled (60; 0: any)')
    run.add_argument('--out', type=Path, metavar='DIR', help='run folder (runs/<time>)')
    run.add_argument('--protocol', help='protocol by name or file (default; recorded with '
                                        '--tracks)')
    run.add_argument('--tracks', nargs='+', metavar=('FILE', 'NAME=VALUE'),
                     help='recorded pedestrians, in the tasks with people: frame id x y, or '
                          'obsmat.txt; behind it fps=HZ and scale=METRES_PER_UNIT where the file '
                          'does not tell')
    run.add_argument('--robot', metavar='NAME', help="robot profile (the protocol's)")
    run.add_argument('--film', type=int, nargs='?', const=100000, default=0, metavar='N',
                     help='film every episode, or the first N of each scene and task')
    run.add_argument('--backend', default='cpu', help='renderer back end (cpu)')
    run.add_argument('--conditions', nargs='+', metavar='NAME=VALUE', default=[],
                     help='what is worse than the protocol: hfov, height, pitch, exposure, blur, '
                          'frame_drop, latency, jitter, command_loss, retransmit, goal_noise')
    run.add_argument('--gate-source', default='none', metavar='SOURCE',
                     help='let the gate slow before and reject what is in the way, as known from '
                          'scan, depth, occupancy or free_space (none: as in headline results)')
    run.add_argument('--gate-cap', type=float, default=0.0, metavar='M/S',
                     help="cap of the gate on the policy's speed (the protocol's)")
    add_compare(actions)
    add_report(actions)
    add_replay(actions)
    add_sweep(actions)
    add_calibrate(actions)


def run(args: argparse.Namespace) -> int:
    """Run the action."""
    if args.action == 'replay':
        return run_replay(args)
    if args.action == 'sweep':
        return run_sweep(args)
    if args.action == 'calibrate':
        return run_calibrate(args)
    if args.action == 'compare':
        return run_compare(args)
    return _run(args) if args.action == 'run' else run_report(args)


def _run(args: argparse.Namespace) -> int:
    from navbench_gs.runner.run import run_benchmark
    from s2e_cli.bench.console import Console, print_retried, print_table
    from s2e_cli.bench.policies import policy_factory

    config = _config(args)
    factory = policy_factory(args.policy, config.protocol.judge.v_max)
    out = args.out or Path('runs') / datetime.datetime.now().strftime('%Y-%m-%d_%H%M%S')
    console = Console(len(config.items()), sys.stderr)
    console.prepare(config.scenes)
    try:
        summaries = run_benchmark(
            config, factory, out, progress=console.finished, details=factory.details(),
            cluster=args.ray,
        )
    except KeyboardInterrupt:
        console.close()
        if any((out / 'episodes').glob('*.json')):
            report(out)
        raise
    console.close()
    print_retried(out)
    print_table(summaries)
    if not summaries:
        print('s2e bench: no episode could be run', file=sys.stderr)
        return 1
    return report(out)


def _protocol(args: argparse.Namespace) -> Protocol:
    """Return the protocol, and say what recorded tracks were taken for."""
    from navbench_gs.tasks.protocol import load_protocol
    from s2e_core.settings import read_settings

    file, *words = args.tracks or (None,)
    protocol = load_protocol(
        args.protocol or ('recorded' if file else 'default'), file,
        dict(read_settings(words, '--tracks')),
    )
    if protocol.recorded.tracks:
        print(f'tracks: {protocol.recorded.recording().told()}', file=sys.stderr)
    return protocol


def _config(args: argparse.Namespace) -> RunConfig:
    """Return the run that is asked for; what is left out is the protocol's."""
    from navbench_gs.runner.conditions import Conditions
    from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
    from s2e_core.config import from_mapping
    from s2e_core.settings import read_settings

    protocol = _protocol(args)
    values = {'gate_source': args.gate_source, 'gate_cap': args.gate_cap}
    values |= dict(read_settings(args.conditions, '--conditions'))
    return RunConfig(
        scenes=parse_scenes(args.scenes or protocol.scenes or ('city:100',)),
        tasks=parse_tasks(args.tasks or protocol.tasks or ('empty',)), protocol=protocol,
        robot=args.robot or protocol.robot,
        episodes=protocol.episodes if args.episodes is None else args.episodes,
        seed=args.seed, workers=args.workers, films=args.film, backend=args.backend,
        answer_limit=args.answer_limit,
        conditions=from_mapping(Conditions, values, source='conditions'),
    )
