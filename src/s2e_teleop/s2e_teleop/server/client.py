"""One page that was let in: its clock, its pictures, its counts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from websockets.asyncio.server import ServerConnection

from s2e_core.errors import ContractError
from s2e_teleop.clock import ClockOffset, Sample
from s2e_teleop.journal import LinkSample
from s2e_teleop.link import LinkProfile
from s2e_teleop.protocol import Pong, Shown, Streamed, View, encode, encode_frame
from s2e_teleop.rates import TokenBucket
from s2e_teleop.server.channel import Channel
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.media import Media, PageMedia
from s2e_teleop.server.path import LinkPath
from s2e_teleop.video import Flow, Picture

QUICK_PINGS = 10
"""Pings a tenth of a second apart at the start: a good offset before the first command."""
PING_PERIOD = 0.5
SILENCE = 5.0
"""A page that answers no ping for so long is gone, seconds."""
EXCESS = 200
"""Messages past the rate that end a connection; a stalled page that catches up sends fewer."""
COPIES = 64
"""Commands that are remembered: over three seconds of them."""


class Client:
    """State of a connection on the server's side."""

    def __init__(
        self, number: int, name: str, socket: ServerConnection, config: ServerConfig,
        link: LinkProfile, seed: np.random.SeedSequence, media: Media,
        deliver: Callable[[Client, str | bytes], None],
        deliver_quick: Callable[[Client, str | bytes], None],
    ) -> None:
        """Connect; nothing is sent before `run`.

        Args:
            number: Of the page.
            name: Of the person.
            socket: Open WebSocket.
            config: Bounds.
            link: Profile that is put between.
            seed: Of the link's dice.
            media: WebRTC of the server.
            deliver: Called with each message of the socket.
            deliver_quick: Called with each message of the data channel.
        """
        self.number, self.name = number, name
        self.clock = ClockOffset()
        self.view = View(width=link.video.width)
        self.ages: deque[float] = deque(maxlen=60)
        """Ages of the newest commands, seconds."""
        self.accepted = self.refused = 0
        """Commands so far."""
        self._link = link
        self.path = LinkPath(link, seed)
        self.channel = Channel(socket, self.path, lambda message: deliver(self, message))
        self.media = PageMedia(
            media, self.channel.address, self.path, self._width,
            self.clock, lambda message: deliver_quick(self, message),
        )
        self._flow = Flow(link.video.rate)
        self._bucket = TokenBucket(config.message_rate, config.message_burst, time.monotonic())
        self._excess = 0
        self._pings: dict[int, float] = {}
        self._ping = 0
        self._answered = time.monotonic()
        self._encoding = False
        self._newest = -1
        self._numbers: deque[int] = deque(maxlen=COPIES)

    def admits(self, now: float) -> bool:
        """Whether the page may send a message now; past the rate they are dropped."""
        if self._bucket.take(now):
            return True
        self._excess += 1
        return False

    @property
    def floods(self) -> bool:
        """Whether the page has sent far too much."""
        return self._excess > EXCESS

    def copy_of_known(self, number: int) -> bool:
        """Whether a command has come before: a page sends each by every way it has."""
        known = number in self._numbers
        if not known:
            self._numbers.append(number)
        return known

    async def ping(self) -> None:
        """Ask for the page's clock until the page no longer answers."""
        while time.monotonic() - self._answered < SILENCE:
            self._ping += 1
            self._pings[self._ping] = time.monotonic()
            self.channel.send(encode('ping', id=self._ping))
            if len(self._pings) > 64:
                del self._pings[next(iter(self._pings))]
            await asyncio.sleep(0.1 if self._ping <= QUICK_PINGS else PING_PERIOD)

    def answer(self, message: Pong, now: float) -> None:
        """Take the answer to a ping; each counts once."""
        sent = self._pings.pop(message.id, None)
        if sent is not None:
            self._answered = now
            self.clock.add(Sample(sent, message.t / 1e3, now))

    def age(self, t: float, now: float) -> float:
        """Return how long ago the page's clock showed `t` milliseconds; NaN if not known."""
        return self.clock.age(t / 1e3, now) if self.clock.known else float('nan')

    def shown(self, message: Shown, now: float) -> None:
        """A picture is on the screen."""
        self._flow.shown(message.frame, message.t / 1e3 - self.clock.offset, now)

    def streamed(self, message: Streamed, now: float) -> None:
        """Pictures of the WebRTC stream are on the screen."""
        if self.clock.known:
            self.media.shown(message, now)

    def _width(self) -> int:
        return min(self.view.width, self._link.video.width)

    async def show(self, picture: Picture) -> str:
        """Send a picture unless one is under way, it was sent, or enough are unconfirmed.

        Returns:
            What is wrong with the picture, or nothing.
        """
        now = time.monotonic()
        if self._encoding or not self.view.video or picture.number <= self._newest:
            return ''
        if not self._flow.wants(now, self.clock.shortest):
            return ''
        self._encoding, self._newest = True, picture.number
        try:
            # Decoding and encoding take milliseconds that commands must not wait for.
            size = await asyncio.to_thread(
                picture.encode, self._width(), self._link.video.quality
            )
        except ContractError as error:
            return str(error)
        finally:
            self._encoding = False
        number = picture.number % 2**32
        self._flow.send(number, picture.capture, time.monotonic())
        self.channel.send(encode_frame(number, picture.capture, *size))
        return ''

    def sample(self, driver: bool, now: float) -> LinkSample:
        """Say how the link is."""
        lost_up, lost_down = self.path.lost
        # A page that gets its video by WebRTC wants no JPEGs.
        streams = self.media.active and not self.view.video
        flow = self.media.flow if streams else self._flow
        return LinkSample(
            time=now, client=self.number, driver=driver, round_trip=self.clock.round_trip,
            clock_offset=self.clock.offset, clock_uncertainty=self.clock.uncertainty,
            command_age=float(np.median(self.ages)) if self.ages else float('nan'),
            commands=self.accepted, refused=self.refused, frames_sent=flow.sent,
            frames_shown=flow.confirmed, frame_rate=flow.frame_rate(now),
            glass_to_glass=flow.glass_to_glass(), bytes_sent=self.path.bytes_sent,
            lost_up=lost_up, lost_down=lost_down,
            transport='webrtc' if streams else 'websocket',
        )
