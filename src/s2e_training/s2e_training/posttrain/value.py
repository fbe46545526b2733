"""The value head: how much reward a state still promises."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIDDEN = 256
"""Width of the hidden layers; the head is thrown away after training."""


class ValueHead(nn.Module):
    """Two hidden layers over the goal's token, the newest frame's, the mean of all, speed, truth.

    No gradient passes into the network: the value's would drown the policy's, and in the frozen
    modes there is nothing to reach. Its answer is in units of `ReturnScale`.
    """

    def __init__(self, dim: int, truths: int = 0) -> None:
        """Make the layers; the answer starts at zero.

        Args:
            dim: Width of the tokens.
            truths: P, numbers about the world that the policy does not see.
        """
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3 * dim + 2 + truths, HIDDEN), nn.GELU(),
            nn.Linear(HIDDEN, HIDDEN), nn.GELU(),
        )
        self.last = nn.Linear(HIDDEN, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, context: Tensor, speed: Tensor, truth: Tensor) -> Tensor:
        """Answer for states.

        Args:
            context: Fused tokens. [B, K + 1, D]
            speed: m/s and rad/s. [B, 2]
            truth: About the world. [B, P]

        Returns:
            [B]
        """
        fixed = context.detach()
        tokens = [fixed[:, -1], fixed[:, -2], fixed.mean(dim=1)]
        seen = torch.cat([*tokens, speed, truth], dim=-1)
        value: Tensor = self.last(self.layers(seen)).squeeze(-1)
        return value
