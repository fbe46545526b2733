"""The server with a real WebSocket client: pictures, bad links, and the delays it measures."""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import time

import numpy as np
import pytest

from s2e_teleop.deadman import DeadManConfig
from s2e_teleop.link import Direction, LinkProfile, load_link
from s2e_teleop.overlay import Line
from s2e_teleop.robot_port import RobotState
from s2e_teleop.session import SessionConfig
from s2e_teleop.video import Picture

ADDED = 0.1
"""What a busy machine may add to a median, seconds."""
RGB = np.zeros((48, 64, 3), np.uint8)


def test_pictures_arrive_and_their_age_is_measured(serve):
    served = serve()
    async def run():
        async with served.page() as page:
            await page.until(lambda: page.welcome)
            for k in range(20):
                # Exposed 80 ms before it is offered.
                served.server.show(Picture(k, time.monotonic() - 0.08, rgb=RGB))
                await asyncio.sleep(0.05)
            served.server.update(RobotState(speed=0.4, latched='none', battery=0.5))
            served.server.draw([Line([[0.5, 0.9], [0.5, 0.5]], 1.0, True)], None)
            await page.until(lambda: page.states[-1]['robot']['speed'] == 0.4)
            assert page.frames[0][1][:4] == b'S2EV' and len(page.frames) >= 5
            assert page.overlays == [], 'only for those who asked'
            return page.states[-1]['link']['glass_to_glass']

    assert 0.08 <= asyncio.run(run()) <= 0.08 + 0.5


def test_a_page_that_confirms_nothing_gets_no_queue(serve):
    served = serve()
    async def run():
        async with served.page() as page:
            page.confirm = False
            await page.until(lambda: page.welcome)
            for k in range(15):
                served.server.show(Picture(k, time.monotonic(), rgb=RGB))
                await asyncio.sleep(0.04)
            return len(page.frames)

    assert asyncio.run(run()) <= 4, 'two on the way, and those given up after a second'


@pytest.mark.parametrize('name', ['wifi', '4g', 'satellite'])
def test_the_delay_that_is_measured_is_the_delay_of_the_profile(serve, name):
    link = dataclasses.replace(load_link(name), retransmit=0.0)
    served = serve(link)

    async def run():
        async with served.page() as page:
            await page.until(lambda: page.welcome)
            for k in range(12):
                served.server.show(Picture(k, time.monotonic(), rgb=RGB))
                await page.drive()
                await asyncio.sleep(0.1)
            await page.until(lambda: page.states and page.states[-1]['link']['frames_shown'] >= 5)
            return page.states[-1]['link']

    measured = asyncio.run(run())
    injected = link.to_robot.delay + link.to_driver.delay
    # A median of ten pings; the machine only ever adds.
    spread = link.to_robot.jitter + link.to_driver.jitter
    assert measured['round_trip'] == pytest.approx(injected, abs=spread + ADDED)
    glass = measured['glass_to_glass']
    assert link.to_driver.delay - spread <= glass <= link.to_driver.delay + spread + 2 * ADDED


def test_a_command_takes_the_way_to_the_robot(serve):
    link = LinkProfile(
        to_robot=Direction(delay=0.15), to_driver=Direction(delay=0.15), retransmit=0.0
    )
    served = serve(link)

    async def run():
        async with served.page() as page:
            await page.take_seat()
            sent = []
            for _ in range(10):
                sent.append(time.monotonic())
                await page.drive()
                await asyncio.sleep(0.05)
            await page.until(lambda: len(served.inputs) == 10)
            return sent

    sent = asyncio.run(run())
    ways = [row.time - at for row, at in zip(served.inputs, sent, strict=True)]
    assert 0.15 <= statistics.median(ways) <= 0.15 + ADDED
    # The robot's own estimate of the same, by the page's clock.
    ages = [row.age for row in served.inputs]
    assert statistics.median(ages) == pytest.approx(statistics.median(ways), abs=ADDED)


def test_a_link_slower_than_400_ms_moves_nothing_unless_the_profile_allows_it(serve):
    direction = Direction(delay=0.5)

    async def run(served):
        async with served.page() as page:
            await page.take_seat()
            for _ in range(10):
                await page.drive()
                await asyncio.sleep(0.05)
            await page.until(lambda: len(served.inputs) == 10)
            return {row.verdict for row in served.inputs}

    link = LinkProfile(to_robot=direction, to_driver=direction, retransmit=0.0)
    assert asyncio.run(run(serve(link))) == {'old'}
    slow = dataclasses.replace(link, max_age=1.0)
    dead_man = DeadManConfig(max_age=slow.max_age)
    served = serve(slow, session=SessionConfig(dead_man=dead_man))
    assert 'accepted' in asyncio.run(run(served))
    # 1.5 m/s of coco's; 5.0 m/s x 0.4 / 1.0 is more; the limit at the start is 0.5 m/s.
    assert served.robot.named('drive')[0][1][0] == 0.5
