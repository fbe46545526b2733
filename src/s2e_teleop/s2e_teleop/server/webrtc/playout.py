"""Tell the browser to show each picture as soon as it is whole.

A browser holds video back to play it evenly, for 20 ms near by and some hundreds on a poor link.
A header extension of RTP with a delay of zero ends that:
webrtc.googlesource.com/src, docs/native-code/rtp-hdrext/playout-delay. aiortc does not know it,
but sends another of the same size, the time of sending, which nothing here needs: its place is
taken. Browsers that do not offer the extension play as ever.
"""

from __future__ import annotations

from aiortc import rtcrtpsender
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'
SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'


def relabel_offer(sdp: str) -> str:
    """Return an offer in which aiortc finds the time of sending where the delay belongs."""
    lines = [line for line in sdp.split('\r\n') if SEND_TIME not in line]
    return '\r\n'.join(line.replace(PLAYOUT_DELAY, SEND_TIME) for line in lines)


def relabel_answer(sdp: str) -> str:
    """Return the answer to such an offer as the browser must read it."""
    return sdp.replace(SEND_TIME, PLAYOUT_DELAY)


class PromptPacket(RtpPacket):
    """A packet whose 24 bits hold twelve of the least and twelve of the longest delay: zeros."""

    def serialize(self, extensions_map: HeaderExtensionsMap | None = None) -> bytes:
        """Return the bytes of the packet."""
        if self.extensions.abs_send_time is not None:
            self.extensions.abs_send_time = 0
        return super().serialize(extensions_map or HeaderExtensionsMap())


def install() -> None:
    """Let aiortc send such packets."""
    vars(rtcrtpsender)['RtpPacket'] = PromptPacket
