"""Kernels: blend the items of one tile front to back, eight pixels at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from navbench_gs.render.constants import (
    MAX_ALPHA,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.cpu.binning import TILE, tile_squares
from navbench_gs.render.cpu.jit import kernel
from navbench_gs.render.cpu.ordering import pending
from navbench_gs.render.cpu.prefetch import prefetch_row

LANES = 8
PLANE = TILE * TILE + 16
"""Floats from plane to plane: with 16 more than a tile's, equal pixels of different planes do not
share the low 12 bits of their address, which the processor would take for a dependency."""
BUFFER_SIZE = 5 * PLANE
"""Planes: light let through (negative once the pixel is finished), red, green, blue, depth: 21 kB,
so that they stay in the level-1 cache."""

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
_FOUR = np.float32(4.0)
_MARGIN = np.float32(0.01)
"""Pixels added to an item's rows against rounding errors."""
_ROUND_UP = np.float32(0.99)
_THREE_SQUARES = np.uint64(7)
"""Eight columns touch three squares at most."""
_INDEX = np.uint64(0xFFFFFFFF)
AHEAD = 12
"""How many items ahead the cache is asked; 6 to 24 measured alike."""
_CHECK_EVERY = 128
"""Items between two looks for finished 4x4 squares; a look costs about as much as 10 items."""


@kernel
def _blend_strip(
    buffer: Any,
    item: Any,
    x: int,
    first: int,
    last: int,
    u: float,
    v: float,
    open_squares: np.uint64,
) -> None:
    """Blend one item into rows first..last of the eight columns from x.

    `u`, `v` is the item's centre in pixels of the tile, `open_squares` is shifted to the strip's
    first square. A row is arithmetic and selection only, so that it becomes vector code; a
    finished pixel keeps the light it had, with a minus sign, and takes part in nothing further.

    Rows run inside a strip, not the other way round, since a loop whose length cannot be
    predicted costs as much as four rows.
    """
    a, b, c, opacity = item[2], item[3], item[4], item[5]
    red, green, blue, z = item[6], item[7], item[8], item[9]
    dx0 = np.float32(x) - u
    for y in range(first, last + 1):
        if not (open_squares >> np.uint64((y >> 2) * 8)) & _THREE_SQUARES:
            continue
        dy = np.float32(y) - v
        k0 = c * dy * dy
        k1 = b * dy
        base = np.uint64(y * TILE + x)
        for lane in range(np.uint64(LANES)):
            at = base + lane
            d = dx0 + np.float32(lane)
            e = max(k0 + d * (k1 + d * a), _LOWEST)
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
def _edge(a: float, b: float, c: float, cut: float, dx: float, side: Any) -> float:
    """Return the y at which the exponent reaches `cut` in column dx, above (-1) or below (1)."""
    root = math.sqrt(max(b * b * dx * dx - _FOUR * c * (a * dx * dx - cut), _ZERO))
    return (b * dx + side * root) / (-c - c)


@kernel
def blend_strips(
    buffer: Any, item: Any, left: int, top: int, x0: int, x1: int, y0: int, y1: int,
    open_squares: np.uint64,
) -> None:
    """Blend one item into pixels x0..x1 of rows y0..y1 of the tile at (left, top).

    x0 must be the item's first column in the tile and x1 its last; rows may be fewer than its own.
    """
    u = item[0] - np.float32(left) - _HALF
    v = item[1] - np.float32(top) - _HALF
    strips = (x1 - x0 + LANES) // LANES
    # No strip hangs over the tile's edge; columns added at the left lie outside the item.
    origin = min(x0, TILE - strips * LANES)
    if strips == 1:
        squares = open_squares >> np.uint64(origin >> 2)
        _blend_strip(buffer, item, origin, y0, y1, u, v, squares)
        return
    # Rows that no column of a strip reaches are a third of the pixels of the rectangle.
    a, b, c, cut = item[2], item[3], item[4], item[14]
    # x of the ellipse's lowest point; its highest lies opposite.
    lowest = math.sqrt(cut / (c - b * b / (_FOUR * a))) * b / (-a - a)
    for strip in range(strips):
        x = origin + strip * LANES
        start, end = np.float32(max(x, x0)) - u, np.float32(min(x + LANES - 1, x1)) - u
        above = _edge(a, b, c, cut, min(max(-lowest, start), end), -_ONE)
        below = _edge(a, b, c, cut, min(max(lowest, start), end), _ONE)
        first = max(int(v + above + _ROUND_UP), y0)
        last = min(int(v + below + _MARGIN), y1)
        _blend_strip(buffer, item, x, first, last, u, v, open_squares >> np.uint64(x >> 2))


