"""Kernels: sort items into (tile, depth bucket) lists by counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.cpu.jit import kernel

TILE_BITS = 5
TILE = 1 << TILE_BITS
"""Tile edge, pixels: five float32 planes of 32 x 40 (25 kB) stay in a 32 kB level-1 cache."""
_NEAREST = int(np.float32(1.0e-3).view(np.int32))
_FARTHEST = int(np.float32(1.0e6).view(np.int32))


def bucket_shift(tiles: int) -> int:
    """Choose how many low bits of a depth's float32 pattern share a bucket.

    More tiles mean fewer items per tile and so coarser buckets; the counters stay below 64 k,
    which a level-2 cache holds.
    """
    shift = 16
    while tiles * bucket_count(shift) > 65536 and shift < 23:
        shift += 1
    return shift


def bucket_count(shift: int) -> int:
    """Return the number of depth buckets: positive float32 patterns sort like their values."""
    return (_FARTHEST >> shift) - (_NEAREST >> shift) + 1


@kernel
def count_items(
    items: Any, bits: Any, first: int, last: int, shift: int, columns: int, counts: Any
) -> None:
    """Count the items of [first, last) per (tile, bucket) into `counts` [tiles, buckets].

    Args:
        bits: the same memory as `items`, viewed as int32.
    """
    lowest = _NEAREST >> shift
    top = counts.shape[1] - 1
    for i in range(first, last):
        bucket = min(max((bits[i, 9] >> shift) - lowest, 0), top)
        x0 = int(items[i, 10]) >> TILE_BITS
        x1 = int(items[i, 11]) >> TILE_BITS
        y0 = int(items[i, 12]) >> TILE_BITS
        y1 = int(items[i, 13]) >> TILE_BITS
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
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
def fill_lists(
    items: Any,
    bits: Any,
    first: int,
    last: int,
    shift: int,
    columns: int,
    positions: Any,
    lists: Any,
) -> None:
    """Write the index of each item of [first, last) to its lists at `positions`."""
    lowest = _NEAREST >> shift
    top = positions.shape[1] - 1
    for i in range(first, last):
        bucket = min(max((bits[i, 9] >> shift) - lowest, 0), top)
        x0 = int(items[i, 10]) >> TILE_BITS
        x1 = int(items[i, 11]) >> TILE_BITS
        y0 = int(items[i, 12]) >> TILE_BITS
        y1 = int(items[i, 13]) >> TILE_BITS
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
                tile = row * columns + column
                lists[positions[tile, bucket]] = i
                positions[tile, bucket] += 1
