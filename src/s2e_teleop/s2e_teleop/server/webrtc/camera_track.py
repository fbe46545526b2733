"""The camera as a track of WebRTC: the newest picture, never a queue."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import time
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack
from av.video.frame import PictureType

from s2e_core.errors import ContractError
from s2e_teleop.clock import ClockOffset
from s2e_teleop.server.webrtc.resend import FAR
from s2e_teleop.stream import CLOCK_RATE, StreamFlow, ticks_of
from s2e_teleop.video import Picture

TIME_BASE = fractions.Fraction(1, CLOCK_RATE)


class CameraTrack(MediaStreamTrack):
    """Hands the encoder one picture at a time."""

    kind = 'video'

    def __init__(
        self, rate: float, width: Callable[[], int], clock: ClockOffset, flow: StreamFlow
    ) -> None:
        """Wait for pictures.

        Args:
            rate: Most pictures a second.
            width: Returns the widest picture that is of use now, pixels.
            clock: Knows how long the way there and back takes.
            flow: Told of each picture; says when the next may go.
        """
        super().__init__()
        self._gap, self._width, self._flow = 1.0 / rate, width, flow
        self._clock = clock
        self._picture: Picture | None = None
        self._fresh, self._shown = asyncio.Event(), asyncio.Event()
        self._last = 0.0
        self._ticks = 0

    def offer(self, picture: Picture) -> None:
        """Take a new picture in place of the one that waits."""
        self._picture = picture
        self._fresh.set()

    def shown(self) -> None:
        """The page has shown pictures."""
        self._shown.set()

    async def recv(self) -> av.VideoFrame:
        """Return the next picture as soon as the rate allows it."""
        while True:
            await self._fresh.wait()
            await self._turn()
            picture, self._picture = self._picture, None
            self._fresh.clear()
            frame = None if picture is None else await asyncio.to_thread(self._frame, picture)
            if frame is not None:
                self._last = time.monotonic()
                return frame

    async def _turn(self) -> None:
        """Wait until the next picture may go."""
        # As for JPEGs: a camera of the same rate must not lose every other picture.
        early = self._last + 0.9 * self._gap - time.monotonic()
        if early > 0:
            await asyncio.sleep(early)
        while not self._flow.wants(time.monotonic(), self._gap, self._clock.shortest):
            self._shown.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._shown.wait(), self._gap)

    def _frame(self, picture: Picture) -> av.VideoFrame | None:
        try:
            planes = picture.planes(self._width())
        except ContractError:
            # JPEGs of the same picture say so; here the next one is awaited.
            return None
        ticks = ticks_of(picture.capture, picture.number)
        if ticks <= self._ticks:
            return None
        self._ticks = ticks
        frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
        frame.pts, frame.time_base = ticks, TIME_BASE
        if self._clock.round_trip > FAR:
            # Each by itself: a loss costs one picture, not all until a whole one was asked for.
            frame.pict_type = PictureType.I
        self._flow.send(ticks, picture.capture, time.monotonic())
        return frame
