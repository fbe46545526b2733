"""Remote driving on this machine: the page's server, both ways of video, commands and the stop.

A page in Python stands for the browser, a robot that only notes stands for the robot; everything
between them is what `teleop.launch.py` runs.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np

from s2e_cli.doctor.check import Check
from s2e_cli.doctor.remote_page import (
    COLOUR,
    PATIENCE,
    SIZE,
    NotingRobot,
    PythonPage,
    film,
    until,
)
from s2e_core.errors import S2EError
from s2e_core.robot import load_robot

GROUP = 'selftest'
PAGE, VIDEO = 'page, commands and stop', 'WebRTC video and commands'
STOPS = 5
BOUND = 0.3
"""From the last command to the zero, median, seconds (docs/teleop.md)."""
COMMAND = 0.05
PICTURES = 20
TOLERANCE = 16
"""Of a colour that went through a video codec, of 255."""


def try_teleop() -> Iterator[Check]:
    """Serve a page, drive from it, and let it fall silent."""
    try:
        yield asyncio.run(_with_page(_try_page, PAGE, 'off'))
        from s2e_teleop.server.webrtc import peer
    except ImportError as error:
        hint = 'pip install -r requirements/runtime.txt; without it pictures go as JPEGs'
        yield Check(GROUP, VIDEO, 'skip', f'{error}', hint)
        return
    del peer
    yield asyncio.run(_with_page(_try_webrtc, VIDEO, 'auto'))


async def _with_page(trial: Any, name: str, webrtc: str) -> Check:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    from s2e_teleop.link import LinkProfile
    from s2e_teleop.server.config import ServerConfig
    from s2e_teleop.server.room import Room
    from s2e_teleop.server.server import TeleopServer
    from s2e_teleop.session import SessionConfig

    robot, inputs, link = NotingRobot(), list[Any](), LinkProfile()
    server = TeleopServer(
        ServerConfig(port=0, webrtc=webrtc), link,
        lambda: Room(SessionConfig(), load_robot('coco'), link, robot, inputs.append,
                     lambda row: None),
        lambda error: None,
    )
    try:
        server.start()
        async with connect(f'ws://127.0.0.1:{server.port}/socket', max_size=None) as socket:
            page = PythonPage(socket)
            reader = asyncio.ensure_future(page.read())
            await page.send('hello', version=1, token=server.token, name='selftest')
            await until(lambda: page.state.get('link', {}).get('round_trip') is not None)
            await page.send('seat', action='take')
            await until(lambda: page.state['driver'] == page.state['you'])
            try:
                return Check(GROUP, name, 'ok', await trial(server, robot, page, inputs))
            finally:
                reader.cancel()
    except (
        S2EError, OSError, RuntimeError, asyncio.TimeoutError, WebSocketException
    ) as error:
        text = str(error) or type(error).__name__
        return Check(GROUP, name, 'fail', text, 'docs/teleop.md; a firewall on loopback?')
    finally:
        server.stop()


async def _try_page(server: Any, robot: NotingRobot, page: PythonPage, inputs: list[Any]) -> str:
    await asyncio.to_thread(_look, server.port)
    async with film(server):
        await until(lambda: page.jpegs >= PICTURES)
        seen = page.state['link']
    times = [await _stop_once(robot, page, press, inputs) for press in range(1, STOPS + 1)]
    median = statistics.median(times)
    if median > BOUND:
        raise RuntimeError(
            f'a silent page stops the robot after {1e3 * median:.0f} ms (median of {STOPS}), '
            f'allowed are {1e3 * BOUND:.0f} ms'
        )
    return (
        f'JPEG {SIZE[1]}x{SIZE[0]} seen after {1e3 * (seen["glass_to_glass"] or 0.0):.0f} ms; '
        f'silence stops after {1e3 * median:.0f} ms (median of {STOPS}); foreign page refused'
    )


def _look(port: int) -> None:
    """Load the page; a request of a foreign page must be refused."""
    for name in ('', 'teleop.js', 'teleop.css'):
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/{name}', timeout=PATIENCE) as page:
            if not page.read():
                raise RuntimeError(f'/{name} of the page is empty')
    foreign = urllib.request.Request(
        f'http://127.0.0.1:{port}/socket', headers={'Origin': 'http://elsewhere.example'}
    )
    try:
        urllib.request.urlopen(foreign, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code == 403:
            return
    raise RuntimeError('a page of elsewhere was let in')


async def _stop_once(robot: NotingRobot, page: PythonPage, press: int, inputs: list[Any]) -> float:
    """Drive for half a second and fall silent; return seconds from the last command to zero."""
    before = robot.halted
    for _ in range(10):
        await page.socket.send(json.dumps(page.command(press)))
        await asyncio.sleep(COMMAND)
    await until(lambda: robot.halted > before)
    return robot.halted - max(row.time for row in inputs if row.verdict == 'accepted')


async def _try_webrtc(
    server: Any, robot: NotingRobot, page: PythonPage, inputs: list[Any]
) -> str:
    from s2e_cli.doctor.remote_page import calling

    async with calling(page) as (track, channel):
        began = time.monotonic()
        async with film(server):
            frame = await asyncio.wait_for(track.recv(), PATIENCE)
            first = time.monotonic() - began
            for _ in range(PICTURES - 1):
                frame = await asyncio.wait_for(track.recv(), PATIENCE)
        channel.send(json.dumps(page.command(1)))
        await until(lambda: robot.driven > 0)
    rgb = frame.to_ndarray(format='rgb24')
    off = int(np.abs(rgb.reshape(-1, 3).mean(axis=0) - COLOUR).max())
    if off > TOLERANCE:
        raise RuntimeError(f'colours of the video are off by {off} of 255')
    return (
        f'{PICTURES} pictures of {rgb.shape[1]}x{rgb.shape[0]} by VP8, the first after '
        f'{1e3 * first:.0f} ms, colours within {off}/255; a command by the data channel'
    )
