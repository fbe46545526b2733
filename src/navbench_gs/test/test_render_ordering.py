"""Sorting the keys of a bucket: as numpy does, whatever they are, and without touching others."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from navbench_gs.render.cpu.ordering import _heap_sort, sort_keys

KEYS = st.one_of(
    st.integers(0, 2**64 - 1), st.integers(0, 3),  # anything, and many that are equal
    st.integers(2**40, 2**40 + 300),
)


def sorted_by_us(values: np.ndarray) -> np.ndarray:
    """Sort; what lies behind the keys must stay."""
    keys = np.full((2, len(values) + 3), 7, np.uint64)
    keys[0, : len(values)] = values
    sort_keys(keys, len(values), np.empty(257, np.int64))
    assert (keys[0, len(values) :] == 7).all()
    return keys[0, : len(values)]


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, max_size=600))
def test_any_keys(values):
    values = np.array(values, np.uint64)
    np.testing.assert_array_equal(sorted_by_us(values), np.sort(values))


def test_runs_that_counting_does_not_part():
    # One far key makes all others fall into one of the 256 parts: 5000 in one run.
    rng = np.random.default_rng(0)
    values = np.append(rng.integers(0, 2**20, 5000).astype(np.uint64), np.uint64(2**63))
    for order in (values, np.sort(values), np.sort(values)[::-1].copy()):
        np.testing.assert_array_equal(sorted_by_us(order), np.sort(values))


def test_a_part_alone_becomes_a_heap():
    keys = np.array([9, 5, 3, 8, 3, 1, 0], np.uint64)
    _heap_sort(keys, 1, 6)
    np.testing.assert_array_equal(keys, [9, 1, 3, 3, 5, 8, 0])
