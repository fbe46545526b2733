"""The clipped objective and the divergence that steers its step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from s2e_training.posttrain.config import PPOConfig


def clipped_objective(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """min(r A, clip(r, 1 - c, 1 + c) A) (Schulman et al., 2017, equation 7), to be maximised.

    Args:
        ratio: New over old density. [B]
        advantage: [B]
        clip: c.

    Returns:
        [B]
    """
    return torch.minimum(ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage)


def divergence(log_ratio: Tensor) -> Tensor:
    """Estimate KL(old || new) from actions of the old policy.

    A mixture's divergence has no closed form. The mean of r - 1 - log r with r = new / old is
    unbiased, as E_old[r] = 1, and no sample is negative (Schulman, 2020, estimator k3).

    Args:
        log_ratio: log new - log old at actions drawn from old. [B]

    Returns:
        nats; scalar.
    """
    return (torch.expm1(log_ratio) - log_ratio).mean()


@dataclass
class StepSize:
    """The learning rate, steered so that the policy moves by about the same each time."""

    config: PPOConfig
    rate: float

    def update(self, divergence: float) -> float:
        """Widen or narrow the step by half; in between leave it.

        Args:
            divergence: KL since the rollout, nats.

        Returns:
            The rate from now on.
        """
        c = self.config
        if divergence > 2.0 * c.target_kl:
            self.rate = max(self.rate / 1.5, c.rate_low)
        elif divergence < 0.5 * c.target_kl:
            self.rate = min(self.rate * 1.5, c.rate_high)
        return self.rate
