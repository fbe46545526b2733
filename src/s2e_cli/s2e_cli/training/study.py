"""`s2e train study`: variants of a training from several seeds, all measured alike."""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.training.study_report import parent_folder, write_report
from s2e_core.errors import ConfigError

if TYPE_CHECKING:
    from navbench_gs.runner.plan import RunConfig
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.site import Budget
    from s2e_training.pretrain.config import PretrainConfig
    from s2e_training.study.config import PlaceConfig, Stage, StudyConfig, Training

EPILOG = """examples:
  s2e train study config/training/studies/modes.yaml runs/modes
  s2e train study config/training/studies/terms.yaml runs/terms --only ram no-contact --seeds 0
  s2e train study config/training/studies/data.yaml runs/data       # pre-training
  s2e train study my_study.yaml runs/mine --report

Trains every variant of FILE from every seed and drives its last network and its parent, where it
has one, in the same episodes. Killed, it goes on where it was. After each training OUT/study.csv,
study.md, study.png and episodes.csv, a line for each drive, hold what there is so far;
OUT/VARIANT-SEED is a run of `s2e train posttrain` or pretrain. Where the file names `stops`,
networks are measured on the way as well (OUT/VARIANT-SEED/steps-N). More steps in the file make
post-trainings longer.
"""
BUNDLE = 'bundle'
LOG = 'study.log'
"""Output of a training that has run beside others."""


