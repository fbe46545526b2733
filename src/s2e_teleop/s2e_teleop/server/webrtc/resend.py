"""How often a lost datagram of the video is sent again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from aiortc import RTCRtpSender

from s2e_teleop.clock import ClockOffset

LEAST = 0.05
"""Near by, a page may ask again after so long, seconds."""
FAR = 0.15
"""Past so long a round trip nothing is sent again: every picture is whole, the next is sooner."""
REMEMBERED = 128
"""Datagrams; aiortc keeps as many to send again."""


class Resend:
    """Sends a lost datagram once per round trip, however often a page asks.

    A browser that only receives does not know how far the sender is: it asks every 100 ms. On a
    link of half a second that makes five copies of each loss, and a narrow link drowns in them.
    """

    def __init__(self, sender: RTCRtpSender, clock: ClockOffset) -> None:
        """Stand between the sender and what pages ask of it.

        Args:
            sender: Of the video.
            clock: Knows how long the way there and back takes.
        """
        self._resend: Callable[[int], Awaitable[None]] = sender._retransmit
        self._clock = clock
        self._sent: OrderedDict[int, float] = OrderedDict()
        vars(sender)['_retransmit'] = self

    async def __call__(self, number: int) -> None:
        """Send the datagram of this number again, unless a copy is on its way or comes late."""
        now = time.monotonic()
        wait = max(LEAST, self._clock.round_trip)
        if wait > FAR or now - self._sent.get(number, float('-inf')) < wait:
            return
        self._sent[number] = now
        self._sent.move_to_end(number)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        await self._resend(number)
