"""Time remote driving: from the last command to the zero, and delays measured against injected.

Run: python test/benchmark/bench_teleop.py
     python test/benchmark/bench_teleop.py --tries 50

The server runs as in the node, the page is a WebSocket client on the same machine, the gate is
the real one of `s2e_core`, stepped every 20 ms in a thread as on a robot; only ROS is left out.
`stop` rows: seconds from the arrival of the last command to the first velocity of the ramp.
`link` rows: what each profile injects, and what the server measures over it. `stall` is the
longest time for which this process got no processor while it measured: read times beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from s2e_core.gate import Gate, GateConfig, Source
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_teleop.link import LinkProfile, load_link
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.room import Room
from s2e_teleop.server.server import TeleopServer
from s2e_teleop.session import SessionConfig
from s2e_teleop.video import Picture

RESULTS = Path(__file__).parent / 'results'
TOKEN = 'correct horse battery'
FAULTS = ('silent', 'cut', 'closed', 'released')
PROFILES = ('none', 'good', 'wifi', '4g', 'congested', 'satellite')
TICK = 0.02


class Stall:
    """The longest time without a processor."""

    def __init__(self) -> None:
        self.worst, self._ending = 0.0, False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ending:
            began = time.monotonic()
            time.sleep(0.002)
            self.worst = max(self.worst, time.monotonic() - began - 0.002)

    def __enter__(self) -> Stall:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending = True
        self._thread.join()


class GatedRobot:
    """A `RobotPort` with the gate behind it, as the nodes have it."""

    def __init__(self) -> None:
        self._gate = Gate(load_robot('coco'), GateConfig(tick_period=TICK))
        self._lock = threading.Lock()
        self.sent: list[tuple[float, float]] = []
        self._ending = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._ending:
            now = time.monotonic_ns()
            with self._lock:
                self._gate.update_odometry(Odometry(now, Pose2()))
                output = self._gate.step(now)
            self.sent.append((time.monotonic(), output.command.v))
            time.sleep(TICK)

    def close(self) -> None:
        """End the thread."""
        self._ending = True

    def drive(self, command: Command, age: float) -> None:
        now = time.monotonic_ns() - round(age * 1e9)
        with self._lock:
            self._gate.update_command(Source.TELEOP, Command(now, command.v, command.w))

    def halt(self, why: str) -> None:
        with self._lock:
            self._gate.update_command(Source.TELEOP, Command(time.monotonic_ns()))

    def press(self) -> None:
        with self._lock:
            self._gate.admit_driver()

    def e_stop(self, pressed: bool) -> None:
        with self._lock:
            self._gate.update_e_stop(pressed, time.monotonic_ns())

    def rearm(self) -> None:
        with self._lock:
            self._gate.rearm()

    def go_to(self, u: float, v: float) -> str:
        return 'no policy here'


class Served:
    """A server and what it notes."""

    def __init__(self, link: LinkProfile) -> None:
        self.robot, self.inputs = GatedRobot(), []
        self.links: list[Any] = []
        self.server = TeleopServer(
            ServerConfig(port=0, token=TOKEN), link,
            lambda: Room(SessionConfig(), load_robot('coco'), link, self.robot,
                         self.inputs.append, self.links.append),
            lambda error: print(f'server failed: {error}'),
        )
        self.server.start()

    def close(self) -> None:
        """End both threads."""
        self.server.stop()
        self.robot.close()


async def listen(socket: Any, state: dict[str, Any]) -> None:
    """Answer pings, confirm pictures, keep the newest state, until the connection ends."""
    with contextlib.suppress(ConnectionClosed):
        await _listen(socket, state)


async def _listen(socket: Any, state: dict[str, Any]) -> None:
    async for message in socket:
        now = time.monotonic() * 1e3
        if isinstance(message, bytes):
            number = int.from_bytes(message[4:8], 'big')
            await socket.send(json.dumps({'type': 'shown', 'frame': number, 't': now}))
            continue
        data = json.loads(message)
        if data['type'] == 'ping':
            await socket.send(json.dumps({'type': 'pong', 'id': data['id'], 't': now}))
        elif data['type'] == 'state':
            state.update(data)


async def seated(served: Served, socket: Any) -> dict[str, Any]:
    """Log in and take the seat."""
    await socket.send(json.dumps(
        {'type': 'hello', 'version': 1, 'token': TOKEN, 'name': 'bench'}
    ))
    state: dict[str, Any] = {}
    state['reader'] = asyncio.ensure_future(listen(socket, state))
    while state.get('link', {}).get('round_trip') is None:
        await asyncio.sleep(0.02)
    await socket.send(json.dumps({'type': 'seat', 'action': 'take'}))
    while state['driver'] != state['you']:
        await asyncio.sleep(0.02)
    return state


async def drive(socket: Any, seconds: float, press: int, first: int) -> int:
    """Hold the stick; returns the next number."""
    number, end = first, time.monotonic() + seconds
    while time.monotonic() < end:
        await socket.send(json.dumps({
            'type': 'drive', 'seq': number, 't': time.monotonic() * 1e3, 'press': press,
            'held': True, 'x': 1.0, 'y': 0.0,
        }))
        number += 1
        await asyncio.sleep(0.05)
    return number


async def stop_once(fault: str) -> float | None:
    """Drive and let the fault happen.

    Returns:
        Seconds to the ramp; None if the robot had stopped before, for want of a processor.
    """
    served = Served(LinkProfile())
    async with connect(f'ws://127.0.0.1:{served.server.port}/socket', max_size=None) as socket:
        await seated(served, socket)
        number = await drive(socket, 0.6, 1, 0)
        if fault == 'cut':
            socket.transport.abort()
        elif fault == 'closed':
            await socket.close()
        elif fault == 'released':
            await socket.send(json.dumps({
                'type': 'drive', 'seq': number, 't': time.monotonic() * 1e3, 'press': 1,
                'held': False, 'x': 0.0, 'y': 0.0,
            }))
        await asyncio.sleep(0.6)
    served.close()
    last = max(row.time for row in served.inputs if row.verdict == 'accepted')
    before = [v for at, v in served.robot.sent if at <= last]
    if before[-1] < max(before) or before[-1] == 0.0:
        return None
    return next(
        at for at, v in served.robot.sent if at > last and v < before[-1] - 1e-6
    ) - last


def stops(fault: str, tries: int) -> dict[str, Any]:
    """Time a fault so many times; returns a row."""
    times: list[float] = []
    disturbed = 0
    with Stall() as stall:
        while len(times) < tries:
            took = asyncio.run(stop_once(fault))
            if took is None:
                disturbed += 1
            else:
                times.append(took)
    return {
        'fault': fault, 'tries': tries, 'median': float(np.median(times)),
        'longest': max(times), 'disturbed': disturbed, 'stall': stall.worst,
    }


async def link_once(name: str, seconds: float) -> dict[str, Any]:
    """Drive over a profile with a film of 20 Hz; returns what the server measured."""
    link = load_link(name)
    served = Served(link)
    rgb = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    rgb[:] = np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None]
    async with connect(f'ws://127.0.0.1:{served.server.port}/socket', max_size=None) as socket:
        state = await seated(served, socket)
        press, number, end = 1, 0, time.monotonic() + seconds

        async def film() -> None:
            for frame in range(10**6):
                served.server.show(Picture(frame, time.monotonic(), rgb=rgb))
                await asyncio.sleep(0.05)

        camera = asyncio.ensure_future(film())
        while time.monotonic() < end:
            number = await drive(socket, 0.2, press, number)
            # As a person would: press anew after a stop.
            press += state['hold'] == 'lost'
        camera.cancel()
    served.close()
    measured = state['link']
    rows = served.inputs
    return {
        'link': name, 'injected_round_trip': link.to_robot.delay + link.to_driver.delay,
        'round_trip': measured['round_trip'], 'injected_to_robot': link.to_robot.delay,
        'command_age': measured['command_age'], 'injected_to_driver': link.to_driver.delay,
        'glass_to_glass': measured['glass_to_glass'], 'frame_rate': measured['frame_rate'],
        'stops_per_minute': (press - 1) * 60 / seconds,
        'accepted': sum(row.verdict == 'accepted' for row in rows) / max(1, len(rows)),
    }


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Print a table and keep it."""
    with (RESULTS / name).open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print('  '.join(
            f'{key} {value:.3f}' if isinstance(value, float) else f'{key} {value}'
            for key, value in row.items()
        ))


def main() -> None:
    """Measure and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--tries', type=int, default=20, help='Stops per fault.')
    parser.add_argument('--seconds', type=float, default=15.0, help='Drive over each profile.')
    arguments = parser.parse_args()
    write('bench_teleop_stop.csv', [stops(fault, arguments.tries) for fault in FAULTS])
    links = []
    for name in PROFILES:
        with Stall() as stall:
            row = asyncio.run(link_once(name, arguments.seconds))
        links.append({**row, 'stall': stall.worst})
    write('bench_teleop_link.csv', links)


if __name__ == '__main__':
    main()
