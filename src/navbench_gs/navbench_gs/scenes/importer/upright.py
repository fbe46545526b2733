"""Turning a capture so that gravity points along -z."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import quaternions_to_matrices

AXES: dict[str, NDArray[np.float64]] = {
    '+z': np.eye(3),
    '-y': np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    '+y': np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
}
"""Rotation scene <- file for each axis of the file that may point up."""


def guess_up(cloud: GaussianCloud) -> str:
    """Guess which axis points up: the one along which most flat gaussians face.

    A street or a room has one large level surface at the bottom. For each axis, flat opaque
    gaussians that face along it vote by area at their height; the densest 0.3-unit layer is the
    floor, and up is the side on which more of the scene lies.

    Returns:
        A key of `AXES`.
    """
    order = np.argsort(cloud.scales, axis=1)
    smallest = np.take_along_axis(cloud.scales, order[:, :1], 1)[:, 0]
    middle = np.take_along_axis(cloud.scales, order[:, 1:2], 1)[:, 0]
    flat = (smallest < 0.4 * middle) & (cloud.opacities > 0.3)
    if flat.sum() < 10:
        return '+z'
    frames = quaternions_to_matrices(cloud.quats[flat])
    facing = np.abs(frames[np.arange(len(frames)), :, order[flat, 0]])
    area = middle[flat].astype(np.float64) ** 2
    area = np.minimum(area, np.quantile(area, 0.99))
    best, winner = -1.0, '+z'
    for axis, names in ((2, ('+z', '+z')), (1, ('+y', '-y'))):
        level = facing[:, axis] > 0.94  # within 20 degrees
        heights = cloud.means[flat, axis]
        low, high = np.quantile(heights, [0.01, 0.99])
        bins = np.arange(low, high + 0.3, 0.3)
        if len(bins) < 2:
            continue
        votes, _ = np.histogram(heights[level], bins, weights=area[level])
        peak = float(votes.max())
        if peak > best:
            floor = bins[int(votes.argmax())]
            above = float((heights > floor + 0.3).mean()), float((heights < floor).mean())
            best, winner = peak, names[0] if above[0] >= above[1] else names[1]
    return winner


def upright(cloud: GaussianCloud, up: str, scale: float) -> GaussianCloud:
    """Turn the axis `up` to +z and scale to metres."""
    if up == '+z' and scale == 1.0:
        return cloud
    transform = np.eye(4)
    transform[:3, :3] = scale * AXES[up]
    return cloud.transformed(transform)
