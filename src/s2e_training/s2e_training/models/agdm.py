"""Anchor-guided distribution matching: which mode a trajectory belongs to, and its loss.

L = -log N_h(w) - log q_h + |v_h - v|^2, h = the anchor whose direction fits best (reference,
section 1.1). Likelihoods are in metres. The weights between the terms are open in the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from s2e_core.config import check, option
from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_training.models.free_space import free_space_loss
from s2e_training.models.policy import Mixture

Assignment = Literal['direction', 'distance']
STILL = 0.2
"""Trajectories that end within this of their start stand still, metres."""
TIE = 0.02
"""Radians that a metre of range difference is worth between anchors of the same direction.

It only orders anchors that lie within a few degrees of each other: 1 m counts as 1.1 degrees.
"""


@dataclass(frozen=True)
class LossConfig:
    """Weights and choices of the loss."""

    assignment: Assignment = option(
        'direction', choices=('direction', 'distance'),
        help='direction: the paper; distance: the anchor nearest to the end point.',
    )
    regression_weight: float = option(
        0.1, low=0.0, high=100.0,
        help='Weight of the likelihood, which sums 10 waypoints and would else drown the score.',
    )
    score_weight: float = option(1.0, low=0.0, high=100.0, help='Weight of the score.')
    speed_weight: float = option(0.5, low=0.0, high=100.0, help='Weight of the velocity scale.')

    free_space_weight: float = option(
        0.5, low=0.0, high=100.0,
        help="Weight of the free distances: their likelihood is about as large as the score's.",
    )

    def __post_init__(self) -> None:
        check(self)


def assign(
    anchors: Tensor, trajectory: Tensor, method: Assignment = 'direction'
) -> Tensor:
    """Choose the mode of each trajectory.

    Args:
        anchors: Intent points; the first is the stop anchor, unless it is alone. [M, 2]
        trajectory: Waypoints, metres. [B, T, 2]
        method: How to measure fit.

    Returns:
        Index of the mode. [B]
    """
    if len(anchors) == 1:
        return torch.zeros(len(trajectory), dtype=torch.long, device=trajectory.device)
    end = trajectory[:, -1]
    moving = anchors[1:]
    if method == 'distance':
        cost = torch.cdist(end, moving)
    else:
        bearing = torch.atan2(end[:, 1], end[:, 0])[:, None]
        other = torch.atan2(moving[:, 1], moving[:, 0])[None]
        turn = torch.remainder(bearing - other + math.pi, 2 * math.pi) - math.pi
        reach = end.norm(dim=-1)[:, None] - moving.norm(dim=-1)[None]
        cost = turn.abs() + TIE * reach.abs()
    mode = cost.argmin(dim=1) + 1
    return torch.where(end.norm(dim=-1) < STILL, torch.zeros_like(mode), mode)


def mean_speed(trajectory: Tensor) -> Tensor:
    """Length of the path through the waypoints over its duration, m/s. [B, T, 2] -> [B]"""
    steps = torch.diff(trajectory, dim=1, prepend=torch.zeros_like(trajectory[:, :1]))
    return steps.norm(dim=-1).sum(dim=1) / (WAYPOINTS * WAYPOINT_DT)


def negative_log_likelihood(
    mean: Tensor, log_sigma: Tensor, rho: Tensor, trajectory: Tensor
) -> Tensor:
    """Per-waypoint -log of a correlated 2-D Gaussian.

    Args:
        mean: Metres. [B, T, 2]
        log_sigma: ln m. [B, T, 2]
        rho: Correlation, |rho| < 1. [B, T]
        trajectory: Metres. [B, T, 2]

    Returns:
        nats. [B, T]
    """
    z = (trajectory - mean) * torch.exp(-log_sigma)
    one_minus = 1.0 - rho**2
    quadratic = (z[..., 0] ** 2 + z[..., 1] ** 2 - 2.0 * rho * z[..., 0] * z[..., 1]) / one_minus
    return (
        0.5 * quadratic + log_sigma.sum(dim=-1) + 0.5 * torch.log(one_minus)
        + math.log(2.0 * math.pi)
    )


def agdm_loss(
    mixture: Mixture, anchors: Tensor, trajectory: Tensor, config: LossConfig,
    free: Tensor | None = None,
) -> dict[str, Tensor]:
    """Loss of a batch and its terms.

    Args:
        mixture: Output of the network.
        anchors: Intent points. [M, 2]
        trajectory: The expert's waypoints, metres. [B, T, 2]
        config: Weights.
        free: Free distances, metres, NaN where unknown. [B, 48]

    Returns:
        `total`, `likelihood` (nats per waypoint), `score`, `speed`, `accuracy`, and `free_space`
        (nats per bearing) where the network answers it; scalars.
    """
    mode = assign(anchors, trajectory, config.assignment)
    rows = torch.arange(len(mode), device=mode.device)
    nll = negative_log_likelihood(
        mixture.mean[rows, mode], mixture.log_sigma[rows, mode], mixture.rho[rows, mode],
        trajectory,
    )
    score = F.cross_entropy(mixture.logits, mode)
    speed = F.mse_loss(mixture.speed[rows, mode], mean_speed(trajectory))
    total = (
        config.regression_weight * nll.sum(dim=1).mean()
        + config.score_weight * score + config.speed_weight * speed
    )
    terms = {'likelihood': nll.mean(), 'score': score, 'speed': speed}
    if mixture.free is not None and free is not None:
        terms['free_space'] = free_space_loss(mixture.free, free)
        total = total + config.free_space_weight * terms['free_space']
    accuracy = (mixture.logits.argmax(dim=1) == mode).float().mean()
    return {'total': total, **terms, 'accuracy': accuracy}
