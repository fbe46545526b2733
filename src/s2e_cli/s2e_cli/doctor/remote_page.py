"""A page in Python, a film of one colour and a robot that notes, for the self-test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from s2e_core.records import Command
from s2e_teleop.video import Picture

PATIENCE = 20.0
"""Seconds after which something counts as not coming; it normally takes milliseconds."""
SIZE = (480, 640)
COLOUR = (0, 160, 0)


class NotingRobot:
    """A `RobotPort` that notes when it was stopped, and how fast it was driven."""

    def __init__(self) -> None:
        self.halted, self.driven = 0.0, 0

    def drive(self, command: Command, age: float) -> None:
        """Note a velocity."""
        self.driven += 1

    def halt(self, why: str) -> None:
        """Note the time of a zero."""
        self.halted = time.monotonic()

    def press(self) -> None:
        """Nothing waits for it."""

    def e_stop(self, pressed: bool) -> None:
        """Nothing listens to it."""

    def rearm(self) -> None:
        """Nothing waits for it."""

    def go_to(self, u: float, v: float) -> str:
        """Refuse."""
        return 'nothing to drive'


class PythonPage:
    """The browser's part of the WebSocket."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.jpegs, self.sequence = socket, 0, 0
        self.state: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}

    async def read(self) -> None:
        """Answer pings and confirm pictures until the connection ends."""
        async for message in self.socket:
            now = time.monotonic() * 1e3
            if isinstance(message, bytes):
                self.jpegs += 1
                await self.send('shown', frame=int.from_bytes(message[4:8], 'big'), t=now)
                continue
            data = json.loads(message)
            if data['type'] == 'ping':
                await self.send('pong', id=data['id'], t=now)
            elif data['type'] == 'state':
                self.state = data
            elif data['type'] == 'answer':
                self.answer = data

    async def send(self, kind: str, **values: Any) -> None:
        """Send a message."""
        # As the page writes it: the server knows an offer by its first characters.
        await self.socket.send(json.dumps({'type': kind, **values}, separators=(',', ':')))

    def command(self, press: int) -> dict[str, Any]:
        """Return the next command, full ahead."""
        self.sequence += 1
        return {'type': 'drive', 'seq': self.sequence, 't': time.monotonic() * 1e3,
                'press': press, 'held': True, 'x': 1.0, 'y': 0.0}


@contextlib.asynccontextmanager
async def calling(page: PythonPage) -> AsyncIterator[tuple[Any, Any]]:
    """Call the server by WebRTC and yield the video track and the data channel.

    Raises:
        RuntimeError: The server refuses, or there is no connection.
    """
    import aiortc

    from s2e_teleop.link import LinkProfile
    from s2e_teleop.server.path import LinkPath
    from s2e_teleop.server.webrtc import ice

    tracks: list[Any] = []
    path = LinkPath(LinkProfile(), np.random.SeedSequence(0))
    with ice.connections_by('127.0.0.1', path):
        call = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        call.addTransceiver('video', direction='recvonly')
        channel = call.createDataChannel('commands', ordered=False, maxRetransmits=0)
        call.on('track', tracks.append)
        await call.setLocalDescription(await call.createOffer())
    try:
        await page.send('offer', sdp=call.localDescription.sdp)
        await until(lambda: bool(page.answer))
        if not page.answer['sdp']:
            raise RuntimeError(page.answer['why'])
        answer = aiortc.RTCSessionDescription(page.answer['sdp'], 'answer')
        await call.setRemoteDescription(answer)
        await until(lambda: channel.readyState == 'open' and bool(tracks))
        yield tracks[0], channel
    finally:
        await call.close()


@contextlib.asynccontextmanager
async def film(server: Any) -> AsyncIterator[None]:
    """Show pictures of one colour at 20 Hz."""
    rgb = np.empty((*SIZE, 3), np.uint8)
    rgb[:] = COLOUR

    async def run() -> None:
        for number in range(10**6):
            server.show(Picture(number, time.monotonic(), rgb=rgb))
            await asyncio.sleep(0.05)

    camera = asyncio.ensure_future(run())
    try:
        yield
    finally:
        camera.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another task does.

    Raises:
        RuntimeError: It did not come.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f'something did not come within {PATIENCE:.0f} s')
        await asyncio.sleep(0.01)
