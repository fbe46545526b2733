"""Kernels: blend gaussians front to back, and the derivatives of what they blend to.

The rules are those of `navbench_gs.render.reference`. The way back walks the gaussians in the
same order as the way there and keeps, for each pixel, what the rest of its colour is worth: no
list of the gaussians that were drawn has to be stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.constants import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE
from navbench_gs.render.cpu.jit import allocating, kernel

TILE = 16
"""Tile edge, pixels."""
LANES = 8
PLANE = TILE * TILE + 16
"""Floats from plane to plane; 16 more than a tile's, so that planes do not share address bits."""

# Item record (float32): u, v, A, B, C, opacity, r, g, b;
# alpha = opacity exp(A dx^2 + B dx dy + C dy^2)^8.
ITEM_SIZE = 9
# Gradient record (float32) per entry of a tile's list: sums over the tile's pixels of
# s, s dx, s dy, s dx^2, s dx dy, s dy^2 with s = dL/d(exponent), then dL/d(r, g, b).
GRADIENT_SIZE = 9

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_MIN_ALPHA = np.float32(MIN_ALPHA)
_MAX_ALPHA = np.float32(MAX_ALPHA)
_MIN_LIGHT = np.float32(MIN_TRANSMITTANCE)
# exp(-8 * 0.7) = 0.0037 < MIN_ALPHA: beyond this nothing is drawn whatever the opacity.
_LOWEST = np.float32(-0.7)
# Polynomial for exp over [-0.7, 0]: relative error 4e-6, 3e-5 after the eighth power.
_E0, _E1, _E2, _E3, _E4 = (
    np.polynomial.Chebyshev.interpolate(np.exp, 4, [-0.7, 0.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
_CHECK_EVERY = 32
"""Items between two looks for a tile in which every pixel is finished."""


@kernel
def _open(buffer: Any) -> bool:
    """Return whether any pixel of the tile still takes light."""
    peak = -_ONE
    for at in range(np.uint64(TILE * TILE)):
        peak = max(peak, buffer[at])
    return bool(peak > _ZERO)


@kernel
def _start(buffer: Any, width: int, height: int) -> None:
    """Give light to the pixels of the tile that lie in the image."""
    buffer[:PLANE] = -_ONE
    for y in range(height):
        buffer[y * TILE : y * TILE + width] = _ONE


@kernel
def _strip_there(
    buffer: Any, item: Any, x: int, first: int, last: int, u: float, v: float
) -> None:
    """Blend one item into rows first..last of the eight columns from x; planes light, r, g, b.

    A finished pixel keeps the light it had, with a minus sign, and takes part in nothing further.
    """
    a, b, c, opacity = item[2], item[3], item[4], item[5]
    red, green, blue = item[6], item[7], item[8]
    dx0 = np.float32(x) - u
    for y in range(first, last + 1):
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


@kernel
def _strip_back(
    buffer: Any, item: Any, x: int, first: int, last: int, u: float, v: float, out: Any
) -> None:
    """Add the derivatives of eight columns to `out`; planes light, rest, dL/dr, dL/dg, dL/db.

    With g the derivative of the loss by the pixel's colour, light T before the item and
    rest = g . (colour that comes behind it): dL/dalpha = T g . c - rest / (1 - alpha).
    """
    a, b, c, opacity = item[2], item[3], item[4], item[5]
    red, green, blue = item[6], item[7], item[8]
    dx0 = np.float32(x) - u
    for y in range(first, last + 1):
        dy = np.float32(y) - v
        k0 = c * dy * dy
        k1 = b * dy
        base = np.uint64(y * TILE + x)
        s0, s1, s2 = _ZERO, _ZERO, _ZERO
        sum_r, sum_g, sum_b = _ZERO, _ZERO, _ZERO
        for lane in range(np.uint64(LANES)):
            at = base + lane
            d = dx0 + np.float32(lane)
            e = max(k0 + d * (k1 + d * a), _LOWEST)
            p = _E0 + e * (_E1 + e * (_E2 + e * (_E3 + e * _E4)))
            p = p * p
            p = p * p
            p = p * p
            full = opacity * p
            alpha = min(full, _MAX_ALPHA)
            light = buffer[at]
            drawn = (alpha >= _MIN_ALPHA) & (light > _ZERO)
            weight = alpha * light
            left = light - weight
            used = drawn & (left > _MIN_LIGHT)
            weight = weight if used else _ZERO
            buffer[at] = (light - weight) * (-_ONE if drawn & (left <= _MIN_LIGHT) else _ONE)
            by_r = buffer[at + np.uint64(2 * PLANE)]
            by_g = buffer[at + np.uint64(3 * PLANE)]
            by_b = buffer[at + np.uint64(4 * PLANE)]
            value = red * by_r + green * by_g + blue * by_b
            rest = buffer[at + np.uint64(PLANE)] - weight * value
            buffer[at + np.uint64(PLANE)] = rest
            slope = full * (light * value - rest / (_ONE - alpha))
            # A coverage that is capped does not change with anything.
            slope = slope if used & (full < _MAX_ALPHA) else _ZERO
            s0 += slope
            s1 += slope * d
            s2 += slope * d * d
            sum_r += weight * by_r
            sum_g += weight * by_g
            sum_b += weight * by_b
        out[0] += s0
        out[1] += s1
        out[2] += s0 * dy
        out[3] += s2
        out[4] += s1 * dy
        out[5] += s0 * dy * dy
        out[6] += sum_r
        out[7] += sum_g
        out[8] += sum_b


@allocating
def blend_tiles(
    items: Any, boxes: Any, starts: Any, entries: Any, tiles: Any, background: Any, image: Any,
    lights: Any,
) -> None:
    """Draw the named tiles.

    Args:
        items: float32 `[V, ITEM_SIZE]` in ascending depth.
        boxes: int32 `[V, 4]` pixels x0, x1, y0, y1, inclusive, inside the image.
        starts: int64 `[tiles + 1]` where each tile's list begins in `entries`.
        entries: int32 `[P]` indices of items, ascending within a tile.
        tiles: tiles to draw.
        background: float32 `[3]`.
        image: float32 `[H, W, 3]`, written.
        lights: float32 `[H, W]`, what is let through, written.
    """
    height, width = lights.shape
    columns = (width + TILE - 1) // TILE
    buffer = np.empty(4 * PLANE, dtype=np.float32)
    for tile in tiles:
        left, top = (tile % columns) * TILE, (tile // columns) * TILE
        across, down = min(TILE, width - left), min(TILE, height - top)
        _start(buffer, across, down)
        buffer[PLANE:] = _ZERO
        for entry in range(starts[tile], starts[tile + 1]):
            if (entry - starts[tile]) % _CHECK_EVERY == _CHECK_EVERY - 1 and not _open(buffer):
                break
            item, box = items[entries[entry]], boxes[entries[entry]]
            x0, x1 = max(box[0] - left, 0), min(box[1] - left, across - 1)
            y0, y1 = max(box[2] - top, 0), min(box[3] - top, down - 1)
            strips = (x1 - x0 + LANES) // LANES
            # No strip hangs over the tile's edge; columns added at the left are too faint.
            x = min(x0, TILE - strips * LANES)
            u = item[0] - np.float32(left) - _HALF
            v = item[1] - np.float32(top) - _HALF
            for strip in range(strips):
                _strip_there(buffer, item, x + strip * LANES, y0, y1, u, v)
        for y in range(down):
            for x in range(across):
                at = y * TILE + x
                light = abs(buffer[at])
                lights[top + y, left + x] = light
                for channel in range(3):
                    colour = buffer[at + (1 + channel) * PLANE] + light * background[channel]
                    image[top + y, left + x, channel] = colour


@allocating
def blend_tiles_back(
    items: Any, boxes: Any, starts: Any, entries: Any, tiles: Any, image: Any, slopes: Any,
    out: Any,
) -> None:
    """Write the derivatives of the named tiles, one record for each entry of their lists.

    Args:
        items: as `blend_tiles`.
        boxes: as `blend_tiles`.
        starts: as `blend_tiles`.
        entries: as `blend_tiles`.
        tiles: tiles to walk.
        image: float32 `[H, W, 3]` that `blend_tiles` drew.
        slopes: float32 `[H, W, 3]` derivative of the loss by the image.
        out: float32 `[P, GRADIENT_SIZE]`, zero; written.
    """
    height, width = image.shape[:2]
    columns = (width + TILE - 1) // TILE
    buffer = np.zeros(5 * PLANE, dtype=np.float32)
    for tile in tiles:
        left, top = (tile % columns) * TILE, (tile // columns) * TILE
        across, down = min(TILE, width - left), min(TILE, height - top)
        _start(buffer, across, down)
        for y in range(down):
            for x in range(across):
                at = y * TILE + x
                rest = _ZERO
                for channel in range(3):
                    slope = slopes[top + y, left + x, channel]
                    buffer[at + (2 + channel) * PLANE] = slope
                    rest += slope * image[top + y, left + x, channel]
                buffer[at + PLANE] = rest
        for entry in range(starts[tile], starts[tile + 1]):
            if (entry - starts[tile]) % _CHECK_EVERY == _CHECK_EVERY - 1 and not _open(buffer):
                break
            item, box = items[entries[entry]], boxes[entries[entry]]
            x0, x1 = max(box[0] - left, 0), min(box[1] - left, across - 1)
            y0, y1 = max(box[2] - top, 0), min(box[3] - top, down - 1)
            strips = (x1 - x0 + LANES) // LANES
            x = min(x0, TILE - strips * LANES)
            u = item[0] - np.float32(left) - _HALF
            v = item[1] - np.float32(top) - _HALF
            for strip in range(strips):
                _strip_back(buffer, item, x + strip * LANES, y0, y1, u, v, out[entry])


@kernel
def count_entries(boxes: Any, columns: int, counts: Any) -> None:
    """Count the items that touch each tile into `counts` int64 `[tiles]`, which is zero."""
    for i in range(len(boxes)):
        for row in range(boxes[i, 2] // TILE, boxes[i, 3] // TILE + 1):
            for column in range(boxes[i, 0] // TILE, boxes[i, 1] // TILE + 1):
                counts[row * columns + column] += 1


@kernel
def fill_entries(boxes: Any, columns: int, positions: Any, entries: Any) -> None:
    """Write each item to the lists of its tiles; `positions` holds where each list goes on."""
    for i in range(len(boxes)):
        for row in range(boxes[i, 2] // TILE, boxes[i, 3] // TILE + 1):
            for column in range(boxes[i, 0] // TILE, boxes[i, 1] // TILE + 1):
                tile = row * columns + column
                entries[positions[tile]] = i
                positions[tile] += 1


@kernel
def gather(entries: Any, records: Any, out: Any) -> None:
    """Add the records of all tiles per item, in the order of tiles: `out` `[V, GRADIENT_SIZE]`."""
    for entry in range(len(entries)):
        for k in range(GRADIENT_SIZE):
            out[entries[entry], k] += records[entry, k]
