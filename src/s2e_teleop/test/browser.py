"""Headless Chromium for tests, over its own protocol."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
START = 60.0
"""Seconds; an idle machine needs one."""


def find() -> str | None:
    """Return the path of a Chromium: `S2E_CHROMIUM`, or one on the path."""
    named = os.environ.get('S2E_CHROMIUM')
    return named or next(filter(None, (shutil.which(name) for name in NAMES)), None)


class Tab:
    """One tab."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.errors: list[str] = []
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(Exception):
            async for text in self._socket:
                data = json.loads(text)
                if data.get('method') == 'Runtime.exceptionThrown':
                    self.errors.append(json.dumps(data['params']))
                elif data.get('id') in self._answers:
                    self._answers.pop(data['id']).set_result(data)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(
            json.dumps({'id': number, 'method': method, 'params': parameters})
        )
        answer = await asyncio.wait_for(self._answers[number], START)
        assert 'error' not in answer, answer
        return answer['result']

    async def run(self, script: str) -> Any:
        """Return the value of an expression."""
        answer = await self.call('Runtime.evaluate', expression=script, returnByValue=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result'].get('value')

    async def until(self, script: str) -> None:
        """Wait until an expression is true."""
        deadline = asyncio.get_running_loop().time() + START
        while not await self.run(script):
            assert asyncio.get_running_loop().time() < deadline, f'{script}: {self.errors}'
            await asyncio.sleep(0.05)

    async def key(self, kind: str, code: str) -> None:
        """Press (keyDown) or let go (keyUp) a key."""
        await self.call('Input.dispatchKeyEvent', type=kind, code=code, key=code[-1].lower())

    async def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Begin, move, end or cancel a touch."""
        places = [{'x': x, 'y': y} for x, y in points]
        await self.call('Input.dispatchTouchEvent', type=kind, touchPoints=places)


@contextlib.asynccontextmanager
async def open_tab(folder: Path):
    """Start a browser with a profile in a folder and yield its tab."""
    process = subprocess.Popen(
        [find() or '', '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
         '--disable-background-networking', '--remote-debugging-port=0',
         f'--user-data-dir={folder}', 'about:blank'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        address = await _address(folder / 'DevToolsActivePort', process)
        async with connect(address, max_size=None, compression=None) as socket:
            browser = Tab(socket)
            # A tab of its own: the first one may have no window, and gets no keys.
            target = (await browser.call('Target.createTarget', url='about:blank'))['targetId']
            page = address.rsplit('/', 3)[0] + f'/devtools/page/{target}'
            async with connect(page, max_size=None, compression=None) as inner:
                tab = Tab(inner)
                await tab.call('Runtime.enable')
                yield tab
    finally:
        process.terminate()
        process.wait(20)


async def _address(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = asyncio.get_running_loop().time() + START
    while asyncio.get_running_loop().time() < deadline:
        lines = port_file.read_text().split() if port_file.is_file() else []
        if len(lines) == 2:
            return f'ws://127.0.0.1:{lines[0]}{lines[1]}'
        assert process.poll() is None, 'the browser ended'
        await asyncio.sleep(0.05)
    raise AssertionError('the browser did not start')
