"""How this package compiles its kernels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from navbench_gs.render import constants
from navbench_gs.splats import harmonics

Function = TypeVar('Function', bound=Callable[..., Any])

# `nogil` lets plain Python threads share a frame, so no numba threading layer (some of which
# break in forked workers) is ever started. Fast-math without `nnan` and `ninf`: infinite depths
# and empty bounds are compared on purpose.
_OPTIONS: dict[str, Any] = {
    'nogil': True,
    'error_model': 'numpy',
    'fastmath': {'contract', 'reassoc', 'nsz', 'arcp', 'afn'},
}
# numba counts references to an array whenever a part of it is taken or it is handed to another
# function, with atomic instructions: of the 64 ns to project a gaussian they took 50.
_UNCOUNTED: dict[str, Any] = {**_OPTIONS, '_nrt': False}


def _digest() -> str:
    """Hash every source whose code or constants are compiled into a kernel."""
    folder = Path(__file__).parent
    sources = sorted(path for path in folder.glob('*.py') if path.name != 'renderer.py')
    sources += [Path(module.__file__ or '') for module in (constants, harmonics)]
    return hashlib.sha256(b''.join(path.read_bytes() for path in sources)).hexdigest()


_DIGEST = _digest()


def kernel(function: Function) -> Function:
    """Compile a function on its first call and keep the machine code on disk.

    It may not make arrays: all memory is its caller's. See `allocating`.

    numba stores it beside the source, or below the user's cache folder (or NUMBA_CACHE_DIR) in a
    read-only installation; where neither can be written the code is compiled in every process.
    """
    return _compiled(function, _UNCOUNTED)


def allocating(function: Function) -> Function:
    """Compile a function that makes arrays of its own; as `kernel` otherwise."""
    return _compiled(function, _OPTIONS)


def _compiled(function: Function, options: dict[str, Any]) -> Function:
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
    # numba takes stored code for current while its own source file is unchanged, though it holds
    # constants and helpers of other files: a block size edited elsewhere once overran a buffer.
    files: Any = getattr(getattr(dispatcher, '_cache', None), '_cache_file', None)
    if hasattr(files, '_source_stamp'):
        files._source_stamp = (files._source_stamp, _DIGEST)
    return dispatcher
