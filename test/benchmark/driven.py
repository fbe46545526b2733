"""A served robot with the real gate behind it, and a film, for timings of remote driving."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from s2e_core.gate import Gate, GateConfig, Source
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_teleop.deadman import DeadManConfig
from s2e_teleop.link import LinkProfile
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.room import Room
from s2e_teleop.server.server import TeleopServer
from s2e_teleop.session import SessionConfig
from s2e_teleop.video import Picture

TOKEN = 'correct horse battery'
TICK = 0.02
RATE = 20.0
"""Pictures of the film a second."""
PICTURE = Path(__file__).resolve().parents[2] / 'docs/images/cities.jpg'


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

    def __init__(self, link: LinkProfile, webrtc: str = 'off') -> None:
        self.robot, self.inputs = GatedRobot(), []
        self.links: list[Any] = []
        # As the node does it.
        session = SessionConfig(dead_man=DeadManConfig(max_age=link.max_age))
        self.server = TeleopServer(
            ServerConfig(port=0, token=TOKEN, webrtc=webrtc), link,
            lambda: Room(session, load_robot('coco'), link, self.robot,
                         self.inputs.append, self.links.append),
            lambda error: print(f'server failed: {error}'),
        )
        self.server.start()

    def close(self) -> None:
        """End both threads."""
        self.server.stop()
        self.robot.close()

    async def film(self) -> None:
        """Show streets at 640x480 that pass by, until cancelled."""
        rgb = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
        wide = cv2.resize(rgb, (840, 560))
        began = time.monotonic()
        for number in range(10**6):
            left, top = number * 3 % 200, number % 80
            view = np.ascontiguousarray(wide[top:top + 480, left:left + 640])
            self.server.show(Picture(number, time.monotonic(), rgb=view))
            await asyncio.sleep(max(0.0, began + (number + 1) / RATE - time.monotonic()))
