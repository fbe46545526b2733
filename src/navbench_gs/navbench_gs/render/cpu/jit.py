"""How this package compiles its kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar('Function', bound=Callable[..., Any])

# `nogil` lets plain Python threads share a frame, so no numba threading layer (some of which
# break in forked workers) is ever started. Fast-math without `nnan` and `ninf`: infinite depths
# and empty bounds are compared on purpose.
_OPTIONS: dict[str, Any] = {
    'nogil': True,
    'error_model': 'numpy',
    'fastmath': {'contract', 'reassoc', 'nsz', 'arcp', 'afn'},
}


def kernel(function: Function) -> Function:
    """Compile a function on its first call and keep the machine code on disk.

    numba stores it beside the source, or below the user's cache folder (or NUMBA_CACHE_DIR) in a
    read-only installation; where neither can be written the code is compiled in every process.
    """
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**_OPTIONS)(function)


def inlined(function: Function) -> Function:
    """Compile a small helper that is inlined into the kernels that call it."""
    try:
        return numba.njit(cache=True, inline='always', **_OPTIONS)(function)
    except RuntimeError:
        return numba.njit(inline='always', **_OPTIONS)(function)
