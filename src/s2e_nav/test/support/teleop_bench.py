"""A robot with a real gate, a teleop node, and a driver at a page in Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from sensor_msgs.msg import CameraInfo
from websockets.asyncio.client import connect

from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message, message_from_odometry
from s2e_nav.nodes.gate import GateNode
from s2e_nav.nodes.teleop import TeleopNode
from s2e_nav.qos import LATCHED

TOKEN = 'correct horse battery'
CAMERA = load_robot('coco').camera.model()


class Stall:
    """Measures for how long this process gets no processor while something else is timed."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ending.is_set():
            began = time.monotonic()
            time.sleep(0.002)
            self.worst = max(self.worst, time.monotonic() - began - 0.002)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._ending.set()
        self._thread.join()


class Bench:
    """A gate, a robot that stands, and autonomy that asks for 0.4 m/s all the time."""

    def __init__(self, ros, autonomy: bool = False) -> None:
        self.ros = ros
        gate_node = ros.node('gate', robot='coco', gate__tick_period=0.02)
        self.gate = GateNode(gate_node)
        self.helper = ros.node('helper')
        self.clock = self.helper.get_clock()
        self.odom = self.helper.create_publisher(OdometryMessage, 'odom', 20)
        self.info = self.helper.create_publisher(CameraInfo, 'camera/camera_info', 20)
        self.autonomy = self.helper.create_publisher(TwistStamped, 'cmd_vel_nav', 20)
        self.goals = self.helper.create_publisher(PoseStamped, 's2e/goal', LATCHED)
        self.sent: list[tuple[float, float]] = []
        self.helper.create_subscription(TwistStamped, 'cmd_vel', self._on_velocity, 50)
        self.asked = ros.listen(self.helper, TwistStamped, 'cmd_vel_teleop', 50)
        self.states = ros.listen(self.helper, DiagnosticStatus, 's2e/gate', LATCHED)
        self._drives_itself = autonomy
        self.helper.create_timer(0.03, self._feed)
        ros.spin(gate_node)
        ros.spin(self.helper)
        ros.wait(lambda: bool(self.states))

    def _feed(self) -> None:
        now = int(self.clock.now().nanoseconds)
        self.odom.publish(message_from_odometry(Odometry(now, Pose2())))
        self.info.publish(info_from_camera(CAMERA, now, 'optical'))
        if self._drives_itself:
            self.autonomy.publish(stamped_from_command(Command(now, 0.4, 0.0)))

    def _on_velocity(self, message: TwistStamped) -> None:
        self.sent.append((time.monotonic(), message.twist.linear.x))

    def drives_itself(self) -> None:
        """Give autonomy a goal and wait until it drives."""
        def drives() -> bool:
            if self.latched != 'none' or status_values(self.states[-1])['reason'] == 'no_goal':
                now = int(self.clock.now().nanoseconds)
                self.goals.publish(goal_message(np.array([9.0, 0.0]), now))
            return self.speed() > 0.2

        self.ros.wait(drives)

    def waits_for_a_person(self) -> bool:
        """Whether the gate misses the driver; on a busy machine it may miss a heartbeat too."""
        return self.latched in ('operator_lost', 'e_stop_lost')

    @property
    def latched(self) -> str:
        return status_values(self.states[-1])['latched']

    def speed(self) -> float:
        return self.sent[-1][1] if self.sent else 0.0

    def teleop(self, **parameters) -> TeleopNode:
        node = self.ros.node(
            'teleop', robot='coco', server__port=0, server__token=TOKEN, **parameters
        )
        teleop = TeleopNode(node)
        self.ros.spin(node)
        self.ros.wait(lambda: teleop._output._admit.service_is_ready())
        self.ros.wait(lambda: bool(teleop._output.gate))
        return teleop

    def ramp_began(self, since: float) -> float:
        """When the velocity first fell after a time."""
        self.ros.wait(lambda: self.speed() == 0.0)
        before = max(v for at, v in self.sent if at <= since)
        return next(at for at, v in self.sent if at > since and v < before - 1e-6)


class Driver:
    """A page in a thread: holds the stick until told otherwise."""

    def __init__(self, teleop: TeleopNode) -> None:
        self._port = teleop.server.port
        self.press, self.held, self.x = 1, False, 1.0
        self.insists = True
        """Presses anew when the robot stopped for want of a driver, as a person would."""
        self._pressed_at = 0.0
        self.last_sent = 0.0
        self.state: dict = {}
        self.notes: list[str] = []
        self.overlay: dict = {}
        self.frames = 0
        self._jobs: list = []
        self._how = ''
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def say(self, kind: str, **values) -> None:
        self._jobs.append({'type': kind, **values})

    def lose(self, how: str) -> None:
        """Cut the connection, or go quiet with it open."""
        self._how = how
        if how == 'cut':
            self._thread.join(10.0)

    async def _run(self) -> None:
        with contextlib.suppress(Exception):
            async with connect(f'ws://127.0.0.1:{self._port}/socket', max_size=None) as socket:
                await socket.send(json.dumps(
                    {'type': 'hello', 'version': 1, 'token': TOKEN, 'name': 'test'}
                ))
                await asyncio.gather(self._listen(socket), self._act(socket))

    async def _listen(self, socket) -> None:
        async for message in socket:
            if isinstance(message, bytes):
                self.frames += 1
                continue
            data = json.loads(message)
            if data['type'] == 'ping' and self._how != 'quiet':
                await socket.send(json.dumps(
                    {'type': 'pong', 'id': data['id'], 't': time.monotonic() * 1e3}
                ))
            elif data['type'] == 'state':
                self.state = data
            elif data['type'] == 'note':
                self.notes.append(data['text'])
            elif data['type'] == 'overlay':
                self.overlay = data

    def _insist(self) -> None:
        """On a busy machine commands come late and the robot stops, as it should."""
        if not (self.held and self.insists) or time.monotonic() - self._pressed_at < 1.0:
            return
        if self.state['robot']['latched'] not in ('none', 'operator_lost'):
            self.say('rearm')
        elif self.state['hold'] != 'lost':
            return
        self._pressed_at = time.monotonic()
        self.press += 1

    async def _act(self, socket) -> None:
        sequence, was = 0, False
        while self._how != 'cut':
            self._insist()
            while self._jobs:
                await socket.send(json.dumps(self._jobs.pop(0)))
            if (self.held or was) and self._how != 'quiet':
                sequence += 1
                await socket.send(json.dumps({
                    'type': 'drive', 'seq': sequence, 't': time.monotonic() * 1e3,
                    'press': self.press, 'held': self.held, 'x': self.x, 'y': 0.0,
                }))
                if self.held:
                    self.last_sent = time.monotonic()
                was = self.held
            await asyncio.sleep(0.05)
        socket.transport.abort()
