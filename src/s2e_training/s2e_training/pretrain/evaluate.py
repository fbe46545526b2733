"""Open-loop evaluation of a trained network over whole sets of clips, by source and by task."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from s2e_core.config import from_yaml
from s2e_training.data.clip import CLIP_FILE, ClipInfo
from s2e_training.data.windows import BatchOptions, WindowSet
from s2e_training.models.agdm import assign
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.metrics import (
    BASELINE_SPEED,
    baseline_errors,
    calibration_error,
    constant_velocity,
    coverage,
    free_space_errors,
    open_loop,
    score_entropy,
    straight_to_goal,
)

CHUNK = 256

Row = dict[str, float | str]


def evaluate(
    model: S2EModel,
    data: WindowSet,
    clips: Sequence[Path],
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Measure a network on every sample.

    Args:
        model: The network, in evaluation mode.
        data: Samples of `clips`.
        clips: The folders that `data` was made of, in order.
        progress: Called with samples done and in all.

    Returns:
        One row for all samples, one for each task and one for each source.
    """
    parts: dict[str, list[Tensor]] = {}
    scores, modes = [], []
    rng = np.random.default_rng(0)
    for start in range(0, len(data), CHUNK):
        samples = np.arange(start, min(start + CHUNK, len(data)))
        batch = data.batch(samples, BatchOptions(), rng)
        with torch.no_grad():
            mixture = model(batch.features, batch.goal, batch.mask)
        mode = assign(model.anchors, batch.plan)
        found = {**open_loop(mixture, batch.plan), **coverage(mixture, batch.plan, mode)}
        found['score_entropy'] = score_entropy(mixture.logits)
        straight = straight_to_goal(batch.goal_xy, BASELINE_SPEED)
        found.update(baseline_errors('straight', straight, batch.plan))
        motion = torch.from_numpy(data.motion[samples])
        found.update(baseline_errors('constant', constant_velocity(motion), batch.plan))
        if mixture.free is not None:
            found.update(free_space_errors(mixture.free, batch.free))
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
        scores.append(torch.softmax(mixture.logits, dim=1))
        modes.append(mode)
        if progress is not None:
            progress(int(samples[-1]) + 1, len(data))
    columns = {name: torch.cat(values) for name, values in parts.items()}
    return _rows(columns, torch.cat(scores), torch.cat(modes), data.owner, clips)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _rows(
    columns: dict[str, Tensor], scores: Tensor, modes: Tensor, owner: np.ndarray,
    clips: Sequence[Path],
) -> list[Row]:
    infos = [from_yaml(ClipInfo, clip / CLIP_FILE) for clip in clips]
    tasks = np.array([str(info.provenance.get('task', 'unknown')) for info in infos])[owner]
    sources = np.array([info.source for info in infos])[owner]
    groups = [('all', 'all', np.ones(len(owner), bool))]
    for kind, names in (('task', tasks), ('source', sources)):
        groups += [(kind, str(name), names == name) for name in np.unique(names)]
    rows: list[Row] = []
    for kind, name, mask in groups:
        chosen = torch.from_numpy(mask)
        row: Row = {'group': kind, 'name': name, 'samples': int(mask.sum())}
        row |= {key: round(float(v[chosen].nanmean()), 4) for key, v in columns.items()}
        error = calibration_error(scores[chosen], modes[chosen])
        row['calibration_error'] = round(error, 4)
        rows.append(row)
    return rows
