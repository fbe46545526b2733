"""Time remote driving: from the last command to the zero, and delays measured against injected.

Run: python test/benchmark/bench_teleop.py
     python test/benchmark/bench_teleop.py --tries 50 --seconds 60

The server runs as in the node, the gate is the real one of `s2e_core`, stepped every 20 ms in a
thread as on a robot; only ROS is left out.
`stop` rows: seconds from the arrival of the last command to the first velocity of the ramp, with a
WebSocket client for a page.
`link` rows: what each profile injects, and what the server measures over it, with the page in
headless Chromium, by WebSocket alone and by WebRTC too. `stall` is the longest time for which this
process got no processor while it measured: read times beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from driven import TOKEN, Served, Stall
from driven_page import TRANSPORTS, link_once
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from s2e_teleop.link import LinkProfile

RESULTS = Path(__file__).parent / 'results'
FAULTS = ('silent', 'cut', 'closed', 'released')
PROFILES = ('none', 'good', 'wifi', '4g', 'congested', 'satellite')


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
    parser.add_argument('--seconds', type=float, default=30.0, help='Drive over each profile.')
    parser.add_argument('--links', default=' '.join(PROFILES), help='Profiles.')
    arguments = parser.parse_args()
    if arguments.tries:
        write('bench_teleop_stop.csv', [stops(fault, arguments.tries) for fault in FAULTS])
    links = []
    for name in arguments.links.split():
        for transport in TRANSPORTS:
            with Stall() as stall:
                row = asyncio.run(link_once(name, transport, arguments.seconds))
            links.append({**row, 'stall': stall.worst})
            print(links[-1], flush=True)
    write('bench_teleop_link.csv', links)


if __name__ == '__main__':
    main()
