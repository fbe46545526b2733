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
from s2e_training.models.free_space import answers
from s2e_training.models.policy import Mixture, S2EModel
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
        motion = torch.from_numpy(data.motion[samples])
        found = sample_errors(mixture, mode, batch.plan, batch.goal_xy, motion)
        if mixture.free is not None:
            found.update(free_space_errors(*answers(mixture.free), batch.free))
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
        scores.append(torch.softmax(mixture.logits, dim=1))
        modes.append(mode)
        if progress is not None:
            progress(int(samples[-1]) + 1, len(data))
    columns = {name: torch.cat(values) for name, values in parts.items()}
    return group_rows(columns, torch.cat(scores), torch.cat(modes), data.owner, clips)


def sample_errors(
    mixture: Mixture, mode: Tensor, plan: Tensor, goal_xy: Tensor, motion: Tensor
) -> dict[str, Tensor]:
    """Measure answers and both baselines on each sample.

    Args:
        mixture: The answers.
        mode: The mode that is assigned to each plan. [B]
        plan: What was driven, metres, base_link. [B, T, 2]
        goal_xy: Goals, metres, base_link. [B, 2]
        motion: Speed (m/s) and yaw rate (rad/s). [B, 2]

    Returns:
        Columns; each [B].
    """
    found = {**open_loop(mixture, plan), **coverage(mixture, plan, mode)}
    found['score_entropy'] = score_entropy(mixture.logits)
    straight = straight_to_goal(goal_xy, BASELINE_SPEED)
    found.update(baseline_errors('straight', straight, plan))
    found.update(baseline_errors('constant', constant_velocity(motion), plan))
    return found


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def group_rows(
    columns: dict[str, Tensor], scores: Tensor, modes: Tensor, owner: np.ndarray,
    clips: Sequence[Path],
) -> list[Row]:
    """Average columns over all samples, by task and by source.

    Args:
        columns: Per-sample values; NaN is left out. [N] each
        scores: Mixture weights. [N, M]
        modes: The assigned modes. [N]
        owner: Index into `clips` of each sample. [N]
        clips: Clip folders.
    """
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
