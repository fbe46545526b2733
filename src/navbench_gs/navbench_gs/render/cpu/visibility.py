"""Kernels: where light still gets through, and whether a block or an item reaches it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from navbench_gs.render.cpu.binning import TILE, TILE_BITS, tile_squares
from navbench_gs.render.cpu.bits import positive_bits
from navbench_gs.render.cpu.jit import kernel

LEVELS = 6
"""Lengths of ranges of rows, powers of two up to a tile's 32."""
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_SLACK = np.float32(0.5)
"""Pixels by which a block's rectangle is widened against rounding: a float32 loses 0.1 px at a
focal length of 1,000 px and 100 m."""
_WIDER = np.float32(1.001)
_CLOSE = np.float32(0.2)
"""Blocks that come nearer to the camera's plane than this are taken to fill the view, metres."""


@kernel
def find_open(buffer: Any, height: int, light: Any) -> np.uint64:
    """Note the pixels of a tile that still take light.

    Args:
        buffer: planes of the tile; see `blend`.
        height: rows of it that lie in the image; those of `light` beyond must be zero.
        light: uint32 [LEVELS, TILE], written: bit x of [k, y] is set while any of the 2^k pixels
            of column x from row y down takes light.

    Returns:
        One bit per 4x4 square, as of `tile_squares`.
    """
    for y in range(height):
        light[0, y] = positive_bits(buffer, y * TILE)
    for level in range(1, LEVELS):
        step = 1 << (level - 1)
        for y in range(TILE - 2 * step + 1):
            light[level, y] = light[level - 1, y] | light[level - 1, y + step]
    found = np.uint64(0)
    for square_row in range(TILE >> 2):
        bits = light[2, square_row * 4]
        bits |= bits >> np.uint32(2)
        bits = (bits | (bits >> np.uint32(1))) & np.uint32(0x11111111)
        # Pack every fourth bit into a byte.
        bits = (bits | (bits >> np.uint32(3))) & np.uint32(0x03030303)
        bits = (bits | (bits >> np.uint32(6))) & np.uint32(0x000F000F)
        bits = (bits | (bits >> np.uint32(12))) & np.uint32(0x000000FF)
        found |= np.uint64(bits) << np.uint64(square_row * 8)
    return found


@kernel
def open_columns(light: Any, first: int, last: int) -> np.uint32:
    """Return the columns of a tile in which rows first..last (inside it) hold an open pixel.

    Two ranges of rows, as long as a power of two, cover every other: no loop, no branch.
    """
    rows = last - first + 1
    level = int(rows > 1) + int(rows > 3) + int(rows > 7) + int(rows > 15) + int(rows > 31)
    return light[level, first] | light[level, last - (1 << level) + 1]


@kernel
def span(x0: int, x1: int) -> np.uint32:
    """Return the bits of columns x0..x1 of a tile; the range may reach beyond it."""
    first, last = max(x0, 0), min(x1, TILE - 1)
    return np.uint32((np.uint64(2) << np.uint64(last)) - (np.uint64(1) << np.uint64(first)))


@kernel
def rectangle_open(light: Any, x0: int, x1: int, y0: int, y1: int) -> bool:
    """Say whether a rectangle of a tile's pixels (inclusive) holds one that takes light."""
    columns = open_columns(light, max(y0, 0), min(y1, TILE - 1))
    return (columns & span(x0, x1)) != np.uint32(0)


@kernel
def _stretch(tangent: float) -> float:
    """Bound on |row of the projection's Jacobian| z / f where |x / z| is at most `tangent`."""
    return math.sqrt(_ONE + tangent * tangent)


@kernel
def block_rectangle(cam: Any, bounds: Any, block: int) -> tuple[int, int, int, int]:
    """Return x0, x1, y0, y1 (inclusive, empty if x0 > x1) that hold all items of a block.

    x / z and y / z of a box in front of the camera are extreme at its corners. A gaussian is at
    most sqrt(reach (s^2 |a|^2 + 0.3)) pixels wide to each side, where a, the gradient of its pixel
    coordinate, has the length f / z sqrt(1 + (x / z)^2).
    """
    dx, dy, dz = bounds[block, 0] - cam[9], bounds[block, 1] - cam[10], bounds[block, 2] - cam[11]
    wide, deep = bounds[block, 3] - bounds[block, 0], bounds[block, 4] - bounds[block, 1]
    tall = bounds[block, 5] - bounds[block, 2]
    x = cam[0] * dx + cam[1] * dy + cam[2] * dz
    y = cam[3] * dx + cam[4] * dy + cam[5] * dz
    z = cam[6] * dx + cam[7] * dy + cam[8] * dz
    left, top = np.float32(np.inf), np.float32(np.inf)
    right, bottom, nearest = -left, -left, np.float32(np.inf)
    for corner in range(8):
        cx, cy, cz = x, y, z
        for bit, edge in ((0, wide), (1, deep), (2, tall)):
            if corner & (1 << bit):
                cx += cam[bit] * edge
                cy += cam[3 + bit] * edge
                cz += cam[6 + bit] * edge
        inverse = _ONE / cz
        left, right = min(left, cx * inverse), max(right, cx * inverse)
        top, bottom = min(top, cy * inverse), max(bottom, cy * inverse)
        nearest = min(nearest, cz)
    last_x, last_y = cam[16] - _ONE, cam[17] - _ONE
    if nearest < _CLOSE:
        return 0, int(last_x), 0, int(last_y)
    reach = bounds[block, 6] / nearest * _WIDER
    # Tangents are clamped where the projection is linearised.
    aside = min(max(-left, right), max(-cam[19], cam[20]))
    above = min(max(-top, bottom), max(-cam[21], cam[22]))
    grow_x = reach * cam[12] * _stretch(aside) + cam[23] + _SLACK
    grow_y = reach * cam[13] * _stretch(above) + cam[23] + _SLACK
    return (
        int(min(max(cam[12] * left + cam[14] - grow_x, _ZERO), cam[16])),
        int(max(min(cam[12] * right + cam[14] + grow_x, last_x), -_ONE)),
        int(min(max(cam[13] * top + cam[15] - grow_y, _ZERO), cam[17])),
        int(max(min(cam[13] * bottom + cam[15] + grow_y, last_y), -_ONE)),
    )


@kernel
def block_shows(cam: Any, bounds: Any, block: int, area: Any, squares: Any) -> bool:
    """Say whether a block may reach a 4x4 square that still takes light.

    `area` [4]: first and last tile column, first and last tile row; `squares` uint64
    [rows, columns] of its tiles.
    """
    x0, x1, y0, y1 = block_rectangle(cam, bounds, block)
    first, last = max(x0 >> TILE_BITS, area[0]), min(x1 >> TILE_BITS, area[1])
    for row in range(max(y0 >> TILE_BITS, area[2]), min(y1 >> TILE_BITS, area[3]) + 1):
        for column in range(first, last + 1):
            still = squares[row - area[2], column - area[0]]
            if still == np.uint64(0):
                continue
            left, up = column * TILE, row * TILE
            if still & tile_squares(x0 - left, x1 - left, y0 - up, y1 - up):
                return True
    return False
