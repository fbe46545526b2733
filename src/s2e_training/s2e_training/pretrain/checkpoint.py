"""Checkpoints: everything a run needs to go on, readable without pickle's dangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from s2e_core.config import from_mapping
from s2e_training.errors import TrainingError
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.config import PretrainConfig

LAST = 'last.pt'
BEST = 'best.pt'


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint; a kill in the middle leaves the old one."""
    staging = path.with_suffix('.tmp')
    torch.save(content, staging)
    staging.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        TrainingError: Missing, damaged, or not ours.
    """
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises half a dozen types for damaged files
        raise TrainingError(f'{path}: is not a readable checkpoint: {error}') from error
    missing = {'config', 'model', 'anchors', 'step'} - set(content)
    if missing:
        raise TrainingError(f'{path}: lacks the entry {sorted(missing)[0]!r}')
    return content


def restore_model(content: dict[str, Any]) -> tuple[S2EModel, PretrainConfig]:
    """Build the network of a checkpoint with its averaged weights."""
    config = from_mapping(PretrainConfig, content['config'], source='checkpoint')
    model = S2EModel(config.model, content['anchors'])
    if any(name.startswith('residual.') for name in content['model']):
        model.add_residual()
    model.load_state_dict(content['model'])
    averaged = content.get('average')
    if averaged:
        model.load_state_dict(averaged, strict=False)
    return model.eval(), config