@kernel
def _blend_item(
    buffer: Any, item: Any, left: int, top: int, width: int, height: int, open_squares: np.uint64
) -> None:
    """Blend one item into the part of its rectangle that lies in the tile at (left, top)."""
    x0 = max(int(item[10]) - left, 0)
    x1 = min(int(item[11]) - left, width - 1)
    y0 = max(int(item[12]) - top, 0)
    y1 = min(int(item[13]) - top, height - 1)
    blend_strips(buffer, item, left, top, x0, x1, y0, y1, open_squares)


@kernel
def _open_squares(buffer: Any, height: int, peak: Any) -> np.uint64:
    """Return a bit per 4x4 square of the tile: set while any of its pixels takes light.

    `peak` is scratch `[TILE]`. Rows and columns beyond the image's edge must hold finished pixels.
    """
    found = np.uint64(0)
    for square_row in range((height + 3) >> 2):
        top = np.uint64(square_row * 4 * TILE)
        for lane in range(np.uint64(TILE)):
            at = top + lane
            upper = max(buffer[at], buffer[at + np.uint64(TILE)])
            lower = max(buffer[at + np.uint64(2 * TILE)], buffer[at + np.uint64(3 * TILE)])
            peak[lane] = max(upper, lower)
        for column in range(np.uint64(8)):
            at = column * np.uint64(4)
            left = max(peak[at], peak[at + np.uint64(1)])
            right = max(peak[at + np.uint64(2)], peak[at + np.uint64(3)])
            bit = np.uint64(1) if max(left, right) > _ZERO else np.uint64(0)
            found |= bit << (np.uint64(square_row * 8) + column)
    return found


@kernel
def blend_tile(
    items: Any,
    pairs: Any,
    starts: Any,
    left: int,
    top: int,
    width: int,
    height: int,
    buffer: Any,
    scratch: Any,
    peak: Any,
    histogram: Any,
) -> None:
    """Draw one tile into `buffer`.

    The tile's first pixel is (left, top); width x height of it lie in the image. `starts`
    [buckets + 1] says where each of its depth buckets begins in `pairs`; `scratch` is uint64
    [2, longest bucket + AHEAD], `peak` float32 [TILE] and `histogram` int64 [257].

    A bucket is looked at only while light reaches it, and only those of its items are sorted
    that touch a square with light left.
    """
    buffer[:PLANE] = -_ONE
    buffer[PLANE:] = _ZERO
    for y in range(height):
        buffer[y * TILE : y * TILE + width] = _ONE
    alive = _open_squares(buffer, height, peak)
    since = 0
    for bucket in range(len(starts) - 1):
        first, last = starts[bucket], starts[bucket + 1]
        if first == last:
            continue
        count = pending(pairs, first, last, alive, scratch, histogram)
        for k in range(count, count + AHEAD):
            scratch[0, k] = scratch[0, count - 1] if count else np.uint64(0)
        for k in range(count):
            prefetch_row(items, scratch[0, k + AHEAD] & _INDEX)
            item = items[scratch[0, k] & _INDEX]
            touched = tile_squares(
                int(item[10]) - left,
                int(item[11]) - left,
                int(item[12]) - top,
                int(item[13]) - top,
            )
            if not touched & alive:
                continue
            _blend_item(buffer, item, left, top, width, height, alive)
            since += 1
            if since >= _CHECK_EVERY:
                since = 0
                alive = _open_squares(buffer, height, peak)
                if alive == np.uint64(0):
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
            at = y * TILE + x
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
    pairs: Any,
    starts: Any,
    buckets: int,
    tiles: Any,
    columns: int,
    buffer: Any,
    scratch: Any,
    peak: Any,
    histogram: Any,
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
        blend_tile(
            items, pairs, own, left, top, across, down, buffer, scratch, peak, histogram
        )
        store_tile(buffer, left, top, across, down, background, rgb, depth, alpha)
