"""How large a difference between two drivers is, over the drives that both made."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def cohens_d(differences: NDArray[np.floating]) -> float:
    """Return the mean difference in its own standard deviations (Cohen 1988, d_z).

    Args:
        differences: One for each pair. [N]

    Returns:
        NaN for fewer than two pairs; 0 where all are 0, infinite where all are equal but not 0.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return math.nan
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation == 0.0:
        return 0.0 if mean == 0.0 else math.copysign(math.inf, mean)
    return mean / deviation


def win_share(differences: NDArray[np.floating]) -> float:
    """Return the share of pairs in which the second driver has more; ties count half. [N]"""
    values = np.asarray(differences, np.float64)
    if not len(values):
        return math.nan
    return float(((values > 0.0) + 0.5 * (values == 0.0)).mean())
