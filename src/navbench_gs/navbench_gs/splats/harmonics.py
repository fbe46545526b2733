"""Real spherical harmonics up to degree 3 in the sign convention of INRIA's 3DGS files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COEFFICIENTS = (1, 4, 9, 16)
"""Number of coefficients per colour channel, by degree."""

C0 = 0.28209479177387814
"""sqrt(1 / (4 pi)), the constant basis function."""
C1 = 0.4886025119029199
"""sqrt(3 / (4 pi))."""
C2 = (
    1.0925484305920792,
    -1.0925484305920792,
    0.31539156525252005,
    -1.0925484305920792,
    0.5462742152960396,
)
C3 = (
    -0.5900435899266435,
    2.890611442640554,
    -0.4570457994644658,
    0.3731763325901154,
    -0.4570457994644658,
    1.445305721320277,
    -0.5900435899266435,
)


def basis(directions: NDArray[np.floating], degree: int) -> NDArray[np.float64]:
    """Evaluate the basis functions.

    Source: Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering" (2023),
    coefficient order and signs of its released files.

    Args:
        directions: `[N, 3]` unit vectors from the camera to the gaussian.
        degree: 0 to 3.

    Returns:
        `[N, (degree + 1)^2]`.
    """
    x, y, z = np.asarray(directions, dtype=np.float64).T
    columns = [np.full_like(x, C0)]
    if degree > 0:
        columns += [-C1 * y, C1 * z, -C1 * x]
    if degree > 1:
        columns += [
            C2[0] * x * y,
            C2[1] * y * z,
            C2[2] * (2.0 * z * z - x * x - y * y),
            C2[3] * x * z,
            C2[4] * (x * x - y * y),
        ]
    if degree > 2:
        columns += [
            C3[0] * y * (3.0 * x * x - y * y),
            C3[1] * x * y * z,
            C3[2] * y * (4.0 * z * z - x * x - y * y),
            C3[3] * z * (2.0 * z * z - 3.0 * x * x - 3.0 * y * y),
            C3[4] * x * (4.0 * z * z - x * x - y * y),
            C3[5] * z * (x * x - y * y),
            C3[6] * x * (x * x - 3.0 * y * y),
        ]
    return np.stack(columns, axis=-1)


def rotation_matrix(rotation: NDArray[np.floating], degree: int) -> NDArray[np.float64]:
    """Return the `[K, K]` matrix that turns coefficients with the gaussian.

    A rotated lobe looks in direction d as the old one in R^T d. Each degree spans a space that
    rotations leave invariant, so solving basis(d) D = basis(R^T d) on more directions than
    coefficients is exact up to rounding.
    """
    # Spiral points cover the sphere evenly: the system's condition number stays below 2.
    index = np.arange(64) + 0.5
    polar = np.arccos(1.0 - 2.0 * index / 64.0)
    azimuth = np.pi * (1.0 + 5.0**0.5) * index
    directions = np.stack(
        [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=-1
    )
    turned = directions @ np.asarray(rotation, dtype=np.float64)
    solution, *_ = np.linalg.lstsq(basis(directions, degree), basis(turned, degree), rcond=None)
    return np.asarray(solution, dtype=np.float64)
