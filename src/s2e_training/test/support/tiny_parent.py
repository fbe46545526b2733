"""A parent to post-train, small enough for tests of the command line."""

from __future__ import annotations

from pathlib import Path

import torch

from s2e_core.config import to_mapping
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.config import PretrainConfig

TINY = ModelConfig(
    frames=2, image_size=32, token_channels=4, dim=16, heads=2, feed_forward=32,
    fusion_layers=1, decoder_layers=1, anchors=4,
)


def export_tiny_parent(folder: Path) -> None:
    """Write a bundle with random weights; its provenance says that it was trained for 9 steps."""
    torch.manual_seed(0)
    model = S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0)))
    with torch.no_grad():
        # Equal tensors would share a name in the graph; those of a trained network differ.
        for name, parameter in model.named_parameters():
            if not name.startswith('encoder.'):
                parameter.add_(0.01 * torch.randn(parameter.shape))
    training = {'training': {'step': 9, 'config': to_mapping(
        PretrainConfig('x', ('a',), ('b',), model=TINY)
    )}}
    export_bundle(model, folder, ExportInfo('p', 'parent', WHOLE_VIEWS, provenance=training))
