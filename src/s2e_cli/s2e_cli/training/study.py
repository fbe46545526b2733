"""`s2e train study`: variants of a training from several seeds, all measured alike."""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_core.errors import ConfigError

if TYPE_CHECKING:
    from navbench_gs.metrics.summary import Scored
    from navbench_gs.runner.plan import RunConfig
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.site import Budget
    from s2e_training.pretrain.config import PretrainConfig
    from s2e_training.study.config import PlaceConfig, StudyConfig, Training
    from s2e_training.study.table import Measured

EPILOG = """examples:
  s2e train study config/training/studies/modes.yaml runs/modes
  s2e train study config/training/studies/terms.yaml runs/terms --only ram no-contact --seeds 0
  s2e train study config/training/studies/data.yaml runs/data       # pre-training
  s2e train study my_study.yaml runs/mine --report

Trains every variant of FILE from every seed and drives its last network and its parent, where it
has one, in the same episodes. Killed, it goes on where it was. After each training OUT/study.csv,
study.md and study.png hold what there is so far; OUT/VARIANT-SEED is a run of
`s2e train posttrain` or pretrain.
"""
PARENT = 'parent'


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
    parser.add_argument('--report', action='store_true', help='only write what there is')


def run_study(args: argparse.Namespace) -> int:
    """Train, measure and compare."""
    from s2e_core.config import from_yaml
    from s2e_training.pretrain.checkpoint import LAST
    from s2e_training.study.config import StudyConfig, trainings

    study = from_yaml(StudyConfig, args.study)
    chosen = _chosen(args, study, trainings(study))
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.report:
        for number, training in enumerate(chosen, 1):
            print(f'{training.name}, {number} of {len(chosen)}', flush=True)
            if training.config.initial:
                _measure(args, study, _parent(args.out, training), training.config.initial)
            _train(args, training)
            last = args.out / training.name / LAST
            _measure(args, study, args.out / training.name, str(last))
            _report(args.out, study)
    _report(args.out, study)
    print((args.out / 'study.md').read_text(encoding='utf-8'), end='')
    print(f'table and picture: {args.out / "study.csv"}, {args.out / "study.png"}')
    return 0


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


def _train(args: argparse.Namespace, training: Training) -> None:
    """Train to the end; the time spent is kept, as kills are part of long trainings."""
    from s2e_training.posttrain.config import PosttrainConfig
    from s2e_training.posttrain.site import Budget

    folder, config = args.out / training.name, training.config
    budget = Budget(folder, float('inf'), time.monotonic)
    if isinstance(config, PosttrainConfig):
        _posttrain(args, training.name, config, budget)
    else:
        _pretrain(folder, config, budget)
    budget.save()


def _posttrain(
    args: argparse.Namespace, name: str, config: PosttrainConfig, budget: Budget
) -> None:
    from s2e_cli.training.posttrain import rollout_line, show_evaluation
    from s2e_training.posttrain.setup import make_trainer
    from s2e_training.posttrain.trainer import Progress
    from s2e_training.study.config import with_workers

    config = with_workers(config, args.workers)
    trainer = make_trainer(config, args.out / name, time.monotonic, show_evaluation)
    if trainer.rollout >= config.rollouts:
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


def _measure(args: argparse.Namespace, study: StudyConfig, folder: Path, source: str) -> None:
    """Drive a network everywhere."""
    from s2e_cli.training.measuring import drive_bundle, export_network

    bundle = folder / 'bundle'
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


def _parent(out: Path, training: Training) -> Path:
    """Return the folder of a parent; several parents have one each."""
    return out / PARENT / Path(training.config.initial).name


def _report(out: Path, study: StudyConfig) -> None:
    """Write table and picture of what is there."""
    from navbench_gs.runner.plan import write_atomically
    from s2e_training.pretrain.journal import LOG
    from s2e_training.study.config import trainings
    from s2e_training.study.picture import draw_study
    from s2e_training.study.table import rows, write_csv, write_markdown

    every = trainings(study)
    table = rows([
        found for place in study.places for found in _found(out, place, every, study.reference)
    ])
    if not table:
        raise ConfigError(f'{out}: nothing has been measured yet')
    write_atomically(out / 'study.csv', write_csv(table))
    write_atomically(out / 'study.md', write_markdown(table))
    logs = {(one.variant, one.seed): out / one.name / LOG for one in every}
    against = f"'{study.reference}'" if study.reference else 'the parent'
    draw_study(table, {key: path for key, path in logs.items() if path.is_file()},
               study.name, out / 'study.png', against)


def _found(
    out: Path, place: PlaceConfig, every: Sequence[Training], reference: str
) -> list[Measured]:
    from s2e_training.posttrain.site import spent_hours
    from s2e_training.study.table import Measured

    read = functools.cache(_read)
    parents: dict[str, Measured] = {}
    found = []
    for one in every:
        initial = one.config.initial
        before = read(_parent(out, one) / place.name) if initial else None
        if before is not None:
            parents.setdefault(initial, Measured(
                place.name, f'parent {Path(initial).name}', None, 0, 0.0, *before,
            ))
        if reference:
            other = one.variant != reference
            before = read(out / f'{reference}-{one.seed}' / place.name) if other else None
        after = read(out / one.name / place.name)
        if after is not None:
            found.append(Measured(
                place.name, one.variant, one.seed, one.config.steps,
                spent_hours(out / one.name), *after, None if before is None else before[1],
            ))
    return [*parents.values(), *found]


def _read(folder: Path) -> tuple[str, list[Scored]] | None:
    """Return protocol and episodes of a complete run, None where there is none."""
    from navbench_gs.report.read import read_run

    if not (folder / 'run.json').is_file():
        return None
    record, logs, scored = read_run(folder)
    return (logs[0].protocol, scored) if record.get('complete') else None
