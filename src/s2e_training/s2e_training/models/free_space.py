"""An auxiliary head: how far the robot could drive along each bearing, and how sure that is.

What reviewers of the paper ask for and RGB policies lack is a sense of depth. The newest frame's
fused token says, for 48 bearings over the view, the logarithm of the free distance and the scale
of its Laplace error; labels come from the renderer's exact depth (``navbench_gs.sensors``).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2e_core.contract import FREE_SPACE_BEARINGS

REACH = 10.0
"""Distances saturate here, metres: the contract's limit."""
NEAREST = 0.1
"""Labels below this count as this, metres: the logarithm ends somewhere."""
LOG_SCALE = (-4.0, 1.0)
"""Limits of the log scale: errors of 2 % and of a factor of 15."""
WITHIN = 1.25
"""Confidence is the probability that the true distance lies within this factor."""


class FreeSpace(NamedTuple):
    """What the head says, per bearing from left to right."""

    log_distance: Tensor
    """ln m, at most ln 10. [B, 48]"""
    log_scale: Tensor
    """Log of the Laplace scale of the log distance. [B, 48]"""


class FreeSpaceHead(nn.Module):
    """Two layers over a token."""

    def __init__(self, dim: int) -> None:
        """Make the layers."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, 2 * FREE_SPACE_BEARINGS)
        )

    def forward(self, token: Tensor) -> FreeSpace:
        """Answer for tokens. [B, D]"""
        raw: Tensor = self.layers(token)
        distance, scale = raw.unflatten(-1, (2, FREE_SPACE_BEARINGS)).unbind(dim=-2)
        # The minus keeps distances below the reach; 1 m at the start, the middle of the data.
        log_distance = math.log(REACH) - F.softplus(distance + 2.2)
        return FreeSpace(log_distance, (scale - 1.0).clamp(*LOG_SCALE))


def free_space_loss(answer: FreeSpace, distance: Tensor) -> Tensor:
    """Mean negative log-likelihood of the known distances under the Laplace density.

    Args:
        answer: Output of the head.
        distance: Metres, NaN where unknown. [B, 48]

    Returns:
        nats a bearing; zero when nothing is known. Scalar.
    """
    known = ~torch.isnan(distance)
    target = torch.where(known, distance, REACH).clamp(NEAREST, REACH).log()
    error = (answer.log_distance - target).abs() * torch.exp(-answer.log_scale)
    nats = error + answer.log_scale + math.log(2.0)
    return (nats * known).sum() / known.sum().clamp(min=1)


def answers(answer: FreeSpace) -> tuple[Tensor, Tensor]:
    """Return free distances, metres, and confidences in [0, 1]; each [B, 48].

    P(|ln d - mu| <= ln 1.25) = 1 - exp(-ln 1.25 / b) for a Laplace scale b.
    """
    confidence = 1.0 - torch.exp(-math.log(WITHIN) * torch.exp(-answer.log_scale))
    return torch.exp(answer.log_distance), confidence
