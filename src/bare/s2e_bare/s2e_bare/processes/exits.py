"""Waiting for processes to end without polling."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from pathlib import Path

# After SIGKILL only a process in an uninterruptible system call is left; we do not wait for it.
KILL_GRACE = 1.0


def _pidfd(pid: int) -> int | None:
    """Open a descriptor that becomes readable when the process ends, where the kernel can."""
    if not hasattr(os, 'pidfd_open'):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def exit_of(
    loop: asyncio.AbstractEventLoop, child: subprocess.Popen[bytes]
) -> asyncio.Future[int]:
    """Give a future of a child's exit code; the child is reaped when it is done."""
    future: asyncio.Future[int] = loop.create_future()
    fd = _pidfd(child.pid)

    def finish() -> None:
        if fd is not None:
            loop.remove_reader(fd)
            os.close(fd)
        if not future.done():
            future.set_result(child.wait())

    if fd is not None:
        loop.add_reader(fd, finish)
    else:

        def wait() -> None:
            child.wait()
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish)

        threading.Thread(target=wait, name=f'wait-{child.pid}', daemon=True).start()
    return future


def members(group: int) -> list[int]:
    """List the living processes of a process group (zombies are not living).

    Without /proc the group's number itself stands for its members.
    """
    proc = Path('/proc')
    if not proc.is_dir():
        return [group] if _alive(group) else []
    if not _alive(group):
        return []
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / 'stat').read_text()
        except OSError:
            continue
        # The name in parentheses may hold spaces; after it come state, parent and group.
        state, _, pgrp = stat.rpartition(')')[2].split()[:3]
        if int(pgrp) == group and state not in ('Z', 'X'):
            found.append(int(entry.name))
    return found


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Some member changed its user; those that are ours have got the signal.
        return True
    return True


async def end_group(loop: asyncio.AbstractEventLoop, group: int, grace: float) -> None:
    """End what is left of a group whose leader is gone: SIGTERM, after `grace` s SIGKILL."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_GRACE)):
        left = members(group)
        if not left or not signal_group(group, number):
            return
        await _wait_all(loop, left, seconds)


async def _wait_all(loop: asyncio.AbstractEventLoop, pids: list[int], seconds: float) -> None:
    futures = []
    opened = []
    for pid in pids:
        fd = _pidfd(pid)
        if fd is None:
            continue
        future: asyncio.Future[None] = loop.create_future()
        loop.add_reader(fd, _complete, future)
        futures.append(future)
        opened.append(fd)
    try:
        if futures:
            await asyncio.wait(futures, timeout=seconds)
        elif any(_alive(pid) for pid in pids):
            await asyncio.sleep(seconds)
    finally:
        for fd in opened:
            loop.remove_reader(fd)
            os.close(fd)


def _complete(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
