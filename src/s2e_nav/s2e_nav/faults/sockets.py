"""Cuts a process off the network while it goes on running: the lost peer of a graph."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

PIDFD_GETFD = 438
"""Number of the system call, the same on every architecture (Linux 5.6)."""
SO_ATTACH_FILTER = 26
DROP = struct.pack('HBBI', 0x06, 0, 0, 0)
"""A packet filter of one instruction: keep 0 bytes of what comes."""


def cut_off(pid: int) -> int:
    """Let a process neither hear nor say anything over UDP any more; it is not told.

    Args:
        pid: A child, or any process for root.

    Returns:
        Sockets that were cut.

    Raises:
        OSError: This machine does not permit it.
    """
    count = 0
    with _pidfd(pid) as handle:
        for entry in Path('/proc', str(pid), 'fd').iterdir():
            with contextlib.suppress(FileNotFoundError):
                if str(entry.readlink()).startswith('socket:'):
                    count += _cut(_borrowed(handle, int(entry.name)))
    return count


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _borrowed(handle: int, number: int) -> socket.socket:
    """Return a descriptor of another process as one of our own: the same socket."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(PIDFD_GETFD, handle, number, 0)
    if fd < 0:
        code = ctypes.get_errno()
        raise OSError(code, f'pidfd_getfd: {os.strerror(code)}')
    return socket.socket(fileno=fd)


def _cut(shared: socket.socket) -> int:
    with shared:
        if shared.family not in (socket.AF_INET, socket.AF_INET6):
            return 0
        if shared.type != socket.SOCK_DGRAM:
            return 0
        code = ctypes.create_string_buffer(DROP, len(DROP))
        program = struct.pack('HP', 1, ctypes.addressof(code))
        shared.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        # Linux refuses with ENOTCONN, and marks the socket all the same: sending fails from now.
        with contextlib.suppress(OSError):
            shared.shutdown(socket.SHUT_WR)
        return 1
