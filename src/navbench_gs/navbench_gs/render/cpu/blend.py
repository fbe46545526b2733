"""Kernels: blend the items of one tile front to back, eight pixels at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.constants import (
    MAX_ALPHA,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.cpu.binning import TILE
from navbench_gs.render.cpu.jit import kernel

LANES = 8
STRIDE = TILE + LANES
"""Row length of a plane: an unaligned group of lanes may hang over a tile's right edge."""
PLANE = STRIDE * TILE
BUFFER_SIZE = 5 * PLANE
"""Planes: light let through (negative once the pixel is finished), red, green, blue, depth."""

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_MIN_ALPHA = np.float32(MIN_ALPHA)
_MAX_ALPHA = np.float32(MAX_ALPHA)
_MIN_LIGHT = np.float32(MIN_TRANSMITTANCE)
_MEDIAN = np.float32(MEDIAN_TRANSMITTANCE)
# exp(-8 * 0.7) = 0.0037 < MIN_ALPHA: beyond this nothing is drawn whatever the opacity.
_LOWEST = np.float32(-0.7)
# Least relative error over [-0.7, 0]: 2.7e-6, so 2.2e-5 after the eighth power.
_E0 = np.float32(0.9999972581863403)
_E1 = np.float32(0.9998246431350708)
_E2 = np.float32(0.498104989528656)
_E3 = np.float32(0.15923826396465302)
_E4 = np.float32(0.029212478548288345)
_CHECK_EVERY = 64
"""Items between two looks for finished 8x8 squares; a look costs about as much as 3 items."""


@kernel
def _blend_row(
    buffer: Any,
    base: np.uint64,
    dx0: np.float32,
    k0: np.float32,
    k1: np.float32,
    k2: np.float32,
    item: Any,
) -> None:
    """Blend one item into eight neighbouring pixels of a row.

    The exponent over -8 at lane l is k0 + d (k1 + d k2) with d = dx0 + l. Everything is
    arithmetic and selection so that the loop becomes vector code; a finished pixel keeps the
    light it had, with a minus sign, and takes part in nothing further.
    """
    opacity, red, green, blue, z = item[5], item[6], item[7], item[8], item[9]
    for lane in range(np.uint64(LANES)):
        at = base + lane
        d = dx0 + np.float32(lane)
        e = max(k0 + d * (k1 + d * k2), _LOWEST)
        p = _E0 + e * (_E1 + e * (_E2 + e * (_E3 + e * _E4)))
        p = p * p
        p = p * p
        p = p * p
        alpha = min(opacity * p, _MAX_ALPHA)
        light = buffer[at]
        drawn = (alpha >= _MIN_ALPHA) & (light > _ZERO)
        weight = alpha * light
        left = light - weight
        weight = weight if drawn & (left > _MIN_LIGHT) else _ZERO
        buffer[at] = (light - weight) * (-_ONE if drawn & (left <= _MIN_LIGHT) else _ONE)
        buffer[at + np.uint64(PLANE)] += weight * red
        buffer[at + np.uint64(2 * PLANE)] += weight * green
        buffer[at + np.uint64(3 * PLANE)] += weight * blue
        passed = (weight > _ZERO) & (light > _MEDIAN) & (left <= _MEDIAN)
        buffer[at + np.uint64(4 * PLANE)] += z if passed else _ZERO


@kernel
def _blend_item(
    buffer: Any, item: Any, left: int, top: int, width: int, height: int, closed: np.uint32
) -> None:
    """Blend one item into the part of its rectangle that lies in the tile at (left, top)."""
    x0 = max(int(item[10]) - left, 0)
    x1 = min(int(item[11]) - left, width - 1)
    y0 = max(int(item[12]) - top, 0)
    y1 = min(int(item[13]) - top, height - 1)
    u = item[0] - np.float32(left) - _HALF
    v = item[1] - np.float32(top) - _HALF
    a, b, c = item[2], item[3], item[4]
    narrow = x1 - x0 < LANES
    if not narrow:
        x0 &= ~(LANES - 1)
    for y in range(y0, y1 + 1):
        dy = np.float32(y) - v
        k0 = c * dy * dy
        k1 = b * dy
        row = np.uint64(y * STRIDE)
        if narrow:
            _blend_row(buffer, row + np.uint64(x0), np.float32(x0) - u, k0, k1, a, item)
        else:
            squares = (y >> 3) * 4
            for x in range(x0, x1 + 1, LANES):
                if (closed >> np.uint32(squares + (x >> 3))) & np.uint32(1):
                    continue
                _blend_row(buffer, row + np.uint64(x), np.float32(x) - u, k0, k1, a, item)


