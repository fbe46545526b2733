"""A coarser level of detail: neighbouring gaussians merged into one of the same extent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import quaternions_to_matrices

Float = NDArray[np.float64]

MAX_OPACITY = 0.98
"""Of a merged gaussian: the renderer caps coverage at 0.99."""
STEPS = 24
"""Of the search for the cell size: 24 halvings end below a millionth of the extent."""
ENOUGH = 0.97
"""A result with this part of the wanted count is near enough."""


def reduced(cloud: GaussianCloud, count: int) -> GaussianCloud:
    """Return a cloud of at most `count` gaussians that looks alike from afar.

    Gaussians are merged by cubic cells. A merged one has the mean and covariance of its parts,
    each weighted by opacity times its area (moment matching, as in Hierarchical 3D Gaussians,
    Kerbl et al. 2024, eq. 4-5), and the opacity that spreads their sum over its own area. A
    cloud that is small enough is returned as it is.

    Raises:
        ValueError: count is not positive.
    """
    if count < 1:
        raise ValueError(f'count must be positive, got {count}')
    if len(cloud) <= count:
        return cloud
    low = cloud.means.min(axis=0).astype(np.float64)
    extent = float((cloud.means.max(axis=0) - low).max()) or 1.0
    small, large = 1e-6 * extent, 1.01 * extent
    for _ in range(STEPS):
        edge = float(np.sqrt(small * large))
        found = len(np.unique(cells(cloud, low, edge)))
        if found > count:
            small = edge
        else:
            large = edge
            if found >= ENOUGH * count:
                break
    return merged_by(cloud, np.unique(cells(cloud, low, large), return_inverse=True)[1])


def cells(cloud: GaussianCloud, low: Float, edge: float) -> NDArray[np.int64]:
    """Return a number `[N]` that is equal for gaussians of one cell."""
    place = np.floor((cloud.means - low) / edge).astype(np.int64)
    # 21 bits an axis: the smallest edge is a millionth of the extent.
    return np.asarray((place[:, 0] << 42) | (place[:, 1] << 21) | place[:, 2], dtype=np.int64)


def merged_by(cloud: GaussianCloud, label: NDArray[np.integer]) -> GaussianCloud:
    """Merge the gaussians of equal labels `[N]`, which count from 0; see `reduced`."""
    groups = int(label.max()) + 1
    scales = cloud.scales.astype(np.float64)
    weight = cloud.opacities * _area(scales) + 1e-30
    total = np.bincount(label, weight, groups)
    share = weight / total[label]

    def gathered(values: Float) -> Float:
        flat = values.reshape(len(values), -1) * share[:, None]
        columns = [np.bincount(label, column, groups) for column in flat.T]
        return np.stack(columns, axis=1).astype(np.float64).reshape(groups, *values.shape[1:])

    means = gathered(cloud.means.astype(np.float64))
    axes = quaternions_to_matrices(cloud.quats) * scales[:, None, :]
    off = cloud.means - means[label]
    covariance = gathered(axes @ np.swapaxes(axes, 1, 2) + off[:, :, None] * off[:, None, :])
    squares, frames = np.linalg.eigh(covariance)
    frames[np.linalg.det(frames) < 0.0, :, 0] *= -1.0
    sizes = np.sqrt(np.maximum(squares, 1e-14))
    opacities = np.minimum(total / _area(sizes), MAX_OPACITY)
    alone = np.bincount(label, minlength=groups)[label] == 1
    opacities[label[alone]] = cloud.opacities[alone]
    return GaussianCloud(
        means.astype(np.float32),
        np.roll(Rotation.from_matrix(frames).as_quat(), 1, axis=1).astype(np.float32),
        sizes.astype(np.float32),
        opacities.astype(np.float32),
        gathered(cloud.sh.astype(np.float64)).astype(np.float32),
    )


def _area(scales: Float) -> Float:
    """Return the mean area `[N]` of the three faces of gaussians with deviations `[N, 3]`."""
    a, b, c = scales.T
    return np.asarray(a * b + b * c + c * a)
