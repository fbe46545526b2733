"""Python, processors, memory and disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from s2e_cli.doctor.check import Check

GROUP = 'machine'
DISK_NEEDED = 2 * 2**30  # the runtime environment takes 1.3 GB, a run with films under 0.1
MEMORY_NEEDED = 4 * 2**30
CORES_WANTED = 2


def checks() -> Iterator[Check]:
    """Look at the machine itself."""
    yield python_check(sys.version_info[:3], sys.prefix)
    cores = len(os.sched_getaffinity(0))
    fix = 'expect less than real time' if cores < CORES_WANTED else ''
    detail = f'{cores} usable, {platform.machine()}'
    yield Check(GROUP, 'processors', 'warn' if fix else 'ok', detail, fix)
    yield memory_check(_memory())
    yield disk_check(shutil.disk_usage(Path.cwd()).free, str(Path.cwd()))


def python_check(version: tuple[int, ...], prefix: str) -> Check:
    """Judge the interpreter's version."""
    text = '.'.join(str(part) for part in version[:3])
    if (3, 10) <= version[:2] <= (3, 13):
        return Check(GROUP, 'Python', 'ok', f'{text} in {prefix}')
    return Check(GROUP, 'Python', 'warn', f'{text} in {prefix}', 'use Python 3.10 to 3.13')


def memory_check(total: int | None) -> Check:
    """Judge the machine's memory in bytes; None when it is not known."""
    if total is None:
        return Check(GROUP, 'memory', 'ok', 'unknown')
    detail = f'{total / 2**30:.1f} GiB'
    if total < MEMORY_NEEDED:
        return Check(GROUP, 'memory', 'warn', detail, 'real captures need 4 GiB; use small scenes')
    return Check(GROUP, 'memory', 'ok', detail)


def disk_check(free: int, folder: str) -> Check:
    """Judge the free disk space in bytes."""
    detail = f'{free / 2**30:.1f} GiB free in {folder}'
    if free < DISK_NEEDED:
        return Check(GROUP, 'disk', 'warn', detail, 'recordings and scenes need 2 GiB: make room')
    return Check(GROUP, 'disk', 'ok', detail)


def _memory() -> int | None:
    try:
        return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    except (ValueError, OSError):
        return None
