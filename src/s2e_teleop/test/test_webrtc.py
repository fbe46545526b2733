"""WebRTC with a second aiortc in place of a browser: what comes by it, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import time

import numpy as np
import pytest

from s2e_teleop.link import Direction, LinkProfile
from s2e_teleop.server.path import LinkPath
from s2e_teleop.video import Picture

aiortc = pytest.importorskip('aiortc', reason='no aiortc: pip install -r requirements/runtime.txt')
ice = pytest.importorskip('s2e_teleop.server.webrtc.ice')

RGB = np.zeros((48, 64, 3), np.uint8)


class Caller:
    """The browser's part, for a `Page` that has logged in."""

    def __init__(self, page) -> None:
        path = LinkPath(LinkProfile(), np.random.SeedSequence(0))
        with ice.connections_by('127.0.0.1', path):
            self.connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
            self.connection.addTransceiver('video', direction='recvonly')
            self.channel = self.connection.createDataChannel(
                'commands', ordered=False, maxRetransmits=0
            )
        self.page, self.frames, self.tasks = page, [], []
        self.connection.on('track', lambda track: self.tasks.append(
            asyncio.ensure_future(self._watch(track))
        ))

    async def _watch(self, track) -> None:
        with contextlib.suppress(aiortc.mediastreams.MediaStreamError):
            while True:
                self.frames.append(await track.recv())

    async def offer(self) -> dict:
        """Say the offer and return the answer."""
        path = LinkPath(LinkProfile(), np.random.SeedSequence(0))
        with ice.connections_by('127.0.0.1', path):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        count = len(self.page.answers)
        await self.page.send('offer', sdp=self.connection.localDescription.sdp)
        await self.page.until(
            lambda: len(self.page.answers) > count or self.page.socket.close_code
        )
        return self.page.answers[-1]

    async def call(self) -> None:
        """Connect and wait for the data channel."""
        answer = await self.offer()
        await self.connection.setRemoteDescription(
            aiortc.RTCSessionDescription(answer['sdp'], 'answer')
        )
        await self.page.until(lambda: self.channel.readyState == 'open')

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.connection.close()


@contextlib.asynccontextmanager
async def caller(page):
    """A caller that is closed at the end."""
    made = Caller(page)
    try:
        yield made
    finally:
        await made.close()


def command(page, **changed) -> str:
    """The text of a drive message."""
    page.sequence += 1
    return json.dumps({
        'type': 'drive', 'seq': page.sequence, 't': time.monotonic() * 1e3, 'press': 1,
        'held': True, 'x': 1.0, 'y': 0.0, **changed,
    })


def test_video_arrives_in_the_size_that_is_of_use_and_only_this_machine_is_named(serve):
    served = serve()

    async def run():
        async with served.page() as page, caller(page) as browser:
            await page.until(lambda: page.welcome)
            assert page.welcome['webrtc'] == {'on': True, 'ice': []}
            await page.send('view', width=200, video=False)
            await browser.call()
            candidates = [line for line in browser.connection.remoteDescription.sdp.splitlines()
                          if line.startswith('a=candidate')]
            assert {line.split()[4] for line in candidates} == {'127.0.0.1'}
            for number in range(400):
                rgb = np.full((240, 320, 3), (0, 200, 0), np.uint8)
                served.server.show(Picture(number, time.monotonic(), rgb=rgb))
                await asyncio.sleep(0.02)
                if len(browser.frames) >= 3:
                    break
            frame = browser.frames[-1].to_ndarray(format='rgb24')
            await page.until(lambda: page.states[-1]['link']['transport'] == 'webrtc')
            return frame

    frame = asyncio.run(run())
    assert frame.shape == (150, 200, 3)
    assert frame[75, 100] == pytest.approx([0, 200, 0], abs=12)


