"""Kernel: project blocks and put what may still show into lists by tile and depth.

Arrays that the kernels of an area share; the area has R x C tiles:

| name | shape | |
|---|---|---|
| `area` | [4] | first and last tile column, first and last tile row of the image |
| `rows` | uint32 [R, C, TILE] | pixels that still take light; see `visibility.find_open` |
| `squares` | uint64 [R, C] | 4x4 squares that do |
| `lists` | int32 [R, C, BUCKETS] | newest pair of each list, -1 where there is none |
| `items` | float32 [capacity, ITEM_SIZE] | records; see `project` |
| `patterns` | int32, as `items` | the same memory |
| `pairs` | uint64 [P, 2] | depth pattern * 2^32 + record, and its squares in the tile |
| `after` | int32 [P] | next pair of the same list, or -1 |
"""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.cpu.binning import TILE, TILE_BITS, tile_squares
from navbench_gs.render.cpu.jit import kernel
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.cpu.project import project_block, rectangle, write_item
from navbench_gs.render.cpu.visibility import rectangle_open

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_SHIFT = 19
"""Low bits of a depth's float32 pattern that share a bucket: 16 buckets an octave."""
_NEAREST = int(np.float32(2.0**-4).view(np.int32)) >> _SHIFT
_FARTHEST = int(np.float32(2.0**12).view(np.int32)) >> _SHIFT
BUCKETS = _FARTHEST - _NEAREST + 1
"""Depth buckets; the first and the last also take what lies nearer than 6 cm or beyond 4 km."""


@kernel
def bucket_of(pattern: int) -> int:
    """Return the bucket of a depth, given the bit pattern of its float32."""
    return min(max((pattern >> _SHIFT) - _NEAREST, 0), BUCKETS - 1)


@kernel
def _reaches_light(
    x0: int, x1: int, y0: int, y1: int, area: Any, rows: Any
) -> bool:
    """Say whether a pixel of a rectangle lies in the area and still takes light."""
    first, last = max(x0 >> TILE_BITS, area[0]), min(x1 >> TILE_BITS, area[1])
    for row in range(max(y0 >> TILE_BITS, area[2]), min(y1 >> TILE_BITS, area[3]) + 1):
        for column in range(first, last + 1):
            left, up = column * TILE, row * TILE
            own = rows[row - area[2], column - area[0]]
            if rectangle_open(own, x0 - left, x1 - left, y0 - up, y1 - up):
                return True
    return False


@kernel
def _link(
    index: int, pattern: int, x0: int, x1: int, y0: int, y1: int, area: Any, squares: Any,
    lists: Any, pairs: Any, after: Any, used: int,
) -> int:
    """Put an item at the head of its lists in all tiles of the area; return the new `used`."""
    bucket = bucket_of(pattern)
    key = (np.uint64(pattern) << np.uint64(32)) | np.uint64(index)
    first, last = max(x0 >> TILE_BITS, area[0]), min(x1 >> TILE_BITS, area[1])
    for row in range(max(y0 >> TILE_BITS, area[2]), min(y1 >> TILE_BITS, area[3]) + 1):
        for column in range(first, last + 1):
            left, up = column * TILE, row * TILE
            touched = tile_squares(x0 - left, x1 - left, y0 - up, y1 - up)
            r, c = row - area[2], column - area[0]
            if touched & squares[r, c]:
                pairs[used, 0] = key
                pairs[used, 1] = touched
                after[used] = lists[r, c, bucket]
                lists[r, c, bucket] = used
                used += 1
    return used


@kernel
def grown(pairs: Any, after: Any, used: int, room: int) -> tuple[Any, Any]:
    """Return arrays with space for `room` more pairs; the first `used` are kept."""
    if used + room <= len(after):
        return pairs, after
    size = 2 * used + room
    more, links = np.empty((size, 2), dtype=np.uint64), np.empty(size, dtype=np.int32)
    more[:used] = pairs[:used]
    links[:used] = after[:used]
    return more, links


@kernel
def enlist(
    cam: Any, means: Any, covariances: Any, reach: Any, looks: Any, sh: Any, degree: int,
    blocks: Any, scratch: Any, area: Any, rows: Any, squares: Any, lists: Any, items: Any,
    patterns: Any, count: int, pairs: Any, after: Any, used: int,
) -> tuple[int, Any, Any, int]:
    """Project the named blocks; list every gaussian that touches a pixel that takes light.

    Records are written from `count` on, and `used` pairs are in use. Returns both as they are
    now, with `pairs` and `after`, which may be larger arrays: `count`, `pairs`, `after`, `used`.
    The other arguments are as for `project.project`.
    """
    last_x, last_y, near = cam[16] - _ONE, cam[17] - _ONE, cam[18]
    tiles = squares.size
    for which in range(len(blocks)):
        first = blocks[which] * BLOCK
        pairs, after = grown(pairs, after, used, BLOCK * tiles)
        project_block(cam, means, covariances, reach, first, scratch)
        for lane in range(BLOCK):
            i = first + lane
            drawn, x0, x1, y0, y1 = rectangle(scratch, lane, last_x, last_y, near)
            if not drawn or reach[i] < _ZERO:
                continue
            left, right, top, bottom = int(x0), int(x1), int(y0), int(y1)
            if not _reaches_light(left, right, top, bottom, area, rows):
                continue
            write_item(
                cam, means, reach, looks, sh, degree, scratch, i, lane, x0, x1, y0, y1,
                items[count],
            )
            used = _link(
                count, patterns[count, 9], left, right, top, bottom, area, squares, lists, pairs,
                after, used,
            )
            count += 1
    return count, pairs, after, used
