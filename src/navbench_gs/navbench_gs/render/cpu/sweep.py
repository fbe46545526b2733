"""Kernels: draw an area front to back, and leave out what lies behind finished pixels.

Blocks are taken in order of their nearest point, some at a time. Before a block is projected its
rectangle is held against the pixels that still take light, and so is every gaussian before it
is listed. Then all is blended that lies before the nearest block still to come. A finished pixel
takes part in nothing further, so what is left out changes nothing, and the picture is that of
`Pipeline.draw` to the byte.

Arrays have the names that `listing` gives them; besides there are `planes`, float32 [R, C,
BUFFER_SIZE], what `blend` keeps of each tile of the area, and `keys`, scratch, uint64 [2, any].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.cpu.binning import TILE
from navbench_gs.render.cpu.blend import AHEAD, PLANE, blend_strips, store_tile
from navbench_gs.render.cpu.jit import kernel
from navbench_gs.render.cpu.listing import BUCKETS, buckets_of, enlist
from navbench_gs.render.cpu.ordering import sort_keys
from navbench_gs.render.cpu.prefetch import prefetch_row
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.cpu.visibility import block_shows, find_open, open_columns, span

SLAB = 48
"""Blocks that are projected between two rounds of blending. Measured alike: 16 to 96 at 128x128,
48 to 300 at 640x480."""
_CHECK_EVERY = 48
"""Items between two looks for finished pixels of a tile."""
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_INDEX = np.uint64(0xFFFFFFFF)
_FIXED_SLACK = np.float32(1.0e-3)
_SLACK = np.float32(1.0e-5)
"""A block's nearest point is computed in another order than its gaussians: float32 sums of parts
up to 1 km differ by 2e-4 m."""


@kernel
def start(width: int, height: int, area: Any, planes: Any, light: Any, squares: Any) -> None:
    """Open every pixel of an area that lies in the image."""
    for r in range(squares.shape[0]):
        for c in range(squares.shape[1]):
            across = min(TILE, width - (c + area[0]) * TILE)
            down = min(TILE, height - (r + area[2]) * TILE)
            buffer = planes[r, c]
            buffer[:PLANE] = -_ONE
            buffer[PLANE:] = _ZERO
            for y in range(down):
                buffer[y * TILE : y * TILE + across] = _ONE
            light[r, c] = np.uint32(0)
            squares[r, c] = find_open(buffer, down, light[r, c])


@kernel
def finish(
    width: int, height: int, area: Any, planes: Any, background: Any, rgb: Any, depth: Any,
    alpha: Any,
) -> None:
    """Copy an area's pixels into the frame."""
    for r in range(planes.shape[0]):
        for c in range(planes.shape[1]):
            left, top = (c + area[0]) * TILE, (r + area[2]) * TILE
            across, down = min(TILE, width - left), min(TILE, height - top)
            store_tile(planes[r, c], left, top, across, down, background, rgb, depth, alpha)


@kernel
def _pending(
    pairs: Any, after: Any, newest: int, squares: np.uint64, out: Any, histogram: Any
) -> int:
    """Collect the keys of a list whose squares still take light, sorted; return how many."""
    count = 0
    pair = newest
    while pair >= 0:
        out[0, count] = pairs[pair, 0]
        count += 1 if pairs[pair, 1] & squares else 0
        pair = after[pair]
    sort_keys(out, count, histogram)
    for ahead in range(count, count + AHEAD):
        out[0, ahead] = out[0, count - 1] if count else np.uint64(0)
    return count


@kernel
def _blend_item(
    buffer: Any, item: Any, left: int, top: int, width: int, height: int, light: Any,
    squares: np.uint64,
) -> bool:
    """Blend an item into a tile if one of its pixels there still takes light."""
    x0, x1 = max(int(item[10]) - left, 0), min(int(item[11]) - left, width - 1)
    y0, y1 = max(int(item[12]) - top, 0), min(int(item[13]) - top, height - 1)
    if not open_columns(light, y0, y1) & span(x0, x1):
        return False
    blend_strips(buffer, item, left, top, x0, x1, y0, y1, squares)
    return True


