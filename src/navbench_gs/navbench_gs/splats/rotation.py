"""Quaternion arithmetic on arrays (wxyz); tested against transforms3d."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import mat2quat


def matrix_to_quaternion(rotation: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the unit quaternion `[4]` (wxyz) of a rotation matrix `[3, 3]`."""
    return np.asarray(mat2quat(np.asarray(rotation, dtype=np.float64)), dtype=np.float64)


def quaternion_multiply(
    left: NDArray[np.floating], right: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Hamilton product of `[..., 4]` quaternions: `left` is applied after `right`."""
    a, b, c, d = np.moveaxis(np.asarray(left, dtype=np.float64), -1, 0)
    w, x, y, z = np.moveaxis(np.asarray(right, dtype=np.float64), -1, 0)
    return np.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        axis=-1,
    )


def quaternions_to_matrices(quats: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return rotation matrices `[N, 3, 3]` of unit quaternions `[N, 4]` (wxyz)."""
    w, x, y, z = np.moveaxis(np.asarray(quats, dtype=np.float64), -1, 0)
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def normalised(quats: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return `[N, 4]` scaled to unit length; a zero quaternion becomes the identity."""
    quats = np.asarray(quats, dtype=np.float64)
    length = np.linalg.norm(quats, axis=-1, keepdims=True)
    identity = np.array([1.0, 0.0, 0.0, 0.0])
    # Below 1e-12 the direction is float noise: INRIA files hold such rows for dead gaussians.
    usable = length > 1e-12
    return np.where(usable, quats / np.where(usable, length, 1.0), identity)
