"""Memory that the kernels write to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def aligned(rows: int, columns: int) -> NDArray[np.float32]:
    """Return a zeroed float32 array whose memory starts on a 64-byte cache line."""
    raw = np.zeros(rows * columns + 16, dtype=np.float32)
    shift = -raw.ctypes.data % 64 // raw.itemsize
    return raw[shift : shift + rows * columns].reshape(rows, columns)
