"""The server in a thread of its own, beside whatever drives the robot."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from s2e_teleop.errors import ProtocolError, TeleopError
from s2e_teleop.link import LinkProfile
from s2e_teleop.overlay import Line
from s2e_teleop.protocol import MAX_OFFER, VERSION, Drive, EmergencyStop, Hello, parse
from s2e_teleop.robot_port import RobotState
from s2e_teleop.server.access import Access
from s2e_teleop.server.client import Client
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.media import Media
from s2e_teleop.server.page import refuse, respond
from s2e_teleop.server.room import Room
from s2e_teleop.study.card import Guide, StudyCard
from s2e_teleop.video import Picture

SOCKET = '/socket'
HELLO_SECONDS = 5.0
"""A connection that does not say who it is for so long is closed."""
START_SECONDS = 10.0
QUIET = logging.getLogger('s2e_teleop.websockets')
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class TeleopServer:
    """Serves the page and joins it to a room."""

    def __init__(
        self, config: ServerConfig, link: LinkProfile, room: Callable[[], Room],
        on_failure: Callable[[BaseException], None], seed: int = 0,
    ) -> None:
        """Check access; nothing listens before `start`.

        Args:
            config: Address and access.
            link: Profile that is put between.
            room: Makes the room, in the server's thread.
            on_failure: Called in that thread when it ends by an error.
            seed: Of the link's dice.
        """
        self._config, self._link, self._make_room = config, link, room
        self._on_failure = on_failure
        self._tls = config.tls()
        self._access = Access(config)
        self._media = Media(config, link)
        self._seeds = np.random.SeedSequence(seed)
        self._numbers = itertools.count(1)
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='teleop', daemon=True)
        self.port = config.port
        """Port in use, once started."""
        self.room: Room

    @property
    def token(self) -> str:
        """The token in force."""
        return self._access.token

    @property
    def url(self) -> str:
        """Address of the page; the token is behind the #, which browsers never send.

        A server on every network is named by this machine's own address.
        """
        host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(self._config.host, self._config.host)
        host = f'[{host}]' if ':' in host else host
        scheme = 'https' if self._tls else 'http'
        return f'{scheme}://{host}:{self.port}/#token={quote(self.token)}'

    def start(self) -> None:
        """Listen.

        Raises:
            TeleopError: The address cannot be had.
        """
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise TeleopError('server: did not start')
        if self._problem is not None:
            raise TeleopError(
                f'server: cannot listen on {self._config.host}:{self._config.port}: '
                f'{self._problem}'
            )

    def stop(self) -> None:
        """Close every connection and wait for the thread."""
        self._call(self._stop.set)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=3.0)

    def show(self, picture: Picture) -> None:
        """Offer a picture; from any thread."""
        self._call(lambda: self.room.show(picture))

    def draw(self, lines: list[Line], goal: list[float] | None) -> None:
        """Draw over the video; from any thread."""
        self._call(lambda: self.room.draw(lines, goal))

    def update(self, state: RobotState) -> None:
        """Take the robot's state; from any thread."""
        self._call(lambda: self.room.update(state))

    def say(self, text: str) -> None:
        """Show a line on every page; from any thread."""
        self._call(lambda: self.room.say(text))

    def show_card(self, card: StudyCard) -> None:
        """Show every page where the study is; from any thread."""
        self._call(lambda: self.room.show_card(card))

    def show_guide(self, guide: Guide) -> None:
        """Show every page where the goal is; from any thread."""
        self._call(lambda: self.room.show_guide(guide))

    def goal_ended(self) -> None:
        """The policy has arrived or given up; from any thread."""
        self._call(lambda: self.room.session.goal_ended())

    def _call(self, what: Callable[[], object]) -> None:
        # After the end nobody is there to hear.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._problem = error
            if self._ready.is_set():
                self._on_failure(error)
        finally:
            self._ready.set()
            self._loop.run_until_complete(_cancel_all())
            self._loop.close()

    async def _serve(self) -> None:
        self.room = self._make_room()
        async with self._listen() as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            room = self.room
            jobs = [asyncio.create_task(job) for job in (room.watch(), room.beat(), room.report())]
            jobs.append(asyncio.create_task(self._end()))
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                job.cancel()
            for job in done:
                job.result()

    async def _end(self) -> None:
        await self._stop.wait()

    def _listen(self) -> Any:
        return serve(
            self._handle, self._config.host, self._config.port, ssl=self._tls,
            process_request=self._on_request, compression=None, max_size=MAX_OFFER,
            max_queue=16, open_timeout=HELLO_SECONDS, close_timeout=1.0, ping_interval=None,
            logger=QUIET, server_header=None,
        )

    def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Serve the page's files; let only pages of this server open a socket."""
        host = request.headers.get('Host')
        if not self._access.host_allowed(host):
            return refuse(HTTPStatus.MISDIRECTED_REQUEST, 'this server has another name')
        path = request.path.partition('?')[0]
        if path != SOCKET:
            return respond(path, host or '', self._tls is not None)
        if not self._access.origin_allowed(request.headers.get('Origin'), host):
            return refuse(HTTPStatus.FORBIDDEN, 'the page is not from this server')
        if self._open >= self._config.max_clients:
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, 'too many pages are open')
        return None

    async def _handle(self, socket: ServerConnection) -> None:
        self._open += 1
        try:
            hello = await self._greet(socket)
            if hello is not None:
                await self._serve_page(socket, hello)
        except ConnectionClosed:
            return
        finally:
            self._open -= 1

    async def _greet(self, socket: ServerConnection) -> Hello | None:
        """Hear who it is; without the token nothing else is said."""
        try:
            hello = parse(await asyncio.wait_for(socket.recv(), HELLO_SECONDS))
        except (ProtocolError, TimeoutError, asyncio.TimeoutError) as error:
            await socket.close(1008, f'{error or "no hello"!s:.100}')
            return None
        address = str(socket.remote_address[0])
        if not isinstance(hello, Hello):
            await socket.close(1008, 'the first message must be hello')
        elif not self._access.login(address, hello.token, time.monotonic()):
            await socket.close(4401, 'wrong token, or too many wrong ones: wait a minute')
        elif hello.version != VERSION:
            await socket.close(4400, f'this server speaks version {VERSION}: reload the page')
        else:
            return hello
        return None

    async def _serve_page(self, socket: ServerConnection, hello: Hello) -> None:
        client = Client(
            next(self._numbers), hello.name, socket, self._config, self._link,
            self._seeds.spawn(1)[0], self._media, self._deliver, self._deliver_quick,
        )
        self.room.enter(client)
        jobs = [
            asyncio.create_task(job)
            for job in (self._read(socket, client), client.channel.run(), client.ping())
        ]
        try:
            # The first to end, be it that the page no longer answers pings, ends the page.
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.room.leave(client)
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await client.media.close()
            await socket.close()

    async def _read(self, socket: ServerConnection, client: Client) -> None:
        async for message in socket:
            if client.admits(time.monotonic()):
                client.channel.receive(message)
            elif client.floods:
                await socket.close(1008, 'too many messages')
                return

    def _deliver(self, client: Client, message: str | bytes) -> None:
        try:
            self.room.take(client, parse(message))
        except ProtocolError as error:
            client.channel.close(str(error))

    def _deliver_quick(self, client: Client, message: str | bytes) -> None:
        """Take a message of the data channel: commands, and nothing else."""
        if not client.admits(time.monotonic()):
            if client.floods:
                client.channel.close('too many messages')
            return
        try:
            command = parse(message)
            stop = isinstance(command, EmergencyStop) and command.pressed
            if not isinstance(command, Drive) and not stop:
                raise ProtocolError('only commands and the emergency stop go by this way')
            self.room.take(client, command)
        except ProtocolError as error:
            client.channel.close(str(error))


async def _cancel_all() -> None:
    """End what still runs, such as a connection that waits for a page that has gone."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
