"""The smallest-three code of unit quaternions, which several splat formats share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST_THREE = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Components that are stored when component 0..3 (wxyz) is the largest."""


def unpack_smallest_three(
    three: NDArray[np.floating], largest: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return quaternions `[N, 4]` (wxyz) from their three smaller components.

    Args:
        three: `[N, 3]` in the order of `SMALLEST_THREE`, within +-1/sqrt(2).
        largest: `[N]` index of the component left out, which is positive.
    """
    quats = np.empty((len(three), 4))
    rows = np.arange(len(three))
    quats[rows[:, None], SMALLEST_THREE[largest]] = three
    quats[rows, largest] = np.sqrt(np.maximum(0.0, 1.0 - (three * three).sum(axis=1)))
    return quats
