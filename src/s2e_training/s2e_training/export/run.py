"""Exports a training run, with everything its bundle must say about where it comes from."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from s2e_core.contract import WAYPOINT_DT
from s2e_policy.bundle import Bundle
from s2e_training.data.clip import find_clips, load_clip
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import margins_of
from s2e_training.export.measured import read_metrics
from s2e_training.export.provenance import all_data, commit, description, licence, provenance
from s2e_training.pretrain.checkpoint import BEST, load_checkpoint, restore_model
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.journal import EVALUATION, LOG

POSTTRAINED = ' Then post-trained by driving in generated city scenes (mode {mode}).'


def export_run(
    run: Path, out: Path, name: str, metrics: Path | None = None, terms: str = ''
) -> Bundle:
    """Export the best checkpoint of a run.

    Args:
        run: Folder of the run, or a checkpoint.
        out: Folder of the bundle.
        name: Name of the policy.
        metrics: YAML mapping of measurements to add, such as closed-loop results.
        terms: Licence of the weights; ours where all data has it, when left out.

    Raises:
        TrainingError: The checkpoint or the metrics cannot be read.
    """
    checkpoint = run / BEST if run.is_dir() else run
    content = load_checkpoint(checkpoint)
    model, config = restore_model(content)
    measured = _measured(checkpoint.parent, content)
    if metrics is not None:
        measured.update(read_metrics(metrics))
    said, origin = _origin(config, content)
    info = ExportInfo(
        name, said, margins_of(config), terms or licence(all_data(origin)), provenance=origin,
        metrics=measured,
    )
    return export_bundle(model, out, info, _examples(config, content))


def _origin(config: PretrainConfig, content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Say what a checkpoint is and where it comes from."""
    settings = content.get('posttrain')
    if settings is None:
        origin = provenance(config, content['step'])
        return description(all_data(origin)), origin
    origin = content['provenance'] or provenance(config, content['parent_step'])
    return description(all_data(origin)) + POSTTRAINED.format(mode=settings['mode']), {
        **origin, 'posttraining': {
            'environment_steps': content['step'],
            'hours_simulated': round(content['step'] * WAYPOINT_DT / 3600, 2),
            'exported_from_commit': commit(), 'config': settings,
        },
    }


def _measured(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return what the run measured of this checkpoint."""
    if 'posttrain' not in content:
        return {'open_loop': _open_loop(folder, content['step'])}
    row = _row(folder / EVALUATION, content['step'])
    settings = content['posttrain']['evaluation']
    return {'validation': {
        'conditions': f'{", ".join(settings["scenes"])}, {settings["episodes"]} episodes each, '
        f'protocol {settings["protocol"]}, seed {settings["seed"]}; chose this checkpoint',
        **{key: round(float(value), 4) for key, value in row.items() if key != 'step'},
    }} if row else {}


def _open_loop(folder: Path, step: int) -> dict[str, float | str]:
    """Read the validation of a step from the run's log."""
    row = _row(folder / LOG, step)
    if not row:
        return {}
    return {
        'unit': 'ade and fde in metres at 0.4, 1 and 2 s; direction in degrees at 2 s',
        **{
            key.removeprefix('val_'): round(float(value), 4)
            for key, value in row.items() if key.startswith('val_')
        },
    }


def _row(path: Path, step: int) -> dict[str, str]:
    """Read the row of a step from a run's log; empty where there is none."""
    if not path.is_file():
        return {}
    with path.open(encoding='utf-8', newline='') as file:
        rows = [row for row in csv.DictReader(file) if int(float(row['step'])) == step]
    return rows[-1] if rows else {}


def _examples(config: PretrainConfig, content: dict[str, Any]) -> np.ndarray | None:
    """Take two windows of validation frames for the reference, or those of the parent."""
    examples = content.get('examples')
    if examples is not None:
        return examples.numpy()
    frames = config.model.frames
    windows = []
    for root in config.validation:
        for folder in find_clips(Path(root)):
            clip = load_clip(folder)
            if len(clip.rgb) >= frames:
                windows.append(clip.rgb[-frames:])
            if len(windows) == 2:
                return np.stack(windows)
    return None