@kernel
def _blend_tile(
    items: Any, pairs: Any, after: Any, lists: Any, first: int, last: int, left: int, top: int,
    width: int, height: int, buffer: Any, light: Any, squares: np.uint64, keys: Any,
    histogram: Any,
) -> np.uint64:
    """Blend buckets first..last - 1 of a tile; return its 4x4 squares that still take light."""
    since = 0
    for bucket in range(first, last):
        if lists[bucket] < 0:
            continue
        count = _pending(pairs, after, lists[bucket], squares, keys, histogram)
        for k in range(count):
            prefetch_row(items, keys[0, k + AHEAD] & _INDEX)
            item = items[keys[0, k] & _INDEX]
            since += _blend_item(buffer, item, left, top, width, height, light, squares)
            if since >= _CHECK_EVERY:
                since = 0
                squares = find_open(buffer, height, light)
                if squares == np.uint64(0):
                    return squares
    return find_open(buffer, height, light) if since else squares


@kernel
def _blend_area(
    items: Any, pairs: Any, after: Any, lists: Any, first: int, last: int, area: Any, width: int,
    height: int, planes: Any, light: Any, squares: Any, keys: Any, histogram: Any,
) -> bool:
    """Blend buckets first..last - 1 of all tiles; say whether any pixel still takes light."""
    still = False
    for r in range(squares.shape[0]):
        for c in range(squares.shape[1]):
            if squares[r, c] == np.uint64(0):
                continue
            left, top = (c + area[0]) * TILE, (r + area[2]) * TILE
            across, down = min(TILE, width - left), min(TILE, height - top)
            squares[r, c] = _blend_tile(
                items, pairs, after, lists[r, c], first, last, left, top, across, down,
                planes[r, c], light[r, c], squares[r, c], keys, histogram,
            )
            still = still or squares[r, c] != np.uint64(0)
    return still


def reached(nearest: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the first bucket that a block with this nearest point may still add to. `[B]`"""
    surely = np.maximum(nearest - (_FIXED_SLACK + _SLACK * np.abs(nearest)), np.float32(0.0))
    return buckets_of(surely)


@kernel
def sweep(
    cam: Any, bounds: Any, means: Any, covariances: Any, reach: Any, looks: Any, sh: Any,
    degree: int, order: Any, reached: Any, scratch: Any, spans: Any, lanes: Any, area: Any,
    width: int, height: int, planes: Any, light: Any, squares: Any, lists: Any, items: Any,
    patterns: Any, pairs: Any, after: Any, keys: Any, chosen: Any, histogram: Any, state: Any,
) -> bool:
    """Draw a cloud, and what was listed before, into the open pixels of an area.

    `bounds` and the arrays up to `degree` are those of a `PreparedCloud`, `order` [B] its visible
    blocks, the nearest first, `reached` [B] as of the function of that name, `chosen` int32 [SLAB]
    and `histogram` int64 [257] scratch. `state` int64 [4] holds where to begin: number of blocks
    looked at, records written, pairs in use, buckets blended.

    Returns:
        False where `pairs`, `after` and `keys` must be larger before it can go on.
    """
    at, count, used, done = state
    still = True
    while still and done < BUCKETS:
        if used + SLAB * BLOCK * squares.size > len(after):
            state[0], state[1], state[2], state[3] = at, count, used, done
            return False
        taken = 0
        while at < len(order) and taken < SLAB:
            if block_shows(cam, bounds, order[at], area, squares):
                chosen[taken] = order[at]
                taken += 1
            at += 1
        count, used = enlist(
            cam, means, covariances, reach, looks, sh, degree, chosen[:taken], scratch, spans,
            lanes, area, light, squares, lists, items, patterns, count, pairs, after, used,
        )
        upto = reached[at] if at < len(order) else BUCKETS
        if upto > done:
            still = _blend_area(
                items, pairs, after, lists, done, upto, area, width, height, planes, light,
                squares, keys, histogram,
            )
            done = upto
    return True
