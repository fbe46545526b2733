"""Open-loop quality: how far the answers lie from the teacher's waypoints."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_training.models.agdm import STILL
from s2e_training.models.free_space import NEAREST, WITHIN
from s2e_training.models.policy import Mixture

TIMES = (0.4, 1.0, 2.0)
"""Seconds at which errors are reported."""
BEST_OF = 6
BASELINE_SPEED = 1.2
"""Speed of the straight baseline, m/s: near the teacher's mean."""
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


def free_space_errors(
    metres: Tensor, confidence: Tensor, distance: Tensor
) -> dict[str, Tensor]:
    """Per-sample errors of the free distances.

    Args:
        metres: What the head answers. [B, 48]
        confidence: How sure it says it is, 0 to 1. [B, 48]
        distance: The truth, metres, NaN where unknown. [B, 48]

    Returns:
        `free_abs` (metres), `free_abs_3m` (metres, where the truth is within 3 m), `free_within`
        (share within a factor of 1.25), `free_confidence` (the mean that the head states for
        it); each [B], NaN where nothing is known.
    """
    error = (metres - distance).abs()
    near = torch.where(distance < NEAR, error, torch.nan)
    known = torch.isnan(distance)
    ratio = (metres.log() - distance.clamp(min=NEAREST).log()).abs()
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


def score_entropy(logits: Tensor) -> Tensor:
    """Entropy of the scores, nats. [B, M] -> [B]"""
    return torch.distributions.Categorical(logits=logits).entropy()


def calibration_error(scores: Tensor, modes: Tensor, bins: int = 10) -> float:
    """Expected calibration error of the scores over all modes.

    Every mode of every sample is one prediction: `scores` says how probable it is, `modes` whether
    it was the one. Differences of mean score and frequency are weighted by the scores in each
    of `bins` equal shares of [0, 1], since most modes have a score near zero.

    Args:
        scores: Mixture weights. [B, M]
        modes: Index of the assigned mode. [B]
        bins: Shares of [0, 1].
    """
    hit = torch.zeros_like(scores).scatter_(1, modes[:, None], 1.0).flatten()
    flat = scores.flatten()
    place = (flat * bins).long().clamp(max=bins - 1)
    said = torch.zeros(bins).index_add_(0, place, flat)
    happened = torch.zeros(bins).index_add_(0, place, hit)
    return float((said - happened).abs().sum() / said.sum())


def coverage(mixture: Mixture, plan: Tensor, mode: Tensor) -> dict[str, Tensor]:
    """Say whether the end of the plan lies within the assigned mode's 50 and 90 % ellipses.

    The squared Mahalanobis distance of a 2-D Gaussian exceeds -2 ln(1 - p) with probability
    1 - p.

    Returns:
        `inside_50`, `inside_90`; each [B].
    """
    rows = torch.arange(len(plan))
    away = plan[:, -1] - mixture.mean[rows, mode, -1]
    z = away * torch.exp(-mixture.log_sigma[rows, mode, -1])
    rho = mixture.rho[rows, mode, -1]
    squared = (z[:, 0] ** 2 + z[:, 1] ** 2 - 2 * rho * z[:, 0] * z[:, 1]) / (1 - rho**2)
    limits = {'inside_50': 0.5, 'inside_90': 0.9}
    return {key: (squared <= -2 * math.log(1 - p)).float() for key, p in limits.items()}


def baseline_errors(name: str, trajectory: Tensor, plan: Tensor) -> dict[str, Tensor]:
    """Errors of a baseline's waypoints: `NAME_ade_*`, `NAME_fde_*`, `NAME_direction`; [B]."""
    error = (trajectory - plan).norm(dim=-1)
    result = {f'{name}_direction': direction_error(trajectory, plan)}
    for time in TIMES:
        k = round(time / WAYPOINT_DT)
        result[f'{name}_ade_{time}'] = error[:, :k].mean(dim=1)
        result[f'{name}_fde_{time}'] = error[:, k - 1]
    return result


def constant_velocity(motion: Tensor) -> Tensor:
    """Baseline: go on at the present speed and yaw rate.

    Args:
        motion: v (m/s) and w (rad/s). [B, 2]

    Returns:
        Waypoints on the arc. [B, T, 2]
    """
    time = WAYPOINT_DT * torch.arange(1, WAYPOINTS + 1)
    v, w = motion[:, :1], motion[:, 1:]
    turn = w * time
    # sin(a)/a and (1 - cos(a))/a, with their limits 1 and a/2 where the arc is a line.
    small = turn.abs() < 1e-4
    safe = torch.where(small, 1.0, turn)
    along = torch.where(small, 1.0, torch.sin(safe) / safe)
    aside = torch.where(small, turn / 2, (1 - torch.cos(safe)) / safe)
    return torch.stack([along, aside], dim=-1) * (v * time)[..., None]


def straight_to_goal(goal: Tensor, speed: float) -> Tensor:
    """Baseline: waypoints on the line to the goal, stopping there. [B, 2] -> [B, T, 2]"""
    distance = goal.norm(dim=1, keepdim=True).clamp(min=1e-6)
    reach = speed * WAYPOINT_DT * torch.arange(1, WAYPOINTS + 1)
    return (goal / distance)[:, None] * torch.minimum(reach[None], distance)[..., None]