def test_a_command_counts_once_whichever_way_it_comes(serve):
    served = serve()

    async def run():
        async with served.page() as page, caller(page) as browser:
            await page.take_seat()
            await browser.call()
            texts = [command(page) for _ in range(6)]
            for text in texts[:4]:
                browser.channel.send(text)
            await page.until(lambda: len(served.inputs) == 4)
            # The copies, and two that were lost on the quick way.
            for text in texts:
                await page.socket.send(text)
            await page.until(lambda: len(served.inputs) == 6)
            browser.channel.send(json.dumps({'type': 'e_stop', 'pressed': True}))
            await page.until(lambda: page.states[-1]['e_stop'])

    asyncio.run(run())
    assert [row.sequence for row in served.inputs] == [1, 2, 3, 4, 5, 6]
    assert served.inputs[0].verdict == 'accepted'


def test_the_link_profile_holds_for_datagrams(serve):
    direction = Direction(delay=0.12)
    served = serve(LinkProfile(to_robot=direction, to_driver=direction))

    async def run():
        async with served.page() as page, caller(page) as browser:
            await page.take_seat()
            await browser.call()
            for _ in range(10):
                browser.channel.send(command(page))
                await asyncio.sleep(0.05)
            await page.until(lambda: len(served.inputs) == 10)

    asyncio.run(run())
    # Injected 0.12 s; a busy machine adds.
    assert 0.11 <= statistics.median(row.age for row in served.inputs) <= 0.22


@pytest.mark.parametrize('text', [
    '{"type": "seat", "action": "leave"}', '{"type": "e_stop", "pressed": false}', 'no json',
    b'\x00\x01', 'x' * 2000,
])
def test_what_is_no_command_closes_the_page_and_stops_the_robot(serve, text):
    served = serve()

    async def run():
        async with served.page() as page, caller(page) as browser:
            await page.take_seat()
            await browser.call()
            browser.channel.send(command(page))
            await page.until(lambda: len(served.inputs) == 1)
            browser.channel.send(text)
            await page.until(lambda: page.socket.close_code)
            return page.socket.close_code

    assert asyncio.run(run()) == 1008
    served.wait_for(lambda: served.robot.count('halt') == 1)
    assert served.failures == []


def test_a_thousand_commands_a_second_by_the_quick_way_close_the_page(serve):
    served = serve()

    async def run():
        async with served.page() as page, caller(page) as browser:
            await page.take_seat()
            await browser.call()
            for _ in range(400):
                for _ in range(10):
                    browser.channel.send(command(page))
                await asyncio.sleep(0.01)
                if page.socket.close_code:
                    break
            await page.until(lambda: page.socket.close_code)
            return page.socket.close_code

    assert asyncio.run(run()) == 1008
    served.wait_for(lambda: served.robot.count('halt') >= 1)
    assert served.failures == []


def test_a_page_more_than_allowed_is_told_and_may_come_when_one_has_gone(serve):
    served = serve(webrtc_pages=1)

    async def run():
        async with served.page() as one, served.page() as two, caller(two) as second:
            await two.until(lambda: two.welcome and one.welcome)
            async with caller(one) as first:
                await first.call()
                answer = await second.offer()
                assert answer == {'sdp': '', 'why': 'enough pages have WebRTC already'}
                await one.send('offer', sdp='')
                served_media = [client.media for client in served.server.room.clients.values()]
                await one.until(lambda: not any(media.active for media in served_media))
            async with caller(two) as again:
                await again.call()

    asyncio.run(run())


def test_offers_are_limited(serve):
    served = serve()

    async def run():
        async with served.page() as page:
            await page.until(lambda: page.welcome)
            for count in range(1, 7):
                async with caller(page) as browser:
                    answer = await browser.offer()
                    if answer['why']:
                        return count, answer['why']
        return None

    assert asyncio.run(run()) == (5, 'too many offers: wait a while')


def test_without_aiortc_the_page_is_told_and_nothing_else_changes(serve, monkeypatch):
    monkeypatch.setitem(sys.modules, 's2e_teleop.server.webrtc.peer', None)
    served = serve()

    async def run():
        async with served.page() as page:
            await page.take_seat()
            assert page.welcome['webrtc']['on'] is False
            assert 'aiortc is not installed' in page.welcome['webrtc']['why']
            await page.send('offer', sdp='v=0')
            await page.until(lambda: page.answers)
            assert page.answers[0]['sdp'] == ''
            await page.drive()
            await page.until(lambda: served.robot.count('drive'))

    asyncio.run(run())
