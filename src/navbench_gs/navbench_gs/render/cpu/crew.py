"""Plain Python threads that share the work of a frame."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Crew:
    """A few worker threads, started when there is work for more than one."""

    def __init__(self, threads: int) -> None:
        """Take the number of threads."""
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def run(self, task: Callable[[int], None], count: int) -> None:
        """Call task(0..count - 1), on the worker threads when there are several."""
        if self.threads == 1 or count == 1:
            for index in range(count):
                task(index)
            return
        if self._pool is None or self._process != os.getpid():
            # After a fork the pool's threads exist in the parent only.
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix='splat')
            self._process = os.getpid()
        list(self._pool.map(task, range(count)))