def add_study_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this step."""
    parser = steps.add_parser(
        'study', help='compare variants of a training, with several seeds and intervals',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('study', type=Path, metavar='FILE',
                        help='settings, such as config/training/studies/modes.yaml')
    parser.add_argument('out', type=Path, metavar='OUT', help='folder of the result')
    parser.add_argument('--only', nargs='+', metavar='VARIANT', help='these variants')
    parser.add_argument('--seeds', nargs='+', type=int, metavar='SEED', help='these seeds')
    parser.add_argument('--workers', type=int, default=2, metavar='K',
                        help='processes; results do not depend on it (2)')
    parser.add_argument('--parallel', type=int, default=1, metavar='N',
                        help='trainings at a time, which share the processes (1); two keep two '
                        'cores busier than one after the other')
    parser.add_argument('--report', action='store_true', help='only write what there is')


def run_study(args: argparse.Namespace) -> int:
    """Train, measure and compare."""
    from s2e_core.config import from_yaml
    from s2e_training.study.config import StudyConfig, stages, trainings

    study = from_yaml(StudyConfig, args.study)
    chosen = _chosen(args, study, trainings(study))
    for training in chosen:
        stages(study, training)  # What is wrong with the last is said before the first begins.
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.report:
        (_train_all if args.parallel == 1 else _train_in_parallel)(args, study, chosen)
    write_report(args.out, study)
    print((args.out / 'study.md').read_text(encoding='utf-8'), end='')
    print(f'table and picture: {args.out / "study.csv"}, {args.out / "study.png"}')
    return 0


def _train_all(args: argparse.Namespace, study: StudyConfig, chosen: Sequence[Training]) -> None:
    from s2e_training.study.config import stages

    for number, training in enumerate(chosen, 1):
        print(f'{training.name}, {number} of {len(chosen)}', flush=True)
        _measure_parent(args, study, training)
        for stage in stages(study, training):
            _stage(args, study, training.name, stage)
            write_report(args.out, study)


def _train_in_parallel(
    args: argparse.Namespace, study: StudyConfig, chosen: Sequence[Training]
) -> None:
    """Train each in a process of its own; parents, which several share, are measured before."""
    from s2e_cli.training.side_by_side import run_side_by_side

    if args.parallel < 1:
        raise ConfigError(f'--parallel must be at least 1, got {args.parallel}')
    for training in chosen:
        _measure_parent(args, study, training)
    words = [sys.executable, '-m', 's2e_cli', 'train', 'study', str(args.study), str(args.out),
             '--workers', str(max(1, args.workers // args.parallel))]
    failed = run_side_by_side(
        {one.name: [*words, '--only', one.variant, '--seeds', str(one.seed)] for one in chosen},
        lambda name: args.out / name / LOG, args.parallel, functools.partial(print, flush=True),
    )
    if failed:
        raise ConfigError(f'failed, others went on: {", ".join(failed)}; OUT/NAME/{LOG} says why')


def _chosen(
    args: argparse.Namespace, study: StudyConfig, every: Sequence[Training]
) -> list[Training]:
    for what, words, known in (
        ('--only', args.only or (), list(study.variants)),
        ('--seeds', args.seeds or (), list(study.seeds)),
    ):
        unknown = [word for word in words if word not in known]
        if unknown:
            raise ConfigError(f'{what}: {unknown[0]} is not in the study, which has {known}')
    return [one for one in every if (not args.only or one.variant in args.only)
            and (not args.seeds or one.seed in args.seeds)]


def _stage(args: argparse.Namespace, study: StudyConfig, name: str, stage: Stage) -> None:
    """Train to a stop or to the end, and measure; a stop whose network is there is not trained."""
    from s2e_cli.training.measuring import forget_other_weights
    from s2e_training.pretrain.checkpoint import LAST

    last, folder = str(args.out / name / LAST), args.out / stage.folder
    at_end, bundle = stage.folder == name, folder / BUNDLE
    if at_end or not bundle.is_dir():
        _train(args, name, stage)
    if at_end:
        # The study's file may ask for more steps than when it was measured.
        forget_other_weights(last, bundle, [folder / place.name for place in study.places])
    _measure(args, study, folder, last)


def _train(args: argparse.Namespace, name: str, stage: Stage) -> None:
    """Train to the end of a stage; the time spent is kept, as long trainings are killed."""
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.site import CLOCK, Budget

    folder, config = args.out / name, stage.config
    budget = Budget(folder, float('inf'), time.monotonic)
    if isinstance(config, PosttrainConfig):
        _posttrain(args, name, config, budget)
    else:
        _pretrain(folder, config, budget)
    budget.save()
    if stage.folder != name:
        (args.out / stage.folder).mkdir(exist_ok=True)
        shutil.copyfile(folder / CLOCK, args.out / stage.folder / CLOCK)


def _posttrain(
    args: argparse.Namespace, name: str, config: PosttrainConfig, budget: Budget
) -> None:
    from s2e_cli.training.posttrain import rollout_line, show_evaluation
    from s2e_training.posttrain.setup import make_trainer
    from s2e_training.posttrain.trainer import Progress
    from s2e_training.study.config import with_workers

    config = with_workers(config, args.workers)
    trainer = make_trainer(config, args.out / name, time.monotonic, show_evaluation)
    if trainer.rollout > config.rollouts:
        raise ConfigError(f'{args.out / name}: has been trained past {config.steps} steps, where '
                          'the study wants its network; choose another folder')
    if trainer.rollout == config.rollouts:
        return

    def show(p: Progress) -> None:
        budget.save()
        print(f'{name}: {p.rollout}/{p.rollouts}  {rollout_line(p)}', flush=True)

    trainer.run(show)


def _pretrain(folder: Path, config: PretrainConfig, budget: Budget) -> None:
    from s2e_cli.training.progress import StepLines, encoded_line
    from s2e_training.pretrain.setup import make_trainer
    from s2e_training.pretrain.trainer import Progress

    trainer = make_trainer(config, folder, time.monotonic, encoded_line)
    if trainer.step >= config.steps:
        return
    lines = StepLines()

    def show(p: Progress) -> None:
        budget.save()
        lines(p)

    trainer.run(show)


def _measure_parent(args: argparse.Namespace, study: StudyConfig, training: Training) -> None:
    if training.config.initial:
        folder = parent_folder(args.out, training)
        _measure(args, study, folder, training.config.initial)


def _measure(args: argparse.Namespace, study: StudyConfig, folder: Path, source: str) -> None:
    """Drive a network everywhere."""
    from s2e_cli.training.measuring import drive_bundle, export_network

    bundle = folder / BUNDLE
    export_network(source, bundle)
    for place in study.places:
        drive_bundle(bundle, _run_config(place, args.workers), folder / place.name)


def _run_config(place: PlaceConfig, workers: int) -> RunConfig:
    from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
    from navbench_gs.tasks.protocol import load_protocol

    protocol = load_protocol(place.protocol)
    scenes, tasks = place.scenes or protocol.scenes, place.tasks or protocol.tasks
    if not scenes or not tasks:
        raise ConfigError(f'place {place.name}: protocol {place.protocol} names no scenes or '
                          'tasks, so the place must')
    return RunConfig(
        parse_scenes(scenes), parse_tasks(tasks), protocol, place.robot or protocol.robot,
        episodes=place.episodes or protocol.episodes, seed=place.seed, workers=workers,
    )
