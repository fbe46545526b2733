"""Table and picture of what a study has measured so far."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2e_core.errors import ConfigError

if TYPE_CHECKING:
    from navbench_gs.metrics.summary import Scored
    from s2e_training.study.config import PlaceConfig, StudyConfig, Training
    from s2e_training.study.table import Measured

PARENT = 'parent'


def parent_folder(out: Path, training: Training) -> Path:
    """Return the folder of a parent; several parents have one each."""
    from s2e_training.study.config import parent_name

    return out / PARENT / parent_name(training.config.initial)


def write_report(out: Path, study: StudyConfig) -> None:
    """Write study.csv, study.md, study.png and episodes.csv.

    Args:
        out: Folder of the study.
        study: Its settings.

    Raises:
        ConfigError: Nothing has been measured yet.
    """
    from navbench_gs.runner.plan import write_atomically
    from s2e_training.pretrain.journal import LOG
    from s2e_training.study.config import trainings
    from s2e_training.study.episodes import write_drives
    from s2e_training.study.picture import draw_study
    from s2e_training.study.table import rows, write_csv, write_markdown

    every = trainings(study)
    measured = [found for place in study.places for found in _found(out, study, place, every)]
    table = rows(measured)
    if not table:
        raise ConfigError(f'{out}: nothing has been measured yet')
    write_atomically(out / 'episodes.csv', write_drives(measured))
    write_atomically(out / 'study.csv', write_csv(table))
    write_atomically(out / 'study.md', write_markdown(table))
    logs = {(one.variant, one.seed): out / one.name / LOG for one in every}
    against = f"'{study.reference}'" if study.reference else 'the parent'
    draw_study(table, {key: path for key, path in logs.items() if path.is_file()},
               study.name, out / 'study.png', against)


def _found(
    out: Path, study: StudyConfig, place: PlaceConfig, every: Sequence[Training]
) -> list[Measured]:
    from s2e_training.posttrain.site import spent_hours
    from s2e_training.study.config import parent_name, stages
    from s2e_training.study.table import Measured

    read = functools.cache(_read)
    parents: dict[str, Measured] = {}
    found = []
    for one, stage in [(training, stage) for training in every
                       for stage in stages(study, training)]:
        initial = one.config.initial
        before = read(parent_folder(out, one) / place.name) if initial else None
        if before is not None:
            parents.setdefault(initial, Measured(
                place.name, f'parent {parent_name(initial)}', None, 0, 0.0, *before,
            ))
        if study.reference:
            other = one.variant != study.reference
            folder = stage.folder.replace(one.name, f'{study.reference}-{one.seed}', 1)
            before = read(out / folder / place.name) if other else None
        after = read(out / stage.folder / place.name)
        if after is not None:
            found.append(Measured(
                place.name, one.variant, one.seed, stage.config.steps,
                spent_hours(out / stage.folder), *after, None if before is None else before[1],
            ))
    return [*parents.values(), *found]


def _read(folder: Path) -> tuple[str, list[Scored]] | None:
    """Return protocol and episodes of a complete run, None where there is none."""
    from navbench_gs.report.read import read_run

    if not (folder / 'run.json').is_file():
        return None
    record, logs, scored = read_run(folder)
    return (logs[0].protocol, scored) if record.get('complete') else None
