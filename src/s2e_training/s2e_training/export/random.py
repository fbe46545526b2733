"""Bundles with random weights: their answers mean nothing, their latency does."""

from __future__ import annotations

from pathlib import Path

import torch

from s2e_policy.bundle import Bundle
from s2e_training.errors import TrainingError
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.models.anchors import FAN_SPEED, fan_anchors
from s2e_training.models.config import PAPER, ModelConfig
from s2e_training.models.policy import S2EModel

SIZES = {'small': ModelConfig(), 'paper': PAPER}


def random_bundle(size: str, folder: Path) -> Bundle:
    """Write a bundle of a size with random weights.

    Args:
        size: `small` or `paper`.
        folder: Where its folder is made.

    Raises:
        TrainingError: There is no such size.
    """
    if size not in SIZES:
        raise TrainingError(f'random: size must be one of {list(SIZES)}, got {size!r}')
    config = SIZES[size]
    torch.manual_seed(0)
    anchors = torch.from_numpy(fan_anchors(config.anchors, FAN_SPEED))
    info = ExportInfo(f'random-{size}', 'Random weights, to be timed only.', WHOLE_VIEWS)
    return export_bundle(S2EModel(config, anchors), folder / info.name, info)
