"""Tells the C library to keep memory that PyTorch frees, for the next step."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3
LARGEST = 2**31 - 1
TOP_PAD = 256 * 2**20


def keep_freed_memory() -> bool:
    """Stop glibc from giving large blocks back to the system and asking for them again.

    A step frees and asks for the same hundreds of megabytes; each time the system hands out
    zeroed pages. On two cores half the processor time of a step of `small` was the system's;
    without it a step took 0.52 s instead of 0.65 s.

    Returns:
        Whether the C library took it; False where it is not glibc, which changes nothing.
    """
    if not sys.platform.startswith('linux'):
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    settings = ((M_MMAP_THRESHOLD, LARGEST), (M_TRIM_THRESHOLD, LARGEST), (M_TOP_PAD, TOP_PAD))
    return all(mallopt(name, value) == 1 for name, value in settings)
