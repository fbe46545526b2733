"""Bounds how long a policy may take: one that hangs ends its episode, not the run."""

from __future__ import annotations

import contextlib
import faulthandler
import math
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

GRACE = 10.0
"""Seconds after the time is up in which a policy must let itself be interrupted."""
_AGAIN = 1.0
"""Seconds until what interrupts a policy is raised once more: it may have been caught."""


class PolicyStalledError(BaseException):
    """A policy did not answer in time; no Exception, so that a policy does not catch it."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt a block that takes longer.

    Python code, waiting for locks, sockets and sleeping are interrupted by an exception. What
    stays in native code cannot be: the process then ends after `GRACE`, telling where it hung.
    Only the main thread can be interrupted; others are not bounded.

    Args:
        seconds: Wall time the block may take; infinite or 0 for any.

    Raises:
        PolicyStalledError: it took longer.
    """
    bounded = 0.0 < seconds < math.inf
    if not bounded or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise PolicyStalledError(f'no answer for {seconds:g} s of wall time')

    before = signal.signal(signal.SIGALRM, interrupt)
    # Watches without Python's lock, which native code may hold for ever.
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=2)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
