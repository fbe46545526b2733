"""How the exploring policy draws: its own sigma and temperature over the pre-trained ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2e_training.models.policy import Mixture
from s2e_training.posttrain.config import ExplorationConfig


class Exploration(nn.Module):
    """sigma = floor + exp(log_sigma of the head + a trainable term for each axis).

    Behaviour cloning makes the head as certain as its labels are; a policy that never leaves its
    way learns nothing from reward, so sigma gets a floor. The head's own output stays what the
    pre-training made it: no gradient reaches it through here unless asked for.
    """

    def __init__(self, config: ExplorationConfig) -> None:
        """Start at the configured offset."""
        super().__init__()
        self._config = config
        self.offset = nn.Parameter(torch.full((2,), config.start))

    @property
    def memory(self) -> tuple[float, float]:
        """Correlation of neighbouring steps' draws: of modes, and of the normal numbers."""
        return self._config.memory, self._config.memory_normal

    def tempered(self, mixture: Mixture) -> Mixture:
        """Return the mixture that modes are drawn from."""
        return mixture._replace(logits=mixture.logits / self._config.temperature)

    def forward(self, mixture: Mixture) -> Tensor:
        """Return log sigmas, ln m. [B, M, T, 2]"""
        head = mixture.log_sigma
        if not self._config.head_gradient:
            head = head.detach()
        offset = self.offset.clamp(self._config.low, self._config.high)
        return torch.log(torch.exp(head + offset) + self._config.floor)
