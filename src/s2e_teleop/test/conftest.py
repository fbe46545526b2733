"""A robot that only writes down what it is told, a server around it, and a page in Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from websockets.asyncio.client import connect

from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_teleop.journal import LinkSample, OperatorInput
from s2e_teleop.link import LinkProfile
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.room import Room
from s2e_teleop.server.server import TeleopServer
from s2e_teleop.session import SessionConfig
from s2e_teleop.study.desk import StudyDesk

settings.register_profile('s2e', deadline=None, max_examples=60,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('s2e')

TOKEN = 'correct horse battery'
WAIT = 20.0
"""Seconds after which a test gives up on an event; events normally take milliseconds."""


@dataclass
class FakeRobot:
    """A `RobotPort`; each call is kept with its time."""

    calls: list[tuple[float, str, Any]] = field(default_factory=list)
    refusal: str = ''

    def _note(self, what: str, value: Any = None) -> None:
        self.calls.append((time.monotonic(), what, value))

    def drive(self, command: Command, age: float) -> None:
        self._note('drive', (command.v, command.w, age, command.vy))

    def halt(self, why: str) -> None:
        self._note('halt', why)

    def press(self) -> None:
        self._note('press')

    def e_stop(self, pressed: bool) -> None:
        self._note('e_stop', pressed)

    def rearm(self) -> None:
        self._note('rearm')

    def go_to(self, u: float, v: float) -> str:
        self._note('go_to', (u, v))
        return self.refusal

    def named(self, what: str) -> list[tuple[float, Any]]:
        """Times and values of one kind of call."""
        return [(at, value) for at, kind, value in list(self.calls) if kind == what]

    def count(self, what: str) -> int:
        return len(self.named(what))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does.

    Raises:
        AssertionError: It did not come.
    """
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, 'the awaited event did not come'
        time.sleep(0.005)


class Page:
    """A page in Python: answers pings, keeps what it is told."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.states: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.welcome: dict[str, Any] = {}
        self.frames: list[tuple[float, bytes]] = []
        self.overlays: list[dict[str, Any]] = []
        self.cards: list[dict[str, Any]] = []
        self.guides: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.confirm = True
        self.sequence = 0
        self._changed = asyncio.Event()
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(Exception):
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.frames.append((time.monotonic(), message))
                    if self.confirm:
                        number = int.from_bytes(message[4:8], 'big')
                        await self.send('shown', frame=number, t=time.monotonic() * 1e3)
                else:
                    await self._take(json.loads(message))
                self._changed.set()
        self._changed.set()

    async def _take(self, data: dict[str, Any]) -> None:
        kind = data.pop('type')
        if kind == 'ping':
            await self.send('pong', id=data['id'], t=time.monotonic() * 1e3)
        elif kind == 'state':
            self.states.append(data)
        elif kind == 'note':
            self.notes.append(data['text'])
        elif kind in ('overlay', 'study', 'guide', 'answer'):
            kept = {'overlay': self.overlays, 'study': self.cards, 'guide': self.guides,
                    'answer': self.answers}
            kept[kind].append(data)
        else:
            self.welcome = data

    async def send(self, kind: str, **values: Any) -> None:
        await self.socket.send(json.dumps({'type': kind, **values}, separators=(',', ':')))

    async def drive(self, press: int = 1, x: float = 1.0, held: bool = True, **more: Any) -> None:
        self.sequence += 1
        values = {'seq': self.sequence, 't': time.monotonic() * 1e3, 'press': press, 'held': held,
                  'x': x, 'y': 0.0, **more}
        await self.send('drive', **values)

    async def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, 'the awaited event did not come'
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 0.05)

    async def take_seat(self) -> None:
        await self.until(lambda: self.states and self.states[-1]['link']['round_trip'] is not None)
        await self.send('seat', action='take')
        await self.until(lambda: self.states[-1]['driver'] == self.states[-1]['you'])


@dataclass
class Served:
    """A running server and what it wrote down."""

    server: TeleopServer
    robot: FakeRobot
    inputs: list[OperatorInput]
    links: list[LinkSample]
    failures: list[BaseException]
    answers: list[dict[str, Any]]
    token: str = TOKEN
    wait_for: Callable[[Callable[[], bool]], None] = staticmethod(wait_for)

    @property
    def address(self) -> str:
        return f'127.0.0.1:{self.server.port}'

    @contextlib.asynccontextmanager
    async def page(self, name: str = 'tester', token: str = TOKEN, **options: Any):
        """A page that has said hello."""
        options = {'origin': f'http://{self.address}', 'max_size': None, **options}
        async with connect(f'ws://{self.address}/socket', **options) as socket:
            page = Page(socket)
            await page.send('hello', version=1, token=token, name=name)
            yield page


@pytest.fixture
def fake_robot() -> FakeRobot:
    """Return a robot that writes down."""
    return FakeRobot()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Return a function that starts a server."""
    running = []

    def start(link: LinkProfile | None = None, **options: Any) -> Served:
        robot, inputs, links, failures = FakeRobot(), [], [], []
        link, answers = link or LinkProfile(), []
        session = options.pop('session', SessionConfig())
        profile = options.pop('robot', load_robot('coco'))
        config = ServerConfig(port=0, token=TOKEN, **options)
        server = TeleopServer(
            config, link,
            lambda: Room(session, profile, link, robot, inputs.append, links.append,
                         StudyDesk(answers.append)),
            failures.append,
        )
        server.start()
        running.append(server)
        return Served(server, robot, inputs, links, failures, answers)

    yield start
    for server in running:
        server.stop()
