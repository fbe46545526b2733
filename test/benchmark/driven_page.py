"""The page in headless Chromium drives over a link, by WebSocket alone or by WebRTC too."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from driven import TOKEN, Served

from s2e_teleop.link import load_link

PATH = Path(__file__).resolve().parents[2] / 'src/s2e_teleop/test/browser.py'
spec = importlib.util.spec_from_file_location('teleop_browser', PATH)
assert spec is not None and spec.loader is not None
browser: Any = importlib.util.module_from_spec(spec)
sys.modules['teleop_browser'] = browser
spec.loader.exec_module(browser)

TRANSPORTS = {'websocket': 'off', 'webrtc': 'auto'}
SETTLE = 8.0
"""From the first picture to the drive: WebRTC has connected and found its bit rate, seconds."""
PAUSE = 0.5
"""A person who was stopped lets go and presses again after so long, seconds."""


async def sit(tab: Any, served: Served, webrtc: bool) -> None:
    """Open the page, take the seat, and wait until the video is what it should be."""
    await tab.call('Page.navigate', url=f'http://127.0.0.1:{served.server.port}/#token={TOKEN}')
    await tab.until("document.getElementById('role')?.textContent === 'nobody drives'")
    await tab.run("document.getElementById('take').click()")
    await tab.until("document.getElementById('role').textContent === 'you drive'")
    if webrtc:
        await tab.until("document.getElementById('stream').hidden === false")
    await asyncio.sleep(SETTLE)


async def press_anew(tab: Any, round_trip: float) -> None:
    """Let go and press again, and give the robot time to hear of it."""
    await tab.key('keyUp', 'KeyW')
    await asyncio.sleep(PAUSE)
    await tab.key('keyDown', 'KeyW')
    await asyncio.sleep(PAUSE + 2 * round_trip)


async def drive(tab: Any, served: Served, seconds: float, round_trip: float) -> dict[str, int]:
    """Hold a key for so long.

    Returns:
        How often the robot lost the driver, and how often the page let go of itself.
    """
    session = served.server.room.session
    counts = {'stops': 0, 'let_go': 0}
    await press_anew(tab, round_trip)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.05)
        held = await tab.run("document.getElementById('stick').classList.contains('held')")
        if held and session.hold.value == 'driving':
            continue
        counts['stops' if session.hold.value == 'lost' else 'let_go'] += 1
        await press_anew(tab, round_trip)
    return counts


async def link_once(name: str, transport: str, seconds: float) -> dict[str, Any]:
    """Drive over a profile.

    Returns:
        What is injected, what the server measured, and seconds of processor time a second that
        this process took: server, gate and film, without the browser.
    """
    link = load_link(name)
    served = Served(link, TRANSPORTS[transport])
    round_trip = link.to_robot.delay + link.to_driver.delay
    with tempfile.TemporaryDirectory() as folder:
        async with browser.open_tab(Path(folder)) as tab:
            camera = asyncio.ensure_future(served.film())
            await sit(tab, served, transport == 'webrtc')
            client = next(iter(served.server.room.clients.values()))
            first, sent = len(served.inputs), client.path.bytes_sent
            cpu, began = time.process_time(), time.monotonic()
            counts = await drive(tab, served, seconds, round_trip)
            took = time.monotonic() - began
            measured = client.sample(True, time.monotonic())
            cpu, sent = time.process_time() - cpu, client.path.bytes_sent - sent
            camera.cancel()
    served.close()
    ages = [row.age for row in served.inputs[first:] if row.verdict == 'accepted']
    return {
        'link': name, 'transport': transport, 'video': measured.transport,
        'injected_round_trip': round_trip, 'round_trip': measured.round_trip,
        'injected_to_robot': link.to_robot.delay, 'command_age': float(np.median(ages)),
        'command_age_95': float(np.percentile(ages, 95)),
        'injected_to_driver': link.to_driver.delay, 'glass_to_glass': measured.glass_to_glass,
        'frame_rate': measured.frame_rate, 'mbit_per_s': sent * 8e-6 / took,
        'stops_per_minute': counts['stops'] * 60 / took,
        'let_go_per_minute': counts['let_go'] * 60 / took, 'cpu': cpu / took,
    }
