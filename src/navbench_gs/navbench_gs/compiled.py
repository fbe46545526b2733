"""How numeric loops outside the renderer are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar('Function', bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function on its first call and keep the machine code on disk.

    Without fast-math: results must not depend on how a compiler orders sums. Where neither the
    source's folder nor the user's cache can be written, every process compiles anew.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)
