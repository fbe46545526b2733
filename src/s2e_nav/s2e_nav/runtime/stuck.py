"""The end of a process whose main thread does not hear that it shall stop."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

STUCK_SECONDS = 3.0
"""From a stop signal that nobody answers to the end. The main loop looks every 0.2 s, and a busy
one is ended after 1 s; the next signal of `ros2 launch`, after 5 s, would not be heard either."""
STUCK_CODE = 1
"""An end by force is an error."""
LOOK_SECONDS = 0.05
STOPS = (signal.SIGINT, signal.SIGTERM)
ERRORS = 2
"""File descriptor of the standard error: the stuck thread may hold the lock of `sys.stderr`."""


class StuckWatch:
    """Waits in a thread for signals, and for somebody to answer them.

    A handler in Python runs only when the main thread comes back to Python. While it waits in the
    middleware, on a lock that another process took along or a pipe that nobody reads, a signal is
    noted and nothing happens. The interpreter also writes the signal's number to a file
    descriptor, at once and from C; a thread that reads it needs no main thread.

    A call in C that keeps the interpreter's lock keeps this thread out too; then SIGKILL remains,
    which `ros2 launch` sends after ten seconds.

    The gate is no exception. Its inputs come by the main thread and its commands from a thread of
    its own, which 0.3 s after the inputs have ceased ramps down to zero: three seconds later that
    is over. If that thread is stuck too the gate has been silent, and the base's own time-out is
    the proof (`gate killed` and `gate frozen` of docs/safety.md). The end from here sends nothing.
    """

    def __init__(self, answered: Callable[[], bool]) -> None:
        """Begin to watch; in the main thread of the main interpreter only.

        Args:
            answered: Whether the handler has run.

        Raises:
            ValueError: Another thread.
        """
        self.name = Path(sys.argv[0]).name
        """Of the node, for the last line of its log."""
        self._answered, self._closed = answered, False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, name='stuck_watch', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Put back whoever was told of signals before, and end the thread."""
        self._closed = True
        signal.set_wakeup_fd(self._before)
        os.write(self._write, b'\0')
        self._thread.join()
        os.close(self._write)
        os.close(self._read)

    def _watch(self) -> None:
        while not self._closed:
            numbers = os.read(self._read, 256).rstrip(b'\0')
            came = [number for number in numbers if number in STOPS]
            if came and not self._wait():
                self._end(signal.Signals(came[0]).name)

    def _wait(self) -> bool:
        """Return whether somebody answers in time."""
        until = time.monotonic() + STUCK_SECONDS
        while not (self._answered() or self._closed):
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def _end(self, name: str) -> NoReturn:
        text = (
            f'error: {self.name}: the main thread has not answered {name} for '
            f'{STUCK_SECONDS:g} s; ended by force, where the threads were:\n'
        )
        with contextlib.suppress(OSError):
            # A reader that has died may be why everything stands still.
            os.set_blocking(ERRORS, False)
            os.write(ERRORS, text.encode())
        faulthandler.dump_traceback(ERRORS, all_threads=True)
        os._exit(STUCK_CODE)
