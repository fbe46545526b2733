"""Ellipses that hold a waypoint with a given probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SHARE = 0.5
"""A waypoint lies inside with this probability: half of them should be outside."""


def ellipse(
    mean: NDArray[np.floating], sigma: NDArray[np.floating], rho: float, points: int = 40
) -> NDArray[np.float64]:
    """Outline of a Gaussian's region of probability SHARE.

    The squared Mahalanobis distance of a 2-D Gaussian stays below -2 ln(1 - p) with probability
    p; the outline is that circle through the Cholesky factor of the covariance.

    Args:
        mean: Metres. [2]
        sigma: Standard deviations along x and y, metres. [2]
        rho: Their correlation.
        points: Of the outline.

    Returns:
        Closed outline. [points, 2]
    """
    radius = math.sqrt(-2.0 * math.log(1.0 - SHARE))
    turn = np.linspace(0.0, 2.0 * math.pi, points)
    c, s = radius * np.cos(turn), radius * np.sin(turn)
    x = sigma[0] * c
    y = sigma[1] * (rho * c + math.sqrt(max(1.0 - rho * rho, 0.0)) * s)
    return np.stack([mean[0] + x, mean[1] + y], axis=1)
