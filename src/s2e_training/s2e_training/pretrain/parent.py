"""The policy that post-training begins with: a run, a checkpoint or a shipped bundle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2e_core.paths import find_model
from s2e_policy.bundle import load_bundle
from s2e_policy.manifest import MANIFEST_FILE, REFERENCE_FILE
from s2e_training.export.margins import Margins, margins_of
from s2e_training.export.reading import read_network
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.checkpoint import BEST, load_checkpoint, restore_model
from s2e_training.pretrain.config import PretrainConfig


@dataclass(frozen=True)
class Parent:
    """A network and where it comes from."""

    model: S2EModel
    pretrain: PretrainConfig
    """How it was pre-trained."""
    step: int
    """Steps of that training."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """What its bundle says about data and training; empty for a run, whose clips say it."""
    examples: Tensor | None = None
    """Two windows of its bundle's reference, uint8. [2, K, H, W, 3]"""
    stated: Margins | None = None
    """What its bundle says about views that a camera fills in part."""

    @property
    def margins(self) -> Margins:
        """What bundles of it, and of what is trained from it, say about such views."""
        return self.stated or margins_of(self.pretrain)


def load_parent(source: str) -> Parent:
    """Load a parent.

    Args:
        source: Folder or name of a bundle, folder of a run, or a checkpoint.

    Raises:
        TrainingError: It is none of these, or cannot be trained.
        PolicyError: The bundle is damaged.
    """
    path = Path(source)
    checkpoint = path / BEST if (path / BEST).is_file() else path
    if checkpoint.is_file():
        content = load_checkpoint(checkpoint)
        model, pretrain = restore_model(content)
        return Parent(model, pretrain, content['step'], content.get('provenance', {}),
                      content.get('examples'))
    bundle = load_bundle(path if (path / MANIFEST_FILE).is_file() else find_model(source))
    model, pretrain = read_network(bundle)
    provenance = bundle.manifest.provenance
    with np.load(bundle.root / REFERENCE_FILE, allow_pickle=False) as stored:
        examples = torch.from_numpy(stored['images'])
    step = int(provenance['training'].get('step', 0))
    images = bundle.manifest.images
    stated = Margins(images.coverage, images.unseen)
    return Parent(model, pretrain, step, provenance, examples, stated)
