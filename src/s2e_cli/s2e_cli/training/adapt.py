"""`s2e train adapt`: post-trains a policy in one place, and measures it there and elsewhere."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2e_training.posttrain.config import PosttrainConfig

HERE, ELSEWHERE = 'here', 'elsewhere'

EPILOG = """examples:
  s2e train adapt scenes/yard runs/yard
  s2e train adapt ~/captures/garden.sog runs/garden --hours 1 --elsewhere city:100-103
  s2e policy export runs/yard/train models/yard

SCENE's routes are divided by where they begin and end: SCENE@training is trained on,
SCENE@held-out is only measured on, before and after. The same goes for --elsewhere, which shows
what is forgotten. Killed, it goes on where it was, and the hours count on.
"""


def add_adapt_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this step."""
    parser = steps.add_parser(
        'adapt', help='train a policy further in one place, overnight', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('scene', metavar='SCENE', help='scene bundle or capture')
    parser.add_argument('out', type=Path, metavar='OUT', help='folder of the result')
    parser.add_argument('--config', type=Path, metavar='FILE',
                        help='settings of the training (config/training/adapt.yaml)')
    parser.add_argument('--initial', help='bundle, run or checkpoint to begin with')
    parser.add_argument('--hours', type=float, default=2.0, metavar='H',
                        help='time for training; measuring comes on top (2)')
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
    from s2e_training.pretrain.checkpoint import BEST

    if not 0.0 < args.hours <= 1000.0 or args.episodes < 1:
        raise ConfigError(
            f'--hours must be in 0..1000 and --episodes at least 1, got {args.hours} and '
            f'{args.episodes}'
        )
    config = _settings(args)
    for part in ('training', 'held-out'):
        resolve_scene(f'{args.scene}@{part}')
    args.out.mkdir(parents=True, exist_ok=True)
    _measure(args, config, 'before', config.initial)
    _train(args, config)
    _measure(args, config, 'after', str(args.out / 'train' / BEST))
    _report(args)
    return 0


def _settings(args: argparse.Namespace) -> PosttrainConfig:
    from s2e_core.config import from_mapping, from_yaml, to_mapping
    from s2e_core.paths import find_config
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.site import site_config
    from s2e_training.study.config import with_workers

    values = to_mapping(from_yaml(PosttrainConfig, args.config or find_config(
        'training/adapt.yaml'
    )))
    for key in ('initial', 'seed'):
        if getattr(args, key) is not None:
            values[key] = getattr(args, key)
    config = from_mapping(PosttrainConfig, values, source='command line')
    return site_config(with_workers(config, args.workers), args.scene)


def _train(args: argparse.Namespace, config: PosttrainConfig) -> None:
    from s2e_cli.training.posttrain import rollout_line, show_evaluation
    from s2e_training.posttrain.setup import make_trainer
    from s2e_training.posttrain.site import Budget
    from s2e_training.posttrain.trainer import Progress

    budget = Budget(args.out, 3600.0 * args.hours, time.monotonic)
    if budget.used_up():
        print('training: its time is used up')
        return
    trainer = make_trainer(config, args.out / 'train', time.monotonic, show_evaluation)

    def show(p: Progress) -> None:
        budget.save()
        share = budget.spent / (3600.0 * args.hours)
        print(f'{min(share, 1.0):4.0%} of {args.hours:g} h  {rollout_line(p)}', flush=True)

    trainer.run(show, enough=budget.used_up)
    budget.save()


def _measure(
    args: argparse.Namespace, settings: PosttrainConfig, when: str, initial: str
) -> None:
    """Run the benchmark on held-out routes and elsewhere; what is there already is kept."""
    from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
    from navbench_gs.tasks.protocol import load_protocol
    from s2e_cli.training.measuring import drive_bundle, export_network

    bundle = args.out / 'bundles' / when
    export_network(initial, bundle)
    elsewhere = parse_scenes(args.elsewhere)
    places = {
        HERE: ((f'{args.scene}@held-out',), args.episodes),
        ELSEWHERE: (elsewhere, max(1, args.episodes // max(len(elsewhere), 1))),
    }
    for place, (scenes, episodes) in places.items():
        config = RunConfig(
            scenes, parse_tasks(args.tasks), load_protocol(settings.evaluation.protocol),
            settings.environment.robot, episodes=episodes, workers=args.workers,
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
