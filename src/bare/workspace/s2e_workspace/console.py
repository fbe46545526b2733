"""Progress lines of the builder: what runs, how long it took, where its output went."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Console:
    """Writes one line per step, with the seconds it took.

    On a terminal a line counts up while steps run; in a log file a step that takes longer
    than `heartbeat` seconds says so, so that a slow download does not look like a hang.
    """

    def __init__(self, stream: TextIO | None = None, heartbeat: float = 30.0) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._heartbeat = heartbeat
        self._lock = threading.Lock()
        self._active: dict[str, float] = {}

    def note(self, text: str) -> None:
        """Print a plain line."""
        with self._lock:
            self._stream.write(text + '\n')
            self._stream.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time a step; prints `title ... 3.2 s`, or `failed` when it raises."""
        start = time.monotonic()
        done = threading.Event()
        with self._lock:
            self._active[title] = start
        ticker = threading.Thread(target=self._tick, args=(title, start, done), daemon=True)
        ticker.start()
        outcome = 'failed after '
        try:
            yield
            outcome = ''
        finally:
            done.set()
            ticker.join()
            with self._lock:
                del self._active[title]
            clear = '\r\x1b[K' if self._stream.isatty() else ''
            self.note(f'{clear}  {title:<58s} {outcome}{time.monotonic() - start:.1f} s')

    def _tick(self, title: str, start: float, done: threading.Event) -> None:
        terminal = self._stream.isatty()
        while not done.wait(1.0 if terminal else self._heartbeat):
            elapsed = time.monotonic() - start
            with self._lock:
                if terminal:  # steps may run side by side, but there is one line
                    now = time.monotonic()
                    line = ', '.join(f'{t} {now - s:.0f} s' for t, s in self._active.items())
                    self._stream.write(f'\r\x1b[K  {line} ...')
                else:
                    self._stream.write(f'  {title}: still running, {elapsed:.0f} s\n')
                self._stream.flush()
