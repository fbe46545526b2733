"""The page with WebRTC in a real browser: the video it shows, and what happens when it fails."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from pathlib import Path

import pytest

from s2e_teleop.link import Direction, LinkProfile

pytest.importorskip('aiortc', reason='no aiortc: pip install -r requirements/runtime.txt')

PATH = Path(__file__).parent / 'driving_page.py'
spec = importlib.util.spec_from_file_location('driving_page', PATH)
driving_page = importlib.util.module_from_spec(spec)
sys.modules['driving_page'] = driving_page
spec.loader.exec_module(driving_page)
in_browser = driving_page.in_browser

pytestmark = pytest.mark.skipif(
    driving_page.browser.find() is None,
    reason='no Chromium here: apt-get install chromium, or name one in S2E_CHROMIUM',
)

DIRECTION = Direction(delay=0.001)
LINK = LinkProfile(to_robot=DIRECTION, to_driver=DIRECTION)
"""Everything goes through the path, where a test can stop it."""
BOUND = 0.3
"""No stop may take longer from the last command, seconds (docs/teleop.md)."""
STREAMS = "document.getElementById('stream').hidden === false"
GREEN = """
(() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const ink = canvas.getContext('2d');
  ink.drawImage(document.getElementById('stream'), 0, 0, 8, 8);
  return ink.getImageData(4, 4, 1, 1).data[1] > 150;
})()
"""


def test_video_comes_by_webrtc_and_keys_drive(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        async with bench.film((120, 160)):
            await tab.until(STREAMS)
            await tab.until(GREEN)
            link = await bench.text('link-table')
            assert 'Video byWebRTC' in link and 'Commands byboth' in link
            await tab.until("document.getElementById('glass').textContent.endsWith('ms')")
            await bench.drive(lambda: len(bench.served.inputs) >= 10)
            await tab.key('keyUp', 'KeyW')
            await bench.stands()
            await bench.until(lambda: bench.served.links[-1].transport == 'webrtc')

    # The same both ways: clocks are compared on the guess that it is.
    slow = Direction(delay=0.06)
    served = in_browser(serve, tmp_path, test, link=LinkProfile(to_robot=slow, to_driver=slow))
    numbers = [row.sequence for row in served.inputs]
    assert len(numbers) == len(set(numbers)), 'each command counts once'
    # 60 ms are injected; the machine only ever adds, and the clocks are 10 ms off at most.
    assert 0.05 <= served.links[-1].glass_to_glass < 5.0 and served.links[-1].frame_rate > 0


def test_a_network_that_is_gone_stops_the_robot_in_time(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        async with bench.film():
            await tab.until(STREAMS)
            await bench.drive(lambda: len(bench.served.inputs) >= 5)
            halts = bench.robot.count('halt')
            bench.cut()
            stall, before = 0.0, time.monotonic()
            while bench.robot.count('halt') == halts:
                await asyncio.sleep(0.002)
                stall, before = max(stall, time.monotonic() - before), time.monotonic()
            halted = bench.robot.named('halt')[halts][0]
            accepted = [row.time for row in bench.served.inputs if row.verdict == 'accepted']
            # What the processor withheld meanwhile is measured beside it.
            assert halted - accepted[-1] - 2 * stall <= BOUND
            count = bench.robot.count('drive')
            await tab.until("document.getElementById('stale').hidden === false")
            assert bench.robot.count('drive') == count

    in_browser(serve, tmp_path, test, link=LINK)


def test_when_datagrams_end_the_websocket_takes_over_without_a_stop(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        async with bench.film():
            await tab.until(STREAMS)
            await bench.drive()
            for client in bench.served.server.room.clients.values():
                carry = client.path._carry
                client.path._carry = lambda way, size, arrive, datagram, carry=carry: (
                    None if datagram else carry(way, size, arrive, datagram)
                )
            await tab.until(f'!({STREAMS})')
            await tab.until("document.getElementById('stale').hidden")
            assert 'No WebRTCno pictures came' in await bench.text('link-table')
            count = len(bench.served.inputs)
            await bench.until(lambda: len(bench.served.inputs) > count + 5)
            await tab.key('keyUp', 'KeyW')
            await bench.stands()

    in_browser(serve, tmp_path, test, link=LINK)


def test_the_page_says_why_there_is_no_webrtc(serve, tmp_path):
    async def test(bench):
        async with bench.film():
            await bench.tab.until("document.getElementById('video').width === 64")
            link = await bench.text('link-table')
            assert 'Video byWebSocket' in link and 'No WebRTCswitched off' in link

    in_browser(serve, tmp_path, test, webrtc='off')
