"""Kernels: bring the items of one depth bucket into order, those that still matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from navbench_gs.render.cpu.jit import kernel


@kernel
def _insertion_sort(keys: Any, first: int, last: int) -> None:
    """Sort keys[first:last] ascending; meant for a few dozen."""
    for k in range(first + 1, last):
        key = keys[k]
        at = k
        while at > first and keys[at - 1] > key:
            keys[at] = keys[at - 1]
            at -= 1
        keys[at] = key


@kernel
def _sift(keys: Any, first: int, root: int, count: int) -> None:
    """Let the key at `root` of a heap keys[first : first + count] sink to its place."""
    key = keys[first + root]
    child = 2 * root + 1
    while child < count:
        if child + 1 < count and keys[first + child] < keys[first + child + 1]:
            child += 1
        if keys[first + child] <= key:
            break
        keys[first + root] = keys[first + child]
        root = child
        child = 2 * root + 1
    keys[first + root] = key


@kernel
def _heap_sort(keys: Any, first: int, last: int) -> None:
    """Sort keys[first:last] ascending; slower than the others, but never slow."""
    count = last - first
    for root in range(count // 2 - 1, -1, -1):
        _sift(keys, first, root, count)
    for end in range(count - 1, 0, -1):
        keys[first], keys[first + end] = keys[first + end], keys[first]
        _sift(keys, first, 0, end)


@kernel
def _sort(keys: Any, count: int, spare: Any, histogram: Any) -> None:
    """Sort keys[:count] ascending, with `spare` as long again and `histogram` [257].

    One counting pass over 256 equal parts of the range leaves runs of a few keys for insertion:
    3 times as fast as quicksort at 250 keys. Runs that stay long (equal depths, outliers) become
    heaps.
    """
    low, high = keys[0], keys[0]
    for k in range(1, count):
        low = min(low, keys[k])
        high = max(high, keys[k])
    shift = np.uint64(0)
    while ((high - low) >> shift) > np.uint64(255):
        shift += np.uint64(1)
    histogram[:] = 0
    for k in range(count):
        histogram[((keys[k] - low) >> shift) + np.uint64(1)] += 1
    for part in range(256):
        histogram[part + 1] += histogram[part]
    for k in range(count):
        part = (keys[k] - low) >> shift
        spare[histogram[part]] = keys[k]
        histogram[part] += 1
    for k in range(count):
        keys[k] = spare[k]
    start = 0
    for part in range(256):
        end = histogram[part]
        if end - start > 64:
            _heap_sort(keys, start, end)
        else:
            _insertion_sort(keys, start, end)
        start = end


@kernel
def sort_keys(keys: Any, count: int, histogram: Any) -> None:
    """Sort the first `count` of keys[0] ascending; keys[1] is scratch, `histogram` [257]."""
    if count > 24:
        _sort(keys[0], count, keys[1], histogram)
    else:
        _insertion_sort(keys[0], 0, count)


@kernel
def pending(pairs: Any, first: int, last: int, alive: np.uint64, out: Any, histogram: Any) -> int:
    """Collect the keys of a bucket whose squares still take light, sorted; return how many.

    `out` [2, longest bucket]: the first row receives the keys, the second is scratch.
    """
    count = 0
    for k in range(first, last):
        out[0, count] = pairs[k, 0]
        count += 1 if pairs[k, 1] & alive else 0
    sort_keys(out, count, histogram)
    return count
