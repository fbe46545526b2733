"""Where WebRTC's datagrams go: one address of this machine, and through the link's profile."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import aioice
from aiortc import rtcicetransport

from s2e_teleop.server.path import LinkPath

_NEXT: ContextVar[tuple[str, LinkPath]] = ContextVar('next')


@contextlib.contextmanager
def connections_by(address: str, path: LinkPath) -> Iterator[None]:
    """Let connections that are made meanwhile use this address and this path.

    Args:
        address: Of this machine, by which the page came.
        path: Way to the page and back.
    """
    token = _NEXT.set((address, path))
    try:
        yield
    finally:
        _NEXT.reset(token)


class PathConnection(aioice.Connection):
    """An ICE connection that listens where the page came from, and nowhere else.

    aioice would listen on every address but the loopback. Checks of ICE itself take no notice of
    the link's profile; everything after them does.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take address and path from `connections_by`."""
        super().__init__(*args, **options)
        address, self._path = _NEXT.get()
        parsed = ipaddress.ip_address(address)
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        self._address = str(mapped or parsed)
        self._sending: set[asyncio.Task[None]] = set()

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[aioice.Candidate]:
        """Listen; servers of ICE are asked from every address, if any are named."""
        own = [self._address]
        if self.stun_server or self.turn_server:
            own += [address for address in addresses if address != self._address]
        return await super().get_component_candidates(component, own, timeout)

    async def send(self, data: bytes) -> None:
        """Send a datagram; it leaves when it would have arrived."""
        if self._path.transparent:
            self._path.bytes_sent += len(data)
            await super().send(data)
            return
        self._path.to_driver(len(data), lambda: self._leave(data), datagram=True)

    def data_received(self, data: bytes, component: int) -> None:
        """Take a datagram; it is delivered when it would have arrived."""
        deliver = super().data_received
        self._path.to_robot(len(data), lambda: deliver(data, component), datagram=True)

    def _leave(self, data: bytes) -> None:
        task = asyncio.ensure_future(self._send_now(data))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_now(self, data: bytes) -> None:
        # Whoever is gone meanwhile gets nothing.
        with contextlib.suppress(ConnectionError):
            await super().send(data)


def install() -> None:
    """Let aiortc make its connections so."""
    # aiortc has no parameter for it.
    vars(rtcicetransport)['Connection'] = PathConnection
