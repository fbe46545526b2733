"""The density of what is executed: one waypoint of a Gaussian mixture over trajectories.

A mode m and one 2-D normal z are drawn for the whole trajectory, w_t = mu_t + L_t z. The
controller reads one waypoint w_k, so the action is a = w_k and its exact density is
log pi(a) = logsumexp_m(log q_m + log N(a; mu_k^m, Sigma_k^m)), in metres. A product over waypoints
would put noise that was never executed into the ratio; it is there to be compared with.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from s2e_training.models.agdm import negative_log_likelihood
from s2e_training.models.policy import Mixture
from s2e_training.posttrain.noise import Noise


class ActionMixture(NamedTuple):
    """A mixture over P waypoints, whose 2-D Gaussians are taken as independent within a mode.

    With one waypoint this is the exact density of what is executed.
    """

    logits: Tensor
    """Scores before the softmax. [B, M]"""
    mean: Tensor
    """Metres, base_link. [B, M, P, 2]"""
    log_sigma: Tensor
    """ln m. [B, M, P, 2]"""
    rho: Tensor
    """Correlation of x and y. [B, M, P]"""

    @property
    def log_weights(self) -> Tensor:
        """Log mixture weights. [B, M]"""
        return torch.log_softmax(self.logits, dim=-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log density of actions. [B, P, 2] metres -> [B] nats"""
        nll = negative_log_likelihood(
            self.mean, self.log_sigma, self.rho, action[:, None].expand_as(self.mean)
        )
        return torch.logsumexp(self.log_weights - nll.sum(dim=-1), dim=-1)


def cut(mixture: Mixture, log_sigma: Tensor, waypoints: slice) -> ActionMixture:
    """Cut the mixture over trajectories down to some waypoints.

    Args:
        mixture: The network's answer.
        log_sigma: The exploring policy's own, ln m. [B, M, T, 2]
        waypoints: Which; `slice(2, 3)` is the third alone.
    """
    return ActionMixture(
        mixture.logits, mixture.mean[:, :, waypoints], log_sigma[:, :, waypoints],
        mixture.rho[:, :, waypoints],
    )


def sample(mixture: Mixture, log_sigma: Tensor, noise: Noise) -> Tensor:
    """Draw one trajectory for each row.

    Args:
        mixture: The network's answer.
        log_sigma: ln m. [B, M, T, 2]
        noise: What the draw depends on.

    Returns:
        Metres, base_link. [B, T, 2]
    """
    # Gumbel's trick: the largest of score + noise is a draw by the softmax of the scores.
    mode = (mixture.logits + noise.gumbel).argmax(dim=-1)
    z = noise.normal[:, None]
    rows = torch.arange(len(mode))
    sigma, rho = torch.exp(log_sigma[rows, mode]), mixture.rho[rows, mode]
    # Lower Cholesky factor of [[sx^2, rho sx sy], [rho sx sy, sy^2]].
    x = sigma[..., 0] * z[..., 0]
    y = sigma[..., 1] * (rho * z[..., 0] + torch.sqrt(1.0 - rho**2) * z[..., 1])
    return mixture.mean[rows, mode] + torch.stack([x, y], dim=-1)


def component_entropy(mixture: ActionMixture) -> Tensor:
    """Entropy of each mode: sum_t log(2 pi e) + log sx + log sy + log(1 - rho^2) / 2. [B, M]"""
    each = (
        math.log(2.0 * math.pi * math.e) + mixture.log_sigma.sum(dim=-1)
        + 0.5 * torch.log(1.0 - mixture.rho**2)
    )
    return each.sum(dim=-1)
