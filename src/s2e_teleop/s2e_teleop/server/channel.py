"""The WebSocket of a page, through a link that may be worse than the one at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from s2e_teleop.server.path import LinkPath

OUTBOX = 64
"""Messages that may wait for a socket that does not take them; then the page is too slow."""


class Channel:
    """Sends and delivers messages as the path lets them through."""

    def __init__(
        self, socket: ServerConnection, path: LinkPath, deliver: Callable[[str | bytes], None]
    ) -> None:
        """Connect.

        Args:
            socket: Open WebSocket.
            path: Way to the page and back.
            deliver: Called with each message that arrives.
        """
        self._socket, self._path, self._deliver = socket, path, deliver
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue(OUTBOX)
        self._closing: asyncio.Future[None] | None = None

    @property
    def address(self) -> str:
        """This machine's address by which the page came."""
        return str(self._socket.local_address[0])

    def receive(self, message: str | bytes) -> None:
        """Take a message off the socket; it is delivered when it would have arrived."""
        self._path.to_robot(len(message), lambda: self._deliver(message))

    def send(self, message: str | bytes) -> None:
        """Send a message; it is handed to the socket when it would have arrived.

        The page is closed when its socket has not taken messages for long.
        """
        self._path.to_driver(len(message), lambda: self._post(message))

    def close(self, why: str) -> None:
        """Close the connection, soon."""
        self._closing = asyncio.ensure_future(self._socket.close(1008, f'{why:.100}'))

    async def run(self) -> None:
        """Hand messages to the socket until it closes."""
        try:
            while True:
                await self._socket.send(await self._outbox.get())
        except ConnectionClosed:
            return

    def _post(self, message: str | bytes) -> None:
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._socket.transport.abort()
