"""Take the pictures of docs/teleop.md: somebody drives through a simulated city over a 4g link.

Run: python test/benchmark/picture_teleop.py
     python test/benchmark/picture_teleop.py --scene city:3 --out /tmp

It launches `teleop.launch.py` with a simulator, holds a key in headless Chromium and photographs a
desktop and a phone on its side.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from driven_page import browser

OUT = Path(__file__).resolve().parents[2] / 'docs/images'
ROS2 = Path(sys.prefix) / 'bin' / 'ros2'
TOKEN = 'correct horse battery'
START = 120.0
"""Seconds; the city is made first."""
SIZES = {'teleop': (1280, 800, 1), 'teleop_phone': (740, 360, 2)}
"""Width, height and pixels a point."""
TRIES = 10
DRIVES = (
    "document.getElementById('banner').hidden"
    " && document.getElementById('stick').classList.contains('held')"
    " && parseFloat(document.getElementById('speed').textContent) > 0.4"
)


async def take(port: int, out: Path) -> None:
    """Drive, and take both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        async with browser.open_tab(Path(folder)) as tab:
            await look_as(tab, 'teleop')
            await tab.call('Page.navigate', url=f'http://127.0.0.1:{port}/#token={TOKEN}')
            await tab.until("document.getElementById('role')?.textContent === 'nobody drives'")
            await press(tab, 'take', "document.getElementById('role').textContent === 'you drive'")
            await tab.until("document.getElementById('way').textContent === 'WebRTC'")
            for name in SIZES:
                await look_as(tab, name)
                await asyncio.sleep(1.0)
                await drive(tab)
                shot = await tab.call('Page.captureScreenshot', format='jpeg', quality=82)
                (out / f'{name}.jpg').write_bytes(base64.b64decode(shot['data']))
                await tab.key('keyUp', 'KeyW')


async def look_as(tab: Any, name: str) -> None:
    """Give the page the size of a desktop or of a phone."""
    width, height, scale = SIZES[name]
    await tab.call('Emulation.setDeviceMetricsOverride', width=width, height=height,
                   deviceScaleFactor=scale, mobile=scale > 1)
    await tab.call('Emulation.setTouchEmulationEnabled', enabled=scale > 1)


async def drive(tab: Any) -> None:
    """Hold a key until the robot drives, pressing anew what a busy machine has lost."""
    for _ in range(TRIES):
        await tab.key('keyUp', 'KeyW')
        await tab.run("document.getElementById('rearm').click()")
        await asyncio.sleep(1.0)
        await tab.key('keyDown', 'KeyW')
        for _ in range(60):
            if await tab.run(DRIVES):
                return
            await asyncio.sleep(0.05)
    raise SystemExit('the robot did not drive')


async def press(tab: Any, name: str, then: str) -> None:
    """Press a button and wait for what follows."""
    await tab.run(f"document.getElementById('{name}').click()")
    await tab.until(then)


def main() -> None:
    """Launch, take the pictures, and end what was launched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--scene', default='city:7', help='Scene of the simulator.')
    parser.add_argument('--port', type=int, default=8765, help='Port of the page.')
    parser.add_argument('--out', type=Path, default=OUT, help='Folder of the pictures.')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / 'launch.log'
        words = [
            ROS2, 'launch', 's2e_nav', 'teleop.launch.py', f'scene:={arguments.scene}',
            'task:=obstacle', 'link:=4g', f'port:={arguments.port}', f'token:={TOKEN}',
            f'output:={folder}/run',
        ]
        with log.open('w') as file:
            launch = subprocess.Popen(
                words, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            deadline = time.monotonic() + START
            while '[sim_bridge]: scene' not in log.read_text():
                if launch.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(log.read_text())
                time.sleep(0.5)
            asyncio.run(take(arguments.port, arguments.out))
        finally:
            os.killpg(launch.pid, signal.SIGINT)
            launch.wait(30)


if __name__ == '__main__':
    main()
