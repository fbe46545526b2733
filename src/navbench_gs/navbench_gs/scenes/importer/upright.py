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
    for axis in (2, 1):
        level = facing[:, axis] > 0.94  # within 20 degrees
        heights = cloud.means[flat, axis]
        low, high = np.quantile(heights, [0.01, 0.99])
        bins = np.arange(low, high + 0.3, 0.3)
        if len(bins) < 2:
            continue
        votes, _ = np.histogram(heights[level], bins, weights=area[level])
        if float(votes.max()) > best:
            best = float(votes.max())
            upward = _floor_is_low(votes, bins, heights, heights[level])
            winner = '+z' if axis == 2 else ('+y' if upward else '-y')
    return winner


def _floor_is_low(
    votes: NDArray[np.float64],
    bins: NDArray[np.float64],
    heights: NDArray[np.float32],
    level: NDArray[np.float32],
) -> bool:
    """Whether the floor is at the low end of an axis.

    Outdoors the scene lies on one side of the largest layer. Indoors floor and ceiling are
    layers of like size; tables, seats and steps are nearer to the floor (walls tell nothing).
    """
    first = int(votes.argmax())
    apart = np.abs(np.arange(len(votes)) - first) * 0.3 >= 1.5
    second = int(np.where(apart, votes, 0.0).argmax()) if apart.any() else first
    if second != first and votes[second] > 0.4 * votes[first]:
        low, high = bins[min(first, second)], bins[max(first, second)]
        near_low = ((level > low + 0.4) & (level < low + 1.2)).sum()
        near_high = ((level < high - 0.1) & (level > high - 0.9)).sum()
        return bool(near_low >= near_high)
    above, below = (heights > bins[first] + 0.3).mean(), (heights < bins[first]).mean()
    return bool(above >= below)


def upright(cloud: GaussianCloud, up: str, scale: float) -> GaussianCloud:
    """Turn the axis `up` to +z and scale to metres."""
    if up == '+z' and scale == 1.0:
        return cloud
    transform = np.eye(4)
    transform[:3, :3] = scale * AXES[up]
    return cloud.transformed(transform)
