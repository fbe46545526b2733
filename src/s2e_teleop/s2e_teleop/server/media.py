"""WebRTC of a server and of each page: whether there is any, and what it carries."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_teleop.clock import ClockOffset
from s2e_teleop.errors import ProtocolError
from s2e_teleop.link import LinkProfile
from s2e_teleop.protocol import Streamed
from s2e_teleop.rates import TokenBucket
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.path import LinkPath
from s2e_teleop.stream import StreamFlow
from s2e_teleop.video import Picture

if TYPE_CHECKING:
    from s2e_teleop.server.webrtc.peer import Peer

OFFERS = 4.0
"""Offers of a page that may come at once; then one in ten seconds: each makes keys and sockets."""


class Media:
    """WebRTC of a server."""

    def __init__(self, config: ServerConfig, link: LinkProfile) -> None:
        """Load aiortc, unless it is switched off or missing; takes some tenths of a second."""
        self.link, self.servers = link, config.ice()
        self._pages, self.open = config.webrtc_pages, 0
        self.why_not = 'switched off' if config.webrtc == 'off' else _load(link)
        """Why there is no WebRTC, or nothing."""

    @property
    def full(self) -> bool:
        """Whether no further page can have it."""
        return self.open >= self._pages

    def welcome(self) -> dict[str, Any]:
        """Say what a page needs to know."""
        if self.why_not:
            return {'on': False, 'why': self.why_not}
        return {'on': True, 'ice': self.servers}


class PageMedia:
    """WebRTC of one page."""

    def __init__(
        self, media: Media, address: str, path: LinkPath, width: Callable[[], int],
        clock: ClockOffset, deliver: Callable[[str | bytes], None],
    ) -> None:
        """Start without.

        Args:
            media: Of the server.
            address: This machine's, by which the page came.
            path: Way to the page and back.
            width: Returns the widest picture that is of use now, pixels.
            clock: Compares the page's with the robot's.
            deliver: Called with each message of the data channel.
        """
        self._media, self._address, self._path = media, address, path
        self._width, self._clock, self._deliver = width, clock, deliver
        self._bucket = TokenBucket(0.1, OFFERS, time.monotonic())
        self._busy = False
        self._peer: Peer | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self.flow = StreamFlow()

    def welcome(self) -> dict[str, Any]:
        """Say what the page needs to know."""
        return self._media.welcome()

    @property
    def active(self) -> bool:
        """Whether an offer was answered and has not ended."""
        return self._peer is not None

    async def answer(self, sdp: str) -> dict[str, Any] | None:
        """Answer an offer.

        Args:
            sdp: Description; empty: the page wants no more of it.

        Returns:
            Fields of the answer, or None where none is due.

        Raises:
            ProtocolError: The offer is not what the page sends.
        """
        if self._busy:
            return None
        self._busy = True
        try:
            await self.close()
            if not sdp:
                return None
            refusal = self._refusal()
            if refusal:
                return {'sdp': '', 'why': refusal}
            return {'sdp': await self._open(sdp), 'why': ''}
        finally:
            self._busy = False

    def show(self, picture: Picture) -> None:
        """Show a new picture."""
        if self._peer is not None:
            self._peer.track.offer(picture)

    def shown(self, message: Streamed, now: float) -> None:
        """Take a report of the page at this time of the robot's clock, seconds."""
        at = message.t / 1e3 - self._clock.offset
        self.flow.shown(message.rtp, message.frames, at, now)
        if self._peer is not None:
            self._peer.track.shown()

    async def close(self) -> None:
        """End it."""
        peer, self._peer = self._peer, None
        if peer is not None:
            self._media.open -= 1
            with contextlib.suppress(Exception):
                # Of no interest to anybody any more.
                await peer.close()

    def _refusal(self) -> str:
        if self._media.why_not:
            return self._media.why_not
        if self._media.full:
            return 'enough pages have WebRTC already'
        return '' if self._bucket.take(time.monotonic()) else 'too many offers: wait a while'

    async def _open(self, sdp: str) -> str:
        from s2e_teleop.server.webrtc.camera_track import CameraTrack
        from s2e_teleop.server.webrtc.peer import Peer

        self.flow = StreamFlow()
        rate = self._media.link.video.rate
        track = CameraTrack(rate, self._width, self._clock, self.flow)
        self._peer = peer = Peer(
            track, self._media.servers, self._clock, self._deliver, self._ended
        )
        self._media.open += 1
        try:
            return await peer.answer(sdp, self._address, self._path)
        except ProtocolError:
            await self.close()
            raise

    def _ended(self, peer: Peer) -> None:
        if peer is self._peer:
            task = asyncio.ensure_future(self.close())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _load(link: LinkProfile) -> str:
    try:
        from s2e_teleop.server.webrtc.peer import prepare
    except ImportError as error:
        return f'aiortc is not installed ({error})'
    prepare(link)
    return ''
