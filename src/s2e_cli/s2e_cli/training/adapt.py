"""`s2e train adapt`: trains a policy further in one place, and measures it there and elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.training.methods import METHODS

if TYPE_CHECKING:
    from s2e_cli.training.methods import Method

HERE, ELSEWHERE = 'here', 'elsewhere'

EPILOG = """examples:
  s2e train adapt scenes/yard runs/yard
  s2e train adapt ~/captures/garden.sog runs/garden --hours 1 --elsewhere city:100-103
  s2e train adapt scenes/yard runs/yard-ppo --method ppo
  s2e policy export runs/yard/round-2/last.pt models/yard

dagger: the planner, which knows the scene's map, drives and the policy drives; the policy learns
what the planner would have done wherever either came to. ppo: the policy drives and learns from
reward, by the residual branch unless the settings say otherwise.

SCENE's routes are divided by where they begin and end: SCENE@training is trained on,
SCENE@held-out is only measured on, before and after. The same goes for --elsewhere, which shows
what is forgotten. Killed, it goes on where it was, and the hours count on; with more hours, or
more rounds in the settings, it goes on learning and is measured anew.
"""


def add_adapt_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this step."""
    parser = steps.add_parser(
        'adapt', help='train a policy further in one place, overnight', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('scene', metavar='SCENE', help='scene bundle or capture')
    parser.add_argument('out', type=Path, metavar='OUT', help='folder of the result')
    parser.add_argument('--method', choices=tuple(METHODS), default='dagger',
                        help='how it learns (dagger)')
    parser.add_argument('--config', type=Path, metavar='FILE',
                        help='settings of the training (config/training/adapt_METHOD.yaml)')
    parser.add_argument('--initial', help='bundle, run or checkpoint to begin with')
    parser.add_argument('--robot', help='robot profile, instead of the file (coco)')
    parser.add_argument('--hours', type=float, default=2.0, metavar='H',
                        help='time for driving and training; measuring comes on top (2)')
    parser.add_argument('--episodes', type=int, default=25, metavar='N',
                        help='held-out episodes per task (25)')
    parser.add_argument('--elsewhere', nargs='+', default=['city:100-104'], metavar='SCENE',
                        help='where forgetting is measured, N/5 episodes each (city:100-104)')
    parser.add_argument('--tasks', nargs='+', default=['empty', 'obstacle'], metavar='TASK')
    parser.add_argument('--seed', type=int, help='seed, instead of the file')
    parser.add_argument('--workers', type=int, default=2, metavar='K', help='processes (2)')


def run_adapt(args: argparse.Namespace) -> int:
    """Measure, train, measure again, compare."""
    from navbench_gs.scenes.resolve import resolve_scene
    from s2e_core.errors import ConfigError

    if not 0.0 < args.hours <= 1000.0 or args.episodes < 1:
        raise ConfigError(
            f'--hours must be in 0..1000 and --episodes at least 1, got {args.hours} and '
            f'{args.episodes}'
        )
    method = METHODS[args.method](args)
    for part in ('training', 'held-out'):
        resolve_scene(f'{args.scene}@{part}')
    args.out.mkdir(parents=True, exist_ok=True)
    _measure(args, method, 'before', method.initial)
    _measure(args, method, 'after', method.train())
    _report(args)
    return 0


def _measure(args: argparse.Namespace, method: Method, when: str, source: str) -> None:
    """Run the benchmark on held-out routes and elsewhere; what is there already is kept."""
    from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
    from navbench_gs.tasks.protocol import load_protocol
    from s2e_cli.training.measuring import drive_bundle, export_network, forget_other_weights

    bundle = args.out / 'bundles' / when
    forget_other_weights(source, bundle, [args.out / place / when for place in (HERE, ELSEWHERE)])
    export_network(source, bundle)
    elsewhere = parse_scenes(args.elsewhere)
    places = {
        HERE: ((f'{args.scene}@held-out',), args.episodes),
        ELSEWHERE: (elsewhere, max(1, args.episodes // max(len(elsewhere), 1))),
    }
    for place, (scenes, episodes) in places.items():
        config = RunConfig(
            scenes, parse_tasks(args.tasks), load_protocol(method.protocol), method.robot,
            episodes=episodes, workers=args.workers,
        )
        print(f'{when}, {place}: {", ".join(scenes)}', flush=True)
        drive_bundle(bundle, config, args.out / place / when)


def _report(args: argparse.Namespace) -> None:
    from navbench_gs.metrics.summary import by_task
    from navbench_gs.report.compare import differences, read_runs, write_comparison
    from s2e_cli.bench.console import print_differences, print_table

    for place in (HERE, ELSEWHERE):
        runs = read_runs([args.out / place / when for when in ('before', 'after')])
        for run in runs:
            print(f'{place}, {run.name}')
            print_table(by_task(run.scored))
        for name, parts in differences(runs):
            print(f'{place}, {name} minus {runs[0].name}, the same episodes')
            print_differences(parts)
        print(f'page: {write_comparison(runs, args.out / place)}')