@kernel
def _finished_squares(buffer: Any, width: int, height: int) -> np.uint32:
    """Return a bit per 8x8 square of the tile, row by row: set when all its pixels are done."""
    closed = np.uint32(0)
    for square in range(16):
        x, y = (square & 3) * 8, (square >> 2) * 8
        brightest = -_ONE
        for row in range(y, min(y + 8, height)):
            base = np.uint64(row * STRIDE + x)
            for lane in range(np.uint64(min(8, max(width - x, 0)))):
                brightest = max(brightest, buffer[base + lane])
        if brightest <= _ZERO:
            closed |= np.uint32(1) << np.uint32(square)
    return closed


@kernel
def _covered_squares(item: Any, left: int, top: int) -> np.uint32:
    """Return the bits of the 8x8 squares that the item's rectangle touches."""
    x0 = max(int(item[10]) - left, 0) >> 3
    x1 = min(int(item[11]) - left, TILE - 1) >> 3
    y0 = max(int(item[12]) - top, 0) >> 3
    y1 = min(int(item[13]) - top, TILE - 1) >> 3
    columns = (np.uint32(2) << np.uint32(x1)) - (np.uint32(1) << np.uint32(x0))
    squares = np.uint32(0)
    for row in range(y0, y1 + 1):
        squares |= columns << np.uint32(4 * row)
    return squares


@kernel
def _sort_by_depth(lists: Any, first: int, last: int, bits: Any, keys: Any) -> None:
    """Sort the item indices lists[first:last] by depth, then by index."""
    count = last - first
    for k in range(count):
        i = lists[first + k]
        keys[k] = (np.uint64(bits[i, 9]) << np.uint64(32)) | np.uint64(i)
    if count <= 32:
        for k in range(1, count):
            key = keys[k]
            at = k
            while at > 0 and keys[at - 1] > key:
                keys[at] = keys[at - 1]
                at -= 1
            keys[at] = key
    else:
        keys[:count].sort()
    for k in range(count):
        lists[first + k] = np.int32(keys[k] & np.uint64(0xFFFFFFFF))


@kernel
def blend_tile(
    items: Any,
    bits: Any,
    lists: Any,
    starts: Any,
    left: int,
    top: int,
    width: int,
    height: int,
    buffer: Any,
    keys: Any,
) -> None:
    """Draw one tile into `buffer`.

    Args:
        starts: `[buckets + 1]` where each depth bucket of this tile begins in `lists`.
        left, top: the tile's first pixel.
        width, height: the part of the tile that lies in the image, pixels.
        keys: scratch for sorting, as long as the longest bucket.

    A bucket is sorted only when light still reaches it.
    """
    buffer[:PLANE] = _ONE
    buffer[PLANE:] = _ZERO
    closed = _finished_squares(buffer, width, height)
    since = 0
    for bucket in range(len(starts) - 1):
        first, last = starts[bucket], starts[bucket + 1]
        if first == last:
            continue
        _sort_by_depth(lists, first, last, bits, keys)
        for k in range(first, last):
            item = items[lists[k]]
            if (_covered_squares(item, left, top) & ~closed) == np.uint32(0):
                continue
            _blend_item(buffer, item, left, top, width, height, closed)
            since += 1
            if since >= _CHECK_EVERY:
                since = 0
                closed = _finished_squares(buffer, width, height)
                if closed == np.uint32(0xFFFF):
                    return


@kernel
def store_tile(
    buffer: Any,
    left: int,
    top: int,
    width: int,
    height: int,
    background: Any,
    rgb: Any,
    depth: Any,
    alpha: Any,
) -> None:
    """Copy a finished tile into the frame: colour over background, median depth, coverage."""
    for y in range(height):
        for x in range(width):
            at = y * STRIDE + x
            light = abs(buffer[at])
            for channel in range(3):
                value = buffer[at + (1 + channel) * PLANE] + light * background[channel]
                value = min(max(value, _ZERO), _ONE)
                rgb[top + y, left + x, channel] = np.uint8(value * np.float32(255.0) + _HALF)
            alpha[top + y, left + x] = _ONE - light
            opaque = light <= _MEDIAN
            depth[top + y, left + x] = buffer[at + 4 * PLANE] if opaque else np.float32(np.inf)


@kernel
def blend_tiles(
    items: Any,
    bits: Any,
    lists: Any,
    starts: Any,
    buckets: int,
    tiles: Any,
    columns: int,
    buffer: Any,
    keys: Any,
    background: Any,
    rgb: Any,
    depth: Any,
    alpha: Any,
) -> None:
    """Draw the named tiles into the frame; see `blend_tile` and `store_tile`."""
    height, width = depth.shape
    for which in range(len(tiles)):
        tile = tiles[which]
        left, top = (tile % columns) * TILE, (tile // columns) * TILE
        across, down = min(TILE, width - left), min(TILE, height - top)
        own = starts[tile * buckets : (tile + 1) * buckets + 1]
        blend_tile(items, bits, lists, own, left, top, across, down, buffer, keys)
        store_tile(buffer, left, top, across, down, background, rgb, depth, alpha)
