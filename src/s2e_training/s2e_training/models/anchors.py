"""Intent points: where the modes of the mixture aim."""

from __future__ import annotations

import numpy as np
from scipy.cluster.vq import kmeans2

from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_training.errors import TrainingError
from s2e_training.models.agdm import STILL

FAN_SPEED = 1.2
"""Speed along the fallback fan, m/s: near the mean of human-like driving on pavements."""
FAN_CURVATURE = 0.8
"""Sharpest arc of the fallback fan, 1/m: a radius of 1.25 m, what car-like robots manage."""


def cluster_anchors(trajectories: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Cluster end points by k-means, with a stop anchor in front.

    Args:
        trajectories: Waypoints, metres. [N, T, 2]
        count: Anchors, the stop anchor among them.
        seed: Seed of the start.

    Returns:
        Intent points, sorted left to right after the stop anchor. [count, 2] float32

    Raises:
        TrainingError: Fewer moving trajectories than anchors.
    """
    if count == 1:
        return np.zeros((1, 2), np.float32)
    ends = trajectories[:, -1].astype(np.float64)
    ends = ends[np.linalg.norm(ends, axis=1) >= STILL]
    if len(ends) < count:
        raise TrainingError(f'{count} anchors need as many moving samples, got {len(ends)}')
    # Mirrored data makes the anchors symmetric enough that no side is preferred.
    ends = np.concatenate([ends, ends * (1.0, -1.0)])
    rng = np.random.default_rng(seed)
    centres, _ = kmeans2(ends, count - 1, iter=30, minit='++', seed=rng)
    order = np.argsort(-np.arctan2(centres[:, 1], centres[:, 0]))
    return np.concatenate([np.zeros((1, 2)), centres[order]]).astype(np.float32)


def choose_anchors(
    source: str, count: int, trajectories: np.ndarray, seed: int
) -> np.ndarray:
    """Return the anchors that a setting names.

    Args:
        source: `data`, `fan`, or a file of `save_anchors`.
        count: Anchors, the stop anchor among them.
        trajectories: Waypoints to cluster, metres. [N, T, 2]
        seed: Seed of the clustering.

    Raises:
        TrainingError: The file is not one of anchors, or holds another number of them.
    """
    if source == 'data':
        return cluster_anchors(trajectories, count, seed)
    if source == 'fan':
        return fan_anchors(count, FAN_SPEED)
    try:
        anchors = np.load(source, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise TrainingError(f'{source}: is not a file of anchors: {error}') from error
    if not isinstance(anchors, np.ndarray) or anchors.shape != (count, 2):
        found = getattr(anchors, 'shape', 'an archive')
        raise TrainingError(f'{source}: anchors must be ({count}, 2), got {found}')
    if not np.isfinite(anchors).all():
        raise TrainingError(f'{source}: anchors must be finite')
    return anchors.astype(np.float32)


def fan_anchors(count: int, speed: float) -> np.ndarray:
    """Make arcs of constant curvature, for where there is no data to cluster.

    Args:
        count: Anchors, the stop anchor among them.
        speed: Speed along the arcs, m/s.

    Returns:
        End points after the horizon, left to right after the stop anchor. [count, 2] float32
    """
    length = speed * WAYPOINTS * WAYPOINT_DT
    curvature = np.linspace(FAN_CURVATURE, -FAN_CURVATURE, count - 1)
    safe = np.where(np.abs(curvature) < 1e-9, 1e-9, curvature)
    angle = safe * length
    ends = np.stack([np.sin(angle) / safe, (1.0 - np.cos(angle)) / safe], axis=1)
    return np.concatenate([np.zeros((1, 2)), ends]).astype(np.float32)
