"""Everybody who is connected, around one session: what arrives is sorted, what is new is told."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Coroutine
from typing import Any

from s2e_core.robot import RobotProfile
from s2e_teleop.deadman import Hold, Verdict
from s2e_teleop.errors import ProtocolError
from s2e_teleop.journal import LinkSample, OperatorInput
from s2e_teleop.link import LinkProfile
from s2e_teleop.overlay import Line
from s2e_teleop.protocol import (
    CardAnswer,
    Drive,
    EmergencyStop,
    GoTo,
    Halt,
    Limit,
    Load,
    Message,
    Offer,
    Pong,
    Rearm,
    Seat,
    Shown,
    Streamed,
    View,
    encode,
)
from s2e_teleop.robot_port import RobotPort, RobotState
from s2e_teleop.server.client import Client
from s2e_teleop.session import Session, SessionConfig
from s2e_teleop.study.card import Guide, StudyCard
from s2e_teleop.study.desk import StudyDesk
from s2e_teleop.video import Picture

STATE_PERIOD = 0.2
HEARTBEAT = 0.05
"""A quarter of the gate's e-stop period of 0.2 s: several may come late, seconds."""
WATCH = 0.01
"""How often the driver is looked after while driving, seconds."""


class Room:
    """Session, pages and robot; lives in the server's loop."""

    def __init__(
        self, config: SessionConfig, robot: RobotProfile, link: LinkProfile, port: RobotPort,
        on_input: Callable[[OperatorInput], None], on_link: Callable[[LinkSample], None],
        desk: StudyDesk | None = None,
    ) -> None:
        """Open an empty room.

        Args:
            config: Rules of the session.
            robot: Limits.
            link: Profile in force, for the pages to see.
            port: The robot.
            on_input: Called with each command of a driver.
            on_link: Called with each page's link once a second.
            desk: Of a study, if one runs.
        """
        self.desk = desk or StudyDesk(lambda answer: None)
        self.session = Session(config, robot, link, port, self.say)
        self.clients: dict[int, Client] = {}
        self.robot = RobotState()
        self._name, self._link, self._port = robot.name, link, port
        self._on_input, self._on_link = on_input, on_link
        self._picture: Picture | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._problem = ''

    def enter(self, client: Client) -> None:
        """Let a page in."""
        self.clients[client.number] = client
        self.session.join(client.number, client.name)
        client.channel.send(encode(
            'welcome', id=client.number, robot=self._name, speed_cap=self.session.speed_cap,
            sideways=self.session.sideways,
            link={'name': self._link.name, 'description': self._link.description},
            webrtc=client.media.welcome(),
        ))
        self.tell()
        if self.desk.text:
            client.channel.send(self.desk.text)

    def leave(self, client: Client) -> None:
        """A page is gone."""
        self.clients.pop(client.number, None)
        self.session.leave(client.number)
        self.tell()

    def say(self, text: str) -> None:
        """Show every page a line."""
        for client in self.clients.values():
            client.channel.send(encode('note', text=text))

    def take(self, client: Client, message: Message) -> None:
        """Do what a page asks."""
        now = time.monotonic()
        if client.number not in self.clients:
            return
        self.session.heard(client.number, now)
        if isinstance(message, Drive):
            self._drive(client, message, now)
        elif isinstance(message, Pong):
            client.answer(message, now)
        elif isinstance(message, Shown):
            client.shown(message, now)
            self._show(client)
        elif isinstance(message, Streamed):
            client.streamed(message, now)
        elif isinstance(message, View):
            client.view = message
        elif isinstance(message, Offer):
            self._start(self._answer(client, message.sdp))
        else:
            refusal = self._ask(client.number, message, now)
            if refusal:
                client.channel.send(encode('note', text=refusal))
            self.tell()

    def _ask(self, number: int, message: Message, now: float) -> str:
        session = self.session
        if isinstance(message, Seat):
            return session.seat(number, message.action, now)
        if isinstance(message, EmergencyStop):
            return session.press_e_stop(message.pressed, number)
        if isinstance(message, Rearm):
            return session.rearm(number)
        if isinstance(message, Halt):
            return session.halt(number)
        if isinstance(message, Limit):
            return session.set_limit(number, message.value)
        if isinstance(message, GoTo):
            return session.go_to(number, message.u, message.v, now)
        if isinstance(message, (CardAnswer, Load)):
            return self.desk.take(message, number == session.seats.driver)
        return 'not now'

    async def _answer(self, client: Client, sdp: str) -> None:
        try:
            answer = await client.media.answer(sdp)
        except ProtocolError as error:
            client.channel.close(str(error))
            return
        if answer is not None:
            client.channel.send(encode('answer', **answer))

    def _drive(self, client: Client, message: Drive, now: float) -> None:
        if client.copy_of_known(message.seq):
            return
        age, before = client.age(message.t, now), self.session.hold
        verdict, command = self.session.drive(client.number, message, age, now)
        if verdict is Verdict.ACCEPTED:
            client.accepted += 1
            client.ages.append(age)
        elif verdict is not Verdict.RELEASED:
            client.refused += 1
        self._on_input(OperatorInput(
            now, client.number, message.seq, message.press, message.held, message.x, message.y,
            message.side, age, command.v, command.w, command.vy, verdict.value,
        ))
        if self.session.hold is not before:
            self.tell()

    def show(self, picture: Picture) -> None:
        """Offer a new picture to every page."""
        self._picture = picture
        for client in self.clients.values():
            client.media.show(picture)
            self._show(client)

    def _show(self, client: Client) -> None:
        if self._picture is not None:
            self._start(self._send(client, self._picture))

    def _start(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, client: Client, picture: Picture) -> None:
        self._problem = await client.show(picture)

    def draw(self, lines: list[Line], goal: list[float] | None) -> None:
        """Send lines to every page that asked for them."""
        text = encode('overlay', lines=[dataclasses.asdict(line) for line in lines], goal=goal)
        for client in self.clients.values():
            if client.view.modes:
                client.channel.send(text)

    def show_card(self, card: StudyCard) -> None:
        """Show every page where the study is."""
        self.desk.card = card
        for client in self.clients.values():
            client.channel.send(self.desk.text)

    def show_guide(self, guide: Guide) -> None:
        """Show every page where the goal is."""
        text = self.desk.guide(guide)
        for client in self.clients.values():
            client.channel.send(text)

    def update(self, state: RobotState) -> None:
        """Take the newest state of the robot."""
        self.robot = state
        self.session.gate_latched(state.latched, time.monotonic())

    def tell(self) -> None:
        """Send the state to every page."""
        now = time.monotonic()
        common = self._common()
        for client in self.clients.values():
            link = client.sample(client.number == self.session.seats.driver, now)
            client.channel.send(encode(
                'state', **common, link=dataclasses.asdict(link), you=client.number,
            ))

    def _common(self) -> dict[str, Any]:
        session, seats = self.session, self.session.seats
        request = seats.request
        robot = dataclasses.asdict(self.robot)
        if self._problem:
            robot['notes'] = (*robot['notes'], self._problem)
        return {
            'driver': seats.driver, 'driver_name': seats.name(seats.driver),
            'watchers': seats.watchers, 'hold': session.hold.value, 'e_stop': session.e_stop,
            'limit': session.limit, 'to_goal': session.to_goal, 'robot': robot,
            'request': None if request is None else {
                'id': request.client, 'name': seats.name(request.client),
            },
        }

    async def watch(self) -> None:
        """Look after the driver; a lost one is told to the gate within `WATCH`."""
        while True:
            self.session.tick(time.monotonic())
            await asyncio.sleep(WATCH if self.session.hold is Hold.DRIVING else 0.05)

    async def beat(self) -> None:
        """Send the emergency stop's heartbeat: if this loop dies, the gate stops the robot."""
        while True:
            self._port.e_stop(self.session.e_stop)
            await asyncio.sleep(HEARTBEAT)

    async def report(self) -> None:
        """Tell the state, and once a second how each link is."""
        count = 0
        while True:
            self.tell()
            count += 1
            if count % 5 == 0:
                now, driver = time.monotonic(), self.session.seats.driver
                for client in self.clients.values():
                    self._on_link(client.sample(client.number == driver, now))
            await asyncio.sleep(STATE_PERIOD)
