"""Open-loop quality: how far the answers lie from the teacher's waypoints."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_training.models.agdm import STILL
from s2e_training.models.free_space import NEAREST, WITHIN, FreeSpace, answers
from s2e_training.models.policy import Mixture

TIMES = (0.4, 1.0, 2.0)
"""Seconds at which errors are reported."""
BEST_OF = 6
NEAR = 3.0
"""Free distances that matter within the horizon of 2 s at 1.5 m/s, metres."""


def open_loop(mixture: Mixture, plan: Tensor) -> dict[str, Tensor]:
    """Per-sample errors.

    Args:
        mixture: Output of the network.
        plan: The teacher's waypoints. [B, T, 2]

    Returns:
        `ade_*`, `fde_*` (metres, top mode), `best_*` (best of 6), `direction` (degrees at 2 s,
        NaN where either stands still); each [B].
    """
    error = (mixture.mean - plan[:, None]).norm(dim=-1)
    order = mixture.logits.argsort(dim=1, descending=True)[:, :BEST_OF]
    top = error.gather(1, order[..., None].expand(-1, -1, WAYPOINTS))
    result = {}
    for time in TIMES:
        k = round(time / WAYPOINT_DT)
        ade, fde = top[..., :k].mean(dim=-1), top[..., k - 1]
        result[f'ade_{time}'], result[f'fde_{time}'] = ade[:, 0], fde[:, 0]
        result[f'best_ade_{time}'] = ade.min(dim=1).values
        result[f'best_fde_{time}'] = fde.min(dim=1).values
    rows = torch.arange(len(plan))
    result['direction'] = direction_error(mixture.mean[rows, order[:, 0]], plan)
    return result


def free_space_errors(answer: FreeSpace, distance: Tensor) -> dict[str, Tensor]:
    """Per-sample errors of the free distances.

    Args:
        answer: Output of the head.
        distance: Metres, NaN where unknown. [B, 48]

    Returns:
        `free_abs` (metres), `free_abs_3m` (metres, where the truth is within 3 m), `free_within`
        (share within a factor of 1.25), `free_confidence` (the mean that the head states for
        it); each [B], NaN where nothing is known.
    """
    metres, confidence = answers(answer)
    error = (metres - distance).abs()
    near = torch.where(distance < NEAR, error, torch.nan)
    known = torch.isnan(distance)
    ratio = (answer.log_distance - distance.clamp(min=NEAREST).log()).abs()
    within = torch.where(known, torch.nan, (ratio <= math.log(WITHIN)).float())
    stated = torch.where(known, torch.nan, confidence)
    return {
        'free_abs': error.nanmean(dim=1), 'free_abs_3m': near.nanmean(dim=1),
        'free_within': within.nanmean(dim=1), 'free_confidence': stated.nanmean(dim=1),
    }


def direction_error(trajectory: Tensor, plan: Tensor) -> Tensor:
    """Angle between end points, degrees; NaN where either stands still. [B, T, 2] -> [B]"""
    a, b = trajectory[:, -1], plan[:, -1]
    angle = torch.atan2(a[:, 1], a[:, 0]) - torch.atan2(b[:, 1], b[:, 0])
    angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
    still = (a.norm(dim=1) < STILL) | (b.norm(dim=1) < STILL)
    return torch.where(still, torch.nan, angle.abs() * (180 / math.pi))


def straight_to_goal(goal: Tensor, speed: float) -> Tensor:
    """Baseline: waypoints on the line to the goal, stopping there. [B, 2] -> [B, T, 2]"""
    distance = goal.norm(dim=1, keepdim=True).clamp(min=1e-6)
    reach = speed * WAYPOINT_DT * torch.arange(1, WAYPOINTS + 1)
    return (goal / distance)[:, None] * torch.minimum(reach[None], distance)[..., None]
