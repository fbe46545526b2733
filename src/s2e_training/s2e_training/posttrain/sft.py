"""Supervised fine-tuning: the loss of pre-training on recorded clips, for comparison with RL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2e_training.data.clip import find_clips
from s2e_training.data.features import FeatureEncoder, encode_clips
from s2e_training.data.windows import BatchOptions, WindowSet
from s2e_training.models.agdm import LossConfig, agdm_loss
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.config import SFTConfig
from s2e_training.posttrain.guard import demand_finite

OPTIONS = BatchOptions(mirror=0.5)
"""Mirrored copies only: masked goals and late windows serve other ends than driving to a goal."""


def load_windows(config: SFTConfig, model: S2EModel, runner: FeatureEncoder) -> WindowSet:
    """Encode the clips and index their samples.

    Raises:
        TrainingError: A clip is missing or does not fit.
    """
    clips = [clip for root in config.clips for clip in find_clips(Path(root))]
    encode_clips(clips, runner)
    return WindowSet(clips, runner.key, model.config.frames, model.config.goal_encoding)


class SupervisedUpdater:
    """Takes as many samples for an update as a rollout would have had."""

    def __init__(
        self, model: S2EModel, windows: WindowSet, config: SFTConfig, loss: LossConfig
    ) -> None:
        """Start fresh.

        Args:
            model: What is trained.
            windows: Samples.
            config: Settings.
            loss: As in pre-training.
        """
        self._model, self._windows, self._config, self._loss = model, windows, config, loss
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(
            self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def update(self, samples: int, rng: np.random.Generator) -> dict[str, float]:
        """Learn from about this many samples; return the mean of each term of the loss.

        Raises:
            NonFiniteError: A loss or gradient is not finite.
        """
        sums: dict[str, float] = {}
        torch.manual_seed(int(rng.integers(2**31)))
        self._model.train()
        steps = max(1, round(samples / self._config.batch))
        for _ in range(steps):
            batch = self._windows.draw(self._config.batch, OPTIONS, rng)
            mixture = self._model(batch.features, batch.goal, batch.mask)
            loss = agdm_loss(mixture, self._model.anchors, batch.plan, self._loss, batch.free)
            demand_finite('the update', loss=loss['total'])
            self._optimiser.zero_grad(set_to_none=True)
            loss['total'].backward()
            norm = torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
            demand_finite('the update', gradient=norm)
            self._optimiser.step()
            for name, value in loss.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / steps
        self._model.eval()
        return sums

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {'optimiser': self._optimiser.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._optimiser.load_state_dict(state['optimiser'])
