"""A connection to a page, through a link that may be worse than the one at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from s2e_teleop.impairment import Impairment
from s2e_teleop.link import LinkProfile

WAITING = 512
"""Messages that may be on the way in each direction; more are lost."""
OUTBOX = 64
"""Messages that may wait for a socket that does not take them; then the page is too slow."""


class Channel:
    """Delays and loses messages both ways as the profile says, then sends and delivers them."""

    def __init__(
        self, socket: ServerConnection, link: LinkProfile, seed: np.random.SeedSequence,
        deliver: Callable[[str | bytes], None],
    ) -> None:
        """Connect.

        Args:
            socket: Open WebSocket.
            link: Profile.
            seed: Of the link's dice.
            deliver: Called with each message that arrives.
        """
        self._socket, self._deliver = socket, deliver
        self._loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue(OUTBOX)
        self._waiting = 0
        self._closing: asyncio.Future[None] | None = None
        self.bytes_sent = 0
        self._up: Impairment | None = None
        self._down: Impairment | None = None
        if not link.transparent:
            up, down = (np.random.default_rng(child) for child in seed.spawn(2))
            self._up = Impairment(link.to_robot, link.ordered, link.retransmit, up)
            self._down = Impairment(link.to_driver, link.ordered, link.retransmit, down)

    @property
    def lost(self) -> tuple[int, int]:
        """Messages lost on the way to the robot and to the driver."""
        if self._up is None or self._down is None:
            return 0, 0
        return self._up.lost, self._down.lost

    def receive(self, message: str | bytes) -> None:
        """Take a message off the socket; it is delivered when it would have arrived."""
        self._pass(self._up, message, self._deliver)

    def send(self, message: str | bytes) -> None:
        """Send a message; it is handed to the socket when it would have arrived.

        The page is closed when its socket has not taken messages for long.
        """
        self._pass(self._down, message, self._post)

    def close(self, why: str) -> None:
        """Close the connection, soon."""
        self._closing = asyncio.ensure_future(self._socket.close(1008, f'{why:.100}'))

    async def run(self) -> None:
        """Hand messages to the socket until it closes."""
        try:
            while True:
                message = await self._outbox.get()
                self.bytes_sent += len(message)
                await self._socket.send(message)
        except ConnectionClosed:
            return

    def _pass(
        self, link: Impairment | None, message: str | bytes,
        arrive: Callable[[str | bytes], None],
    ) -> None:
        if link is None:
            arrive(message)
            return
        now = self._loop.time()
        at = link.arrival(now, len(message))
        if at is None:
            return
        if self._waiting >= WAITING:
            link.lost += 1
            return
        self._waiting += 1

        def later() -> None:
            self._waiting -= 1
            arrive(message)

        self._loop.call_at(at, later)

    def _post(self, message: str | bytes) -> None:
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._socket.transport.abort()
