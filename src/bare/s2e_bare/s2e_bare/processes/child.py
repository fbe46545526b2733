"""One child process in a session of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from s2e_bare.processes.exits import end_group, exit_of, signal_group
from s2e_bare.processes.reader import LineReader

PR_SET_PDEATHSIG = 1
# A process that left the child's group may hold its pipes open for ever: wait this long only.
OUTPUT_GRACE = 0.5

OnLine = Callable[[int, bytes], None]

_libc = ctypes.CDLL(None) if sys.platform.startswith('linux') else None


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the launch is killed outright."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


class ChildProcess:
    """A running child: its lines go to a function, its end can be awaited.

    It leads its own session and process group. A Ctrl-C in the terminal therefore reaches the
    launch alone, which hands it on once; and signals reach the child's own children too.
    """

    def __init__(
        self,
        argv: Sequence[str] | str,
        *,
        loop: asyncio.AbstractEventLoop,
        on_line: OnLine,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        shell: bool = False,
        tty: bool = False,
    ) -> None:
        """Start the child.

        Args:
            argv: Command and arguments, or one command line where `shell` is set.
            loop: Running event loop.
            on_line: Called with 1 (stdout) or 2 (stderr) and the line without its end.
            cwd: Working directory, None for ours.
            env: Whole environment, None for ours.
            shell: Run the command line by /bin/sh.
            tty: Give the child pseudo terminals for stdout and stderr.

        Raises:
            OSError: The program or the directory does not exist or may not be used.
        """
        self._loop = loop
        pairs = [pty.openpty() if tty else os.pipe() for _ in range(2)]
        try:
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=pairs[0][1],
                stderr=pairs[1][1],
                cwd=cwd,
                env=None if env is None else dict(env),
                shell=shell,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        except BaseException:
            for near, _ in pairs:
                os.close(near)
            raise
        finally:
            for _, far in pairs:
                os.close(far)
        self.pid = self._popen.pid
        self._exit = exit_of(loop, self._popen)
        self._readers = [
            LineReader(loop, near, partial(on_line, number))
            for number, (near, _) in enumerate(pairs, start=1)
        ]

    def has_exited(self) -> bool:
        """Tell whether the child itself is gone."""
        return self._exit.done()

    def signal(self, number: int) -> bool:
        """Send a signal to the child's process group; False when nobody is left."""
        return signal_group(self.pid, number)

    def write(self, data: bytes) -> None:
        """Write to standard input; a child that closed it is no error."""
        if self._popen.stdin is None:
            return
        try:
            self._popen.stdin.write(data)
            self._popen.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    async def exited(self) -> int:
        """Wait for the child itself; -N means that signal N ended it."""
        return await asyncio.shield(self._exit)

    async def finish(self, grace: float) -> int:
        """Wait for the child, end what it left behind in its group, and read its last lines.

        Args:
            grace: Seconds that the rest of the group gets between SIGTERM and SIGKILL.
        """
        code = await self.exited()
        for reader in self._readers:
            reader.drain()
        await end_group(self._loop, self.pid, grace)
        await asyncio.wait([reader.ended for reader in self._readers], timeout=OUTPUT_GRACE)
        for reader in self._readers:
            reader.close()
        if self._popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()
        return code
