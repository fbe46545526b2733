"""One page's WebRTC: video down, commands up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.codecs import vpx

from s2e_teleop.clock import ClockOffset
from s2e_teleop.errors import ProtocolError
from s2e_teleop.link import LinkProfile
from s2e_teleop.server.path import LinkPath
from s2e_teleop.server.webrtc import ice, playout
from s2e_teleop.server.webrtc.camera_track import CameraTrack
from s2e_teleop.server.webrtc.resend import Resend

CHANNEL = 'commands'
"""Name of the one data channel."""
CONNECT_SECONDS = 10.0
"""A page that is not connected after so long is given up."""
CLOSE_SECONDS = 2.0


def prepare(link: LinkProfile) -> None:
    """Fit aiortc to this server; once, before the first peer.

    Args:
        link: Its video limits hold for every encoder of this process.
    """
    ice.install()
    playout.install()
    most = round(link.video.bitrate * 1e6)
    # The encoder starts at half and then follows the receiver's estimate between the two ends.
    vpx.MAX_BITRATE, vpx.DEFAULT_BITRATE = most, most // 2
    vpx.MIN_BITRATE = min(vpx.MIN_BITRATE, most // 4)


class Peer:
    """Answers one offer."""

    def __init__(
        self, track: CameraTrack, servers: list[dict[str, str]],
        clock: ClockOffset, on_message: Callable[[str | bytes], None],
        on_end: Callable[[Peer], None],
    ) -> None:
        """Wait for an offer.

        Args:
            track: The video.
            servers: Of ICE: urls, username, credential.
            clock: Knows how long the way there and back takes.
            on_message: Called with what comes by the data channel.
            on_end: Called once when the connection failed or ended.
        """
        self.track, self._clock = track, clock
        self._on_message, self._on_end = on_message, on_end
        self._ice = [RTCIceServer(**server) for server in servers]
        self._connection: RTCPeerConnection | None = None
        self._channel: RTCDataChannel | None = None
        self._deadline: asyncio.TimerHandle | None = None

    async def answer(self, sdp: str, address: str, path: LinkPath) -> str:
        """Return the answer to an offer.

        Args:
            sdp: The page's description.
            address: Of this machine, by which the page came.
            path: Way to the page and back.

        Raises:
            ProtocolError: It is not what the page sends.
        """
        offer = playout.relabel_offer(checked(sdp, bool(self._ice)))
        with ice.connections_by(address, path):
            self._connection = connection = RTCPeerConnection(RTCConfiguration(
                # An empty list: aiortc would ask a server of its own choice otherwise.
                iceServers=self._ice, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            ))
            connection.on('datachannel', self._open)
            connection.on('connectionstatechange', self._changed)
            try:
                await connection.setRemoteDescription(RTCSessionDescription(offer, 'offer'))
                Resend(connection.addTrack(self.track), self._clock)
                await connection.setLocalDescription(await connection.createAnswer())
            except Exception as error:
                # Whatever a foreign description does to the parser, it is the description's fault.
                raise ProtocolError(f'offer: {type(error).__name__}: {error}') from error
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(CONNECT_SECONDS, self._give_up)
        return playout.relabel_answer(connection.localDescription.sdp)

    async def close(self) -> None:
        """End the connection and give its sockets back."""
        if self._deadline is not None:
            self._deadline.cancel()
        self.track.stop()
        if self._connection is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._connection.close(), CLOSE_SECONDS)

    def _open(self, channel: RTCDataChannel) -> None:
        if self._channel is not None or channel.label != CHANNEL:
            self._on_end(self)
            return
        self._channel = channel
        channel.on('message', self._on_message)

    def _changed(self) -> None:
        state = self._connection.connectionState if self._connection is not None else 'closed'
        if state == 'connected' and self._deadline is not None:
            self._deadline.cancel()
        elif state in ('failed', 'closed'):
            self._on_end(self)

    def _give_up(self) -> None:
        self._on_end(self)


def checked(sdp: str, remote_candidates: bool) -> str:
    """Return an offer that may be answered.

    Args:
        sdp: What the page sent, of bounded length.
        remote_candidates: Whether the page's own addresses are of use. Without servers of ICE the
            page finds this machine, and what an offer names is never sent anything.

    Raises:
        ProtocolError: It asks for more than one video and one data channel.
    """
    lines = sdp.splitlines()
    media = sorted(line.split(' ')[0] for line in lines if line.startswith('m='))
    if media != ['m=application', 'm=video']:
        raise ProtocolError(f'offer: must have one video and one channel, has {media!r:.80}')
    if not remote_candidates:
        lines = [
            line for line in lines if not line.startswith(('a=candidate', 'a=end-of-candidates'))
        ]
    return '\r\n'.join(lines) + '\r\n'
