"""Lines from a pipe or a pseudo terminal, as they come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

CHUNK = 65536
# A child that writes without line ends must not grow our memory: its text is cut here.
LONGEST_LINE = 1 << 20


class LineReader:
    """Hands on each line of a file descriptor, without its line end."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, fd: int, on_line: Callable[[bytes], None]
    ) -> None:
        """Start reading; the reader owns the descriptor from now on.

        Args:
            loop: Running event loop.
            fd: Readable descriptor.
            on_line: Called in the loop with each line.
        """
        self._loop = loop
        self._fd = fd
        self._on_line = on_line
        self._rest = b''
        self.ended: asyncio.Future[None] = loop.create_future()
        os.set_blocking(fd, False)
        loop.add_reader(fd, self._read)

    def close(self) -> None:
        """Hand on an unfinished line and close the descriptor."""
        if self.ended.done():
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        if self._rest:
            self._emit(self._rest)
            self._rest = b''
        self.ended.set_result(None)

    def drain(self) -> None:
        """Read what lies in the pipe now."""
        while not self.ended.done() and self._read():
            pass

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            # EIO: the last process on the other side of a pseudo terminal is gone.
            data = b''
        if not data:
            self.close()
            return False
        *lines, self._rest = (self._rest + data).split(b'\n')
        for line in lines:
            self._emit(line)
        if len(self._rest) >= LONGEST_LINE:
            self._emit(self._rest)
            self._rest = b''
        return True

    def _emit(self, line: bytes) -> None:
        self._on_line(line.removesuffix(b'\r'))
