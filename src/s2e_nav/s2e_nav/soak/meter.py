"""What a process costs, from /proc; and how late this machine wakes whoever waits."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1e6
BEAT = 0.02
"""Seconds for which the heartbeat sleeps; how much longer it slept is the machine's delay."""


@dataclass(frozen=True)
class Usage:
    """One look at a process."""

    rss: float
    """Resident memory, MB."""
    cpu: float
    """Processor time since its start, seconds."""
    threads: int
    files: int
    """Open file descriptors."""


@dataclass(frozen=True)
class Cost:
    """A process over one row of the table."""

    rss: float
    """Median of the looks, MB."""
    cpu: float
    """Share of one core, percent."""
    threads: int
    files: int


def look_at(pid: int, proc: Path = Path('/proc')) -> Usage | None:
    """Read a process' use of the machine; None if it has ended."""
    folder = proc / str(pid)
    try:
        fields = (folder / 'stat').read_text().rsplit(')', 1)[1].split()
        pages = int((folder / 'statm').read_text().split()[1])
        files = sum(1 for _ in (folder / 'fd').iterdir())
    except (OSError, IndexError):
        return None
    ticks = int(fields[11]) + int(fields[12])
    return Usage(
        pages * os.sysconf('SC_PAGE_SIZE') / MEGABYTE, ticks / os.sysconf('SC_CLK_TCK'),
        int(fields[17]), files,
    )


class Meter:
    """Collects looks at processes until a row of the table is due."""

    def __init__(self) -> None:
        """Start without a look."""
        self._looks: dict[str, list[tuple[float, Usage]]] = {}

    def look(self, processes: Mapping[str, int], now: float) -> None:
        """Look at every process once.

        Args:
            processes: Process ids by name.
            now: Seconds, steady clock.
        """
        for name, pid in processes.items():
            usage = look_at(pid)
            if usage is None:
                continue
            looks = self._looks.setdefault(name, [])
            if looks and usage.cpu < looks[-1][1].cpu:
                # It was started again; its processor time begins anew.
                looks.clear()
            looks.append((now, usage))

    def take(self) -> dict[str, Cost]:
        """Return the cost of each process since the last call; the last look begins the next."""
        costs = {}
        for name, looks in self._looks.items():
            (first, before), (last, after) = looks[0], looks[-1]
            costs[name] = Cost(
                statistics.median(usage.rss for _, usage in looks),
                100.0 * (after.cpu - before.cpu) / max(last - first, 1e-9),
                max(usage.threads for _, usage in looks), max(u.files for _, u in looks),
            )
            del looks[:-1]
        return costs


class Heartbeat:
    """Sleeps 20 ms at a time and notes how much longer it was: the machine's own delay."""

    def __init__(self) -> None:
        """Prepare."""
        self._late: list[float] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='heartbeat', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        self._thread.join(2.0)

    def take(self) -> list[float]:
        """Return the delays since the last call, seconds."""
        with self._lock:
            late, self._late = self._late, []
        return late

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._ending.wait(BEAT):
            now = time.monotonic()
            with self._lock:
                self._late.append(max(0.0, now - begun - BEAT))
            begun = now
