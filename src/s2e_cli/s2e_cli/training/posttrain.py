"""`s2e train posttrain`: PPO in the benchmark's environments, or supervised fine-tuning."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.training.progress import count_line

if TYPE_CHECKING:
    from s2e_training.posttrain.trainer import Progress

EPILOG = """examples:
  s2e train posttrain config/training/posttrain.yaml runs/ram
  s2e train posttrain config/training/posttrain.yaml runs/full --mode full --seed 1
  s2e train posttrain config/training/posttrain.yaml runs/sampled --set ppo.entropy=sampled
  s2e policy export runs/ram models/my-policy

A run that was stopped goes on where it was last saved, to the same numbers. RUN holds log.csv and
evaluation.csv (TensorBoard: tensorboard --logdir RUN), last.pt, best.pt by evaluation, and
nonfinite.pt if a number was not finite.
"""


def add_posttrain_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this step."""
    parser = steps.add_parser(
        'posttrain', help='train a policy further by reinforcement (ram, decoder, full), or sft',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'config', type=Path, help='settings, such as config/training/posttrain.yaml'
    )
    parser.add_argument('out', type=Path, metavar='run', help='folder of the run')
    parser.add_argument('--initial', help='bundle, run or checkpoint to begin with')
    parser.add_argument('--mode', choices=('ram', 'decoder', 'full', 'sft'),
                        help='which weights train and how, instead of the file')
    parser.add_argument('--seed', type=int, help='seed, instead of the file')
    parser.add_argument('--steps', type=int, help='environment steps in all, instead of the file')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        help='any setting, instead of the file; dots reach into groups')
    parser.add_argument('--until', type=int, metavar='ROLLOUT',
                        help='stop after this rollout, as a kill would')


def run_posttrain(args: argparse.Namespace) -> int:
    """Train until the end."""
    from s2e_core.config import from_mapping, from_yaml, to_mapping
    from s2e_core.settings import assign
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.setup import make_trainer

    values = to_mapping(from_yaml(PosttrainConfig, args.config))
    for key in ('initial', 'mode', 'seed', 'steps'):
        if getattr(args, key) is not None:
            values[key] = getattr(args, key)
    assign(values, args.set)
    config = from_mapping(PosttrainConfig, values, source='command line')
    trainer = make_trainer(config, args.out, time.monotonic, show_evaluation)
    first = trainer.rollout
    if first:
        print(f'{args.out}: going on after rollout {first} of {config.rollouts}', flush=True)

    def show(p: Progress) -> None:
        if p.evaluation is not None:
            _print_evaluation(p.evaluation, p.rollout - 1)
        done = p.rollout - first
        left = (p.rollouts - p.rollout) * p.seconds / done
        each = done * config.rollout * config.environment.count / p.seconds
        head = f'rollout {p.rollout}/{p.rollouts}  {rollout_line(p)}'
        print(f'{head}  {each:.0f} steps/s  ETA {left / 60:.0f} min', flush=True)

    report = trainer.run(show, args.until)
    if report is not None:
        _print_evaluation(report, trainer.rollout)
    print(f'{args.out}: {trainer.rollout} of {config.rollouts} rollouts')
    return 0


def rollout_line(progress: Progress) -> str:
    """Return what a rollout amounted to."""
    m, parts = progress.measured, [f'{progress.steps} steps']
    for label, key, digits in (
        ('reward', 'reward', 3), ('SR', 'success', 2),
        ('clean', 'clean_success', 2), ('CT', 'collisions', 2),
        ('KL', 'kl', 4), ('entropy', 'entropy', 2), ('clipped', 'clip_fraction', 3),
        ('EV', 'explained_variance', 2), ('missed', 'foresight_missed', 2),
        ('stage', 'stage', 0), ('loss', 'total', 3),
    ):
        if key in m:
            parts.append(f'{label} {m[key]:.{digits}f}')
    return '  '.join(parts)


def show_evaluation(done: int, total: int) -> None:
    """Count the episodes of an evaluation."""
    count_line(f'evaluated {done}/{total} episodes', done, total, sys.stderr)


def _print_evaluation(row: dict[str, float], rollout: int) -> None:
    tasks = [key.removesuffix('_success_low') for key in row if key.endswith('_success_low')]
    for task in (task for task in tasks if not task.endswith('_collision_free')):
        cells = []
        for label, metric in (
            ('SR', 'success'), ('clean SR', 'collision_free_success'), ('CT', 'collisions'),
        ):
            mean, low, high = (row[f'{task}_{metric}{end}'] for end in ('', '_low', '_high'))
            cells.append(f'{label} {mean:.2f} [{low:.2f}, {high:.2f}]')
        print(f'  evaluation after rollout {rollout}, {task}: {"  ".join(cells)}', flush=True)
