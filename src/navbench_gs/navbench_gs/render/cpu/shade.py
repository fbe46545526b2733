"""Kernel: the colour of a gaussian seen from one direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from navbench_gs.render.cpu.jit import kernel
from navbench_gs.splats import harmonics

_C0 = np.float32(harmonics.C0)
_C1 = np.float32(harmonics.C1)
_C2 = tuple(np.float32(value) for value in harmonics.C2)
_C3 = tuple(np.float32(value) for value in harmonics.C3)
_HALF = np.float32(0.5)
_RED = 6
"""Index of the red channel in an item record."""


@kernel
def shade(dx: float, dy: float, dz: float, sh: Any, degree: int, item: Any) -> None:
    """Write the colour of coefficients `sh` [K, 3] seen along (dx, dy, dz) to `item[6:9]`.

    Same basis as `splats.harmonics.basis`; negative colours are cut at zero.
    """
    inverse = np.float32(1.0) / math.sqrt(dx * dx + dy * dy + dz * dz)
    x, y, z = dx * inverse, dy * inverse, dz * inverse
    xx, yy, zz = x * x, y * y, z * z
    for channel in range(3):
        value = _HALF + _C0 * sh[0, channel]
        value += _C1 * (z * sh[2, channel] - y * sh[1, channel] - x * sh[3, channel])
        if degree > 1:
            value += _C2[0] * x * y * sh[4, channel] + _C2[1] * y * z * sh[5, channel]
            value += _C2[2] * (zz + zz - xx - yy) * sh[6, channel]
            value += _C2[3] * x * z * sh[7, channel] + _C2[4] * (xx - yy) * sh[8, channel]
        if degree > 2:
            level = np.float32(4.0) * zz - xx - yy
            value += _C3[0] * y * (np.float32(3.0) * xx - yy) * sh[9, channel]
            value += _C3[1] * x * y * z * sh[10, channel] + _C3[2] * y * level * sh[11, channel]
            value += _C3[3] * z * (zz + zz - np.float32(3.0) * (xx + yy)) * sh[12, channel]
            value += _C3[4] * x * level * sh[13, channel]
            value += _C3[5] * z * (xx - yy) * sh[14, channel]
            value += _C3[6] * x * (xx - np.float32(3.0) * yy) * sh[15, channel]
        item[_RED + channel] = max(value, np.float32(0.0))
