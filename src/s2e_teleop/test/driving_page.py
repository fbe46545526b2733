"""A tab of headless Chromium in the driver's seat of a served robot."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

from s2e_teleop.robot_port import RobotState
from s2e_teleop.video import Picture

spec = importlib.util.spec_from_file_location('browser', Path(__file__).parent / 'browser.py')
browser = importlib.util.module_from_spec(spec)
sys.modules['browser'] = browser
spec.loader.exec_module(browser)


PATIENCE = 60.0
"""Seconds for what takes two on an idle machine."""
GRACE = 1.0
"""After so many seconds the page shows what it holds."""
HELD = "document.getElementById('stick').classList.contains('held')"


class Proxy:
    """A TCP way between page and server that can fall silent."""

    def __init__(self, port: int) -> None:
        self._target, self._open = port, asyncio.Event()
        self._open.set()
        self.port = 0
        self._jobs: set[asyncio.Task] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, '127.0.0.1', 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._open.set()
        self._server.close()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        # Open ones would warn whenever they are collected, in whatever test that is.
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def cut(self) -> None:
        """Pass nothing on any more, and close nothing: as when a network is gone."""
        self._open.clear()

    async def _accept(self, reader, writer):
        self._writers.append(writer)
        there = await asyncio.open_connection('127.0.0.1', self._target)
        self._writers.append(there[1])
        for pair in ((reader, there[1]), (there[0], writer)):
            job = asyncio.ensure_future(self._pass(*pair))
            self._jobs.add(job)

    async def _pass(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()


class Bench:
    """A tab in the driver's seat, and the robot that notes what comes."""

    def __init__(self, tab, served, proxy) -> None:
        self.tab, self.served, self.robot, self.proxy = tab, served, served.robot, proxy

    async def seated(self) -> None:
        url = f'http://127.0.0.1:{self.proxy.port}/'
        await self.tab.call('Page.navigate', url=f'{url}#token={self.served.token}')
        await self.tab.until("document.getElementById('role')?.textContent === 'nobody drives'")
        await self.tab.until("document.getElementById('take').disabled === false")
        await self.tab.run("document.getElementById('take').click()")
        await self.tab.until("document.getElementById('role').textContent === 'you drive'")

    def cut(self) -> None:
        """Let nothing pass any more, by whatever way."""
        self.proxy.cut()
        for client in self.served.server.room.clients.values():
            # Datagrams do not go through the proxy; the link must not be transparent.
            client.path._carry = lambda *way: None

    @contextlib.asynccontextmanager
    async def film(self, size=(48, 64)):
        """Show a green film meanwhile."""
        server = self.served.server
        rgb = np.zeros((*size, 3), np.uint8)
        rgb[:, :, 1] = 200

        async def run():
            for number in range(10**6):
                server.show(Picture(number, time.monotonic(), rgb=rgb))
                server.update(RobotState(latched='none', reason='none'))
                await asyncio.sleep(0.05)

        camera = asyncio.ensure_future(run())
        try:
            yield
        finally:
            camera.cancel()

    async def text(self, name: str) -> str:
        """Return the text of an element."""
        return await self.tab.run(f"document.getElementById('{name}').textContent")

    async def until(self, condition) -> None:
        await asyncio.to_thread(self.served.wait_for, condition)

    async def drives(self) -> None:
        """Wait for a command that is newer than the last zero."""
        await self.until(lambda: self._newest('drive') > self._newest('halt'))

    async def drive(self, condition=lambda: True) -> int:
        """Hold W until the robot drives and a condition holds.

        On a busy machine the driver may be lost at once, and a lost press counts no more: like a
        person, let go then and press anew.

        Returns:
            How often the key was pressed.
        """
        deadline, presses = time.monotonic() + PATIENCE, 0
        while True:
            halts, pressed, presses = self.robot.count('halt'), time.monotonic(), presses + 1
            await self.tab.key('keyDown', 'KeyW')
            while self.robot.count('halt') == halts:
                if self._newest('drive') > pressed and condition():
                    return presses
                if time.monotonic() > pressed + GRACE and not await self.tab.run(HELD):
                    break
                assert time.monotonic() < deadline, 'the robot does not drive'
                await asyncio.sleep(0.005)
            await self.tab.key('keyUp', 'KeyW')

    async def stands(self) -> None:
        await self.until(lambda: self._newest('halt') > self._newest('drive'))

    def _newest(self, what: str) -> float:
        calls = self.robot.named(what)
        return calls[-1][0] if calls else 0.0


def in_browser(serve, folder, test, **options):
    """Run a test with a seated tab."""
    served = serve(**options)

    async def run():
        async with browser.open_tab(folder) as tab, Proxy(served.server.port) as proxy:
            bench = Bench(tab, served, proxy)
            await bench.seated()
            await test(bench)
            assert tab.errors == []

    asyncio.run(run())
    return served
