"""Kernel: project blocks and put what may still show into lists by tile and depth.

Arrays that the kernels of an area share; the area has R x C tiles:

| name | shape | |
|---|---|---|
| `area` | [4] | first and last tile column, first and last tile row of the image |
| `light` | uint32 [R, C, LEVELS, TILE] | open pixels; see `visibility.find_open` |
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
from numpy.typing import NDArray

from navbench_gs.render.cpu.binning import TILE, TILE_BITS, tile_squares
from navbench_gs.render.cpu.jit import kernel
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.cpu.project import measure_block, project_block, write_item
from navbench_gs.render.cpu.visibility import rectangle_open

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_SHIFT = 18
"""Low bits of a depth's float32 pattern that share a bucket: 32 buckets an octave."""
_NEAREST = int(np.float32(2.0**-4).view(np.int32)) >> _SHIFT
_FARTHEST = int(np.float32(2.0**12).view(np.int32)) >> _SHIFT
BUCKETS = _FARTHEST - _NEAREST + 1
"""Depth buckets; the first and the last also take what lies nearer than 6 cm or beyond 4 km."""


@kernel
def bucket_of(pattern: int) -> int:
    """Return the bucket of a depth, given the bit pattern of its float32."""
    return min(max((pattern >> _SHIFT) - _NEAREST, 0), BUCKETS - 1)


def buckets_of(depths: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the buckets of depths `[N]` that are not negative; see `bucket_of`."""
    return np.clip((depths.view(np.int32) >> _SHIFT) - _NEAREST, 0, BUCKETS - 1)


@kernel
def _lit(x0: int, x1: int, y0: int, y1: int, area: Any, light: Any) -> bool:
    """Say whether a pixel of a rectangle lies in the area and still takes light."""
    first, last = max(x0 >> TILE_BITS, area[0]), min(x1 >> TILE_BITS, area[1])
    for row in range(max(y0 >> TILE_BITS, area[2]), min(y1 >> TILE_BITS, area[3]) + 1):
        for column in range(first, last + 1):
            left, up = column * TILE, row * TILE
            own = light[row - area[2], column - area[0]]
            if rectangle_open(own, x0 - left, x1 - left, y0 - up, y1 - up):
                return True
    return False


@kernel
def _lit_lanes(spans: Any, area: Any, light: Any, out: Any) -> int:
    """Collect the lanes of a block that touch a pixel that takes light; return how many.

    Branches that cannot be predicted cost as much as all the rest, so there are none for the nine
    in ten that lie in one tile.
    """
    count = 0
    for lane in range(BLOCK):
        x0, x1, y0, y1 = spans[0, lane], spans[1, lane], spans[2, lane], spans[3, lane]
        column, row = x0 >> TILE_BITS, y0 >> TILE_BITS
        out[count] = lane
        if (column == x1 >> TILE_BITS) & (row == y1 >> TILE_BITS):
            inside = (column >= area[0]) & (column <= area[1])
            inside &= (row >= area[2]) & (row <= area[3])
            r, c = (row - area[2], column - area[0]) if inside else (0, 0)
            left, up = column << TILE_BITS, row << TILE_BITS
            lit = rectangle_open(light[r, c], x0 - left, x1 - left, y0 - up, y1 - up)
            count += int(lit & inside)
        elif x1 >= 0:
            count += int(_lit(x0, x1, y0, y1, area, light))
    return count


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
def enlist(
    cam: Any, means: Any, covariances: Any, reach: Any, looks: Any, sh: Any, degree: int,
    blocks: Any, scratch: Any, spans: Any, lanes: Any, area: Any, light: Any, squares: Any,
    lists: Any, items: Any, patterns: Any, count: int, pairs: Any, after: Any, used: int,
) -> tuple[int, int]:
    """Project the named blocks; list every gaussian that touches a pixel that takes light.

    Records are written from `count` on, and `used` pairs are in use; there must be room for a
    pair of each gaussian with each tile; `lanes` int32 [BLOCK] is scratch. Returns `count` and
    `used` as they are now. The other arguments are as for `project.project`.
    """
    last_x, last_y, near = cam[16] - _ONE, cam[17] - _ONE, cam[18]
    for which in range(len(blocks)):
        first = blocks[which] * BLOCK
        project_block(cam, means, covariances, reach, first, scratch)
        measure_block(reach, first, last_x, last_y, near, scratch, spans)
        for k in range(_lit_lanes(spans, area, light, lanes)):
            lane = lanes[k]
            write_item(
                cam, means, reach, looks, sh, degree, scratch, spans, first + lane, lane,
                items[count],
            )
            used = _link(
                count, patterns[count, 9], spans[0, lane], spans[1, lane], spans[2, lane],
                spans[3, lane], area, squares, lists, pairs, after, used,
            )
            count += 1
    return count, used
