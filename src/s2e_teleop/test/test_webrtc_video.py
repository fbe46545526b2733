"""The video of WebRTC on its way: whole pictures for far pages, no storm of copies, no playout."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import numpy as np
import pytest

from s2e_teleop.clock import ClockOffset, Sample
from s2e_teleop.stream import StreamFlow
from s2e_teleop.video import Picture

NO_AIORTC = 'no aiortc: pip install -r requirements/runtime.txt'
camera_track = pytest.importorskip('s2e_teleop.server.webrtc.camera_track', reason=NO_AIORTC)
playout = pytest.importorskip('s2e_teleop.server.webrtc.playout')
resend = pytest.importorskip('s2e_teleop.server.webrtc.resend')
rtp = pytest.importorskip('aiortc.rtp')

RGB = np.zeros((49, 65, 3), np.uint8)
OFFER = '\r\n'.join((
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay', 'm=application 9 x',
))


def clock(round_trip: float) -> ClockOffset:
    """A clock that was compared over so long a way."""
    offset = ClockOffset()
    offset.add(Sample(0.0, round_trip / 2, round_trip))
    return offset


def frames(round_trip, pictures):
    """What a track hands to the encoder."""
    async def run():
        track = camera_track.CameraTrack(1000.0, lambda: 640, clock(round_trip), StreamFlow())
        out = []
        for picture in pictures:
            track.offer(picture)
            out.append(await track.recv())
        return out

    return asyncio.run(run())


def test_a_far_page_gets_whole_pictures_and_a_near_one_leaves_it_to_the_encoder():
    pictures = [Picture(k, 1.0 + k, rgb=RGB) for k in range(2)]
    whole, free = camera_track.PictureType.I, camera_track.PictureType.NONE
    assert [frame.pict_type for frame in frames(0.5, pictures)] == [whole, whole]
    assert [frame.pict_type for frame in frames(0.01, pictures)] == [free, free]


def test_frames_have_even_sides_and_the_time_of_their_exposure():
    [frame] = frames(0.01, [Picture(0, 2.0, rgb=RGB)])
    assert (frame.width, frame.height) == (64, 48)
    assert frame.pts * frame.time_base == pytest.approx(2.0, abs=1.5e-3)


def test_only_the_newest_picture_waits_and_what_is_no_picture_is_passed_over():
    async def run():
        flow = StreamFlow()
        track = camera_track.CameraTrack(1000.0, lambda: 640, clock(0.01), flow)
        for number in range(3):
            track.offer(Picture(number, 1.0 + number, rgb=RGB))
        first = await track.recv()
        track.offer(Picture(3, 9.0, jpeg=b'no picture'))
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        track.offer(Picture(4, 5.0, rgb=RGB))
        return first, await waiting, flow.sent

    first, second, sent = asyncio.run(run())
    assert round(first.pts / 90_000) == 3 and round(second.pts / 90_000) == 5 and sent == 2


def test_the_next_picture_waits_until_the_page_has_shown_one():
    async def run():
        flow = StreamFlow()
        track = camera_track.CameraTrack(1000.0, lambda: 640, clock(0.0001), flow)
        sent = []
        for number in range(3):
            track.offer(Picture(number, 1.0 + number, rgb=RGB))
            sent.append(await track.recv())
        track.offer(Picture(3, 4.0, rgb=RGB))
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        held = not waiting.done()
        for number, frame in enumerate(sent):
            flow.shown(frame.pts + 7, 1, 1.0 + number, time.monotonic())
        track.shown()
        await waiting
        return held

    assert asyncio.run(run())


@pytest.mark.parametrize(('round_trip', 'asked', 'copies'), [
    # Asked every 100 ms for 0.5 s: near by each counts, and far away none.
    (0.02, 0.1, 5), (0.12, 0.1, 3), (0.5, 0.1, 0),
])
def test_a_loss_is_sent_again_once_a_round_trip_and_not_to_a_far_page(
    monkeypatch, round_trip, asked, copies
):
    sent, now = [], 100.0
    monkeypatch.setattr(resend.time, 'monotonic', lambda: now)

    async def retransmit(number):
        sent.append(number)

    async def run():
        nonlocal now
        sender = SimpleNamespace(_retransmit=retransmit)
        resend.Resend(sender, clock(round_trip))
        for _ in range(5):
            await sender._retransmit(7)
            now += asked

    asyncio.run(run())
    assert sent == [7] * copies


def test_the_delay_of_playing_takes_the_place_of_the_time_of_sending():
    offer = playout.relabel_offer(OFFER)
    assert offer.count('extmap') == 1 and f'a=extmap:5 {playout.SEND_TIME}' in offer
    assert playout.relabel_answer(offer).count(f'a=extmap:5 {playout.PLAYOUT_DELAY}') == 1
    # A browser without the extension gets none, and keeps its own way of playing.
    assert 'extmap' not in playout.relabel_offer(OFFER.replace('playout-delay', 'other'))\
        .replace('a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/other', '')


def test_packets_say_show_at_once():
    ids = rtp.HeaderExtensionsMap()
    ids.configure(SimpleNamespace(headerExtensions=[
        SimpleNamespace(id=5, uri=playout.SEND_TIME)
    ]))
    packet = playout.PromptPacket(payload_type=96, payload=b'x')
    packet.extensions.abs_send_time = 0x123456
    read = rtp.RtpPacket.parse(packet.serialize(ids), ids)
    assert read.extensions.abs_send_time == 0 and read.payload == b'x'
