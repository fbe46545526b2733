"""Surface samples of a cloud: where something solid is, without floaters and sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import quaternions_to_matrices

SOLID = 0.35
"""Gaussians of lower opacity are haze: they cover under a third of what lies behind."""
LARGEST = 1.5
"""Gaussians wider than this are sky or far background, metres."""
VOXEL = 0.2
"""Edge of the voxels in which floaters are found, metres."""


@dataclass(frozen=True)
class Evidence:
    """Weighted samples of solid surfaces."""

    points: NDArray[np.float32]
    """Scene frame, metres. [P, 3]"""
    weights: NDArray[np.float32]
    """Opacity times the share of its gaussian. [P]"""


def gather(cloud: GaussianCloud) -> Evidence:
    """Sample the solid gaussians of a cloud.

    Each gaussian is sampled along its two longer axes at up to 5 x 5 places 0.1 m apart, so that
    a wide element of a floor fills the cells that it covers in the picture.
    """
    solid = (cloud.opacities > SOLID) & (cloud.scales.max(axis=1) < LARGEST)
    inside = _core(cloud.means)
    part = cloud.select(solid & inside)
    frames = quaternions_to_matrices(part.quats)
    order = np.argsort(-part.scales, axis=1)
    rows = np.arange(len(part))
    axes = [frames[rows, :, order[:, k]] * part.scales[rows, order[:, k], None] for k in (0, 1)]
    # One standard deviation to each side holds what is clearly opaque.
    counts = [
        np.clip(np.ceil(np.linalg.norm(axis, axis=1) / 0.1), 0, 2).astype(int) for axis in axes
    ]
    points, weights = [], []
    for a in range(-2, 3):
        for b in range(-2, 3):
            chosen = (abs(a) <= counts[0]) & (abs(b) <= counts[1])
            shift = a / np.maximum(counts[0], 1), b / np.maximum(counts[1], 1)
            where = part.means + shift[0][:, None] * axes[0] + shift[1][:, None] * axes[1]
            points.append(where[chosen])
            share = (2 * counts[0] + 1) * (2 * counts[1] + 1)
            # Neighbouring small gaussians add up; a lone one must not look like a wall.
            weights.append((part.opacities * np.maximum(1.0, 9.0 / share))[chosen] / 9.0)
    return _without_floaters(
        np.concatenate(points).astype(np.float32), np.concatenate(weights).astype(np.float32)
    )


def _core(means: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Keep the dense middle: within 1.5 times the 1..99 % range around it, per axis."""
    low, high = np.quantile(means, 0.01, axis=0), np.quantile(means, 0.99, axis=0)
    margin = 0.25 * (high - low)
    return np.asarray(((means > low - margin) & (means < high + margin)).all(axis=1))


def _without_floaters(points: NDArray[np.float32], weights: NDArray[np.float32]) -> Evidence:
    """Drop samples whose 3 x 3 x 3 voxels of 0.2 m hold less than half an opaque gaussian."""
    low = points.min(axis=0)
    cell = ((points - low) / VOXEL).astype(np.int64) + 1
    size = cell.max(axis=0) + 2
    key = (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]
    keys, inverse = np.unique(key, return_inverse=True)
    mass = np.bincount(inverse, weights)
    total = np.zeros(len(keys))
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            for dz in (-1, 0, 1):
                other = keys + (dx * size[1] + dy) * size[2] + dz
                place = np.minimum(np.searchsorted(keys, other), len(keys) - 1)
                total += np.where(keys[place] == other, mass[place], 0.0)
    keep = (total >= 0.5)[inverse]
    return Evidence(points[keep], weights[keep])
