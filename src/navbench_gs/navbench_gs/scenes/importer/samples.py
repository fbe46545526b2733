"""Gaussians as weighted surface points, the raw material of floor and occupancy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import quaternions_to_matrices

Float = NDArray[np.float64]

MIN_OPACITY = 0.3
"""Fainter gaussians are haze, reflections and floaters, not matter."""
MAX_SCALE = 1.5
"""Larger standard deviations (metres) belong to sky and far towers."""
PATCH = 0.004
"""Area that one sample stands for, m2: 2.5 samples in a cell of 0.1 m."""
MAX_SAMPLES = 160
"""Samples of one gaussian at most."""


@dataclass(frozen=True)
class Elements:
    """Gaussians that count as matter, with their surface frame."""

    means: Float
    """`[N, 3]`."""
    normals: Float
    """`[N, 3]` axis of the smallest scale."""
    axes: Float
    """`[N, 2, 3]` the other two axes times their standard deviations."""
    weights: Float
    """`[N]` opacity times area of one standard deviation's ellipse, m2."""

    def select(self, keep: NDArray[np.bool_]) -> Elements:
        """Return a subset."""
        return Elements(
            self.means[keep], self.normals[keep], self.axes[keep], self.weights[keep]
        )


@dataclass(frozen=True)
class Samples:
    """Points on the surfaces."""

    points: Float
    """`[N, 3]`."""
    weights: Float
    """`[N]` m2."""
    level: Float
    """`[N]` absolute z component of the normal: 1 on a floor, 0 on a wall."""
    width: Float
    """`[N]` largest standard deviation of the gaussian it comes from, metres."""

    def select(self, keep: NDArray[np.bool_]) -> Samples:
        """Return a subset."""
        return Samples(
            self.points[keep], self.weights[keep], self.level[keep], self.width[keep]
        )


def elements(cloud: GaussianCloud) -> Elements:
    """Return the gaussians of a cloud that count as matter."""
    keep = (cloud.opacities >= MIN_OPACITY) & (cloud.scales.max(axis=1) <= MAX_SCALE)
    part = cloud.select(keep)
    frames = np.swapaxes(quaternions_to_matrices(part.quats), 1, 2)
    order = np.argsort(part.scales, axis=1)
    row = np.arange(len(part))
    scales = part.scales.astype(np.float64)
    axes = np.stack(
        [frames[row, order[:, k]] * scales[row, order[:, k], None] for k in (1, 2)], axis=1
    )
    area = np.pi * scales[row, order[:, 1]] * scales[row, order[:, 2]]
    return Elements(
        part.means.astype(np.float64), frames[row, order[:, 0]], axes, area * part.opacities
    )


def spread(matter: Elements) -> Samples:
    """Spread points over each gaussian within 1.4 standard deviations, denser on large ones."""
    counts = np.clip(np.ceil(matter.weights / PATCH), 1, MAX_SAMPLES).astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    start = np.cumsum(counts) - counts
    index = np.arange(len(owner)) - start[owner]
    # Sunflower spiral: even over the ellipse and without random numbers.
    reach = 1.4 * np.sqrt((index + 0.5) / counts[owner])
    reach[counts[owner] == 1] = 0.0
    angle = index * np.pi * (3.0 - 5.0**0.5) + owner
    offset = (
        (reach * np.cos(angle))[:, None] * matter.axes[owner, 0]
        + (reach * np.sin(angle))[:, None] * matter.axes[owner, 1]
    )
    return Samples(
        matter.means[owner] + offset,
        (matter.weights / counts)[owner],
        np.abs(matter.normals[owner, 2]),
        np.linalg.norm(matter.axes[owner, 1], axis=1),
    )
