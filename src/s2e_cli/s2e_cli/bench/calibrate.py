"""`s2e bench calibrate`: whether a protocol can be solved, and not blindly."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

EPILOG = """examples:
  s2e bench calibrate --workers 2 --out runs/calibration
  s2e bench calibrate --protocol mine.yaml --scenes city:100-107 --episodes 5
The planner on the true map must reach a success of .95, .90, .85 and .80 in the four tasks, and
driving straight at the goal a clean success of .50, .20, .30 and .10 at most. OUT/calibration.json
holds the result with the protocol's hash; the exit code is 1 if a bound is not held. Asked again
with the same --out, it goes on where it was cut off. No picture is drawn, so it is quick.
"""
RESULT = 'calibration.json'


def add_calibrate(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this action."""
    parser = actions.add_parser(
        'calibrate', help='hold the reference agents against the bounds a protocol must keep',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--protocol', default='default', help='protocol by name or file (default)')
    parser.add_argument('--scenes', nargs='+', default=['city:100-125'], metavar='SCENE',
                        help='scenes that no result is reported on (city:100-125)')
    parser.add_argument('--episodes', type=int, default=5, metavar='N',
                        help='per scene and task (5; a corner is in the way of 3 of 5, of none in '
                             'the first)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the runs (0)')
    parser.add_argument('--workers', type=int, default=1, metavar='K', help='processes (1)')
    parser.add_argument('--out', type=Path, default=Path('runs/calibration'), metavar='DIR',
                        help='folder (runs/calibration)')


def run_calibrate(args: argparse.Namespace) -> int:
    """Run the action."""
    from navbench_gs.metrics.calibration import gate
    from navbench_gs.runner.plan import RunConfig, parse_scenes, write_atomically
    from navbench_gs.runner.run import run_benchmark
    from navbench_gs.tasks.protocol import load_protocol
    from navbench_gs.tasks.spec import TASKS
    from s2e_cli.bench.console import Console
    from s2e_cli.bench.policies import policy_factory

    protocol = load_protocol(args.protocol)
    config = RunConfig(
        scenes=parse_scenes(args.scenes), tasks=TASKS, protocol=protocol, robot=protocol.robot,
        episodes=args.episodes, seed=args.seed, workers=args.workers,
    )
    measured = {}
    for agent in ('privileged', 'straight'):
        factory = policy_factory(agent, protocol.judge.v_max)
        console = Console(len(config.items()), sys.stderr)
        console.prepare(config.scenes)
        try:
            measured[agent] = run_benchmark(
                config, factory, args.out / agent, progress=console.finished,
                details=factory.details(),
            )
        finally:
            console.close()
    rows = gate(measured['privileged'], measured['straight'])
    passed = len(rows) == 2 * len(TASKS) and all(row.held for row in rows)
    result = {
        'protocol': {'name': protocol.name, 'version': protocol.version, 'hash': protocol.hash},
        'scenes': list(args.scenes), 'episodes': args.episodes, 'seed': args.seed,
        'robot': protocol.robot, 'passed': passed,
        'rows': [dataclasses.asdict(row) | {'held': row.held} for row in rows],
    }
    write_atomically(args.out / RESULT, json.dumps(result, indent=1) + '\n')
    for row in rows:
        print(row)
    print(f'protocol {protocol.name} {protocol.hash}: {"passed" if passed else "NOT passed"}, '
          f'{args.out / RESULT}')
    return 0 if passed else 1
