"""Kernels: sort items into (tile, depth bucket) lists by counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.cpu.jit import kernel

TILE_BITS = 5
TILE = 1 << TILE_BITS
"""Tile edge, pixels: five float32 planes of 32 x 40 (25 kB) stay in a 32 kB level-1 cache."""
_ROW_STARTS = np.uint64(0x0101010101010101)
_NEAREST = int(np.float32(1.0e-3).view(np.int32))
_FARTHEST = int(np.float32(1.0e6).view(np.int32))


def bucket_shift(tiles: int) -> int:
    """Choose how many low bits of a depth's float32 pattern share a bucket.

    More tiles mean fewer items per tile and so coarser buckets; the counters stay below 64 k,
    which a level-2 cache holds.
    """
    shift = 16
    while tiles * bucket_count(shift) > 16384 and shift < 23:
        shift += 1
    return shift


def bucket_count(shift: int) -> int:
    """Return the number of depth buckets: positive float32 patterns sort like their values."""
    return (_FARTHEST >> shift) - (_NEAREST >> shift) + 1


@kernel
def count_items(heads: Any, first: int, last: int, shift: int, columns: int, counts: Any) -> None:
    """Count the items of [first, last) per (tile, bucket) into `counts` [tiles, buckets]."""
    lowest = _NEAREST >> shift
    top = counts.shape[1] - 1
    for i in range(first, last):
        bucket = min(max((heads[i, 0] >> shift) - lowest, 0), top)
        across, down = heads[i, 1], heads[i, 2]
        for row in range((down & 0xFFFF) >> TILE_BITS, (down >> (16 + TILE_BITS)) + 1):
            for column in range((across & 0xFFFF) >> TILE_BITS, (across >> (16 + TILE_BITS)) + 1):
                counts[row * columns + column, bucket] += 1


@kernel
def offsets_from_counts(counts: Any, starts: Any) -> int:
    """Turn counts [threads, tiles, buckets] into write positions, in place.

    `starts` [tiles * buckets + 1] receives where each list begins; within a list the items of
    an earlier thread come first, so the order does not depend on the number of threads.
    Returns the total length.
    """
    total = 0
    threads, tiles, buckets = counts.shape
    for tile in range(tiles):
        for bucket in range(buckets):
            starts[tile * buckets + bucket] = total
            for thread in range(threads):
                held = counts[thread, tile, bucket]
                counts[thread, tile, bucket] = total
                total += held
    starts[tiles * buckets] = total
    return total


@kernel
def tile_squares(x0: int, x1: int, y0: int, y1: int) -> np.uint64:
    """Return one bit per 4x4 square of a tile that a rectangle of its pixels touches.

    Bit 8 r + c stands for square row r, column c. The rectangle (inclusive) may reach beyond
    the tile.
    """
    c0, c1 = max(x0, 0) >> 2, min(x1, TILE - 1) >> 2
    r0, r1 = max(y0, 0) >> 2, min(y1, TILE - 1) >> 2
    columns = (np.uint64(2) << np.uint64(c1)) - (np.uint64(1) << np.uint64(c0))
    # 2^(8 r1 + 8) wraps to zero for the last row, and the subtraction still comes out right.
    span = ((np.uint64(1) << np.uint64(8 * r1)) << np.uint64(8)) - (
        np.uint64(1) << np.uint64(8 * r0)
    )
    return columns * (span & _ROW_STARTS)


@kernel
def fill_lists(
    heads: Any,
    first: int,
    last: int,
    shift: int,
    columns: int,
    positions: Any,
    pairs: Any,
) -> None:
    """Write each item of [first, last) to its lists at `positions`.

    A row of `pairs` (uint64 `[P, 2]`) receives the key, depth pattern * 2^32 + item index (so
    ascending keys are front to back), and the 4x4 squares of the tile that the item may touch.
    """
    lowest = _NEAREST >> shift
    top = positions.shape[1] - 1
    for i in range(first, last):
        pattern = heads[i, 0]
        bucket = min(max((pattern >> shift) - lowest, 0), top)
        key = (np.uint64(pattern) << np.uint64(32)) | np.uint64(i)
        x0, x1 = heads[i, 1] & 0xFFFF, heads[i, 1] >> 16
        y0, y1 = heads[i, 2] & 0xFFFF, heads[i, 2] >> 16
        for row in range(y0 >> TILE_BITS, (y1 >> TILE_BITS) + 1):
            for column in range(x0 >> TILE_BITS, (x1 >> TILE_BITS) + 1):
                tile = row * columns + column
                at = positions[tile, bucket]
                left, up = column * TILE, row * TILE
                pairs[at, 0] = key
                pairs[at, 1] = tile_squares(x0 - left, x1 - left, y0 - up, y1 - up)
                positions[tile, bucket] = at + 1
