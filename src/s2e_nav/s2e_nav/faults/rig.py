"""The test bench: a robot of numbers or the simulator, real nodes, and all they say."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav2_msgs.action import NavigateToPose
from nav_msgs.msg import Path as PathMessage
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from s2e_core.robot import load_robot
from s2e_core.stops import Reason
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message
from s2e_nav.errors import StartError
from s2e_nav.faults.bench_robot import BenchRobot
from s2e_nav.faults.model import TOPIC
from s2e_nav.faults.nav2 import OUT, RAW
from s2e_nav.faults.processes import Processes, isolated_environment
from s2e_nav.faults.robot import SyntheticRobot
from s2e_nav.faults.senses import Sabotage
from s2e_nav.faults.simulated import RAW as RAW_SENSES
from s2e_nav.faults.simulated import SimulatedRobot, SimulatedWorld
from s2e_nav.policies import STRAIGHT
from s2e_nav.qos import LATCHED, RELIABLE

PATIENCE = 60.0
"""Longest wait for processes and for a drive to begin, seconds."""
CRUISE = 0.45
"""m/s; the cap on a robot with a camera alone is 0.5."""
SET_OFF = 5.0
"""Longest wait for a steady drive after a goal, seconds."""
TRIES = 12
"""Goals that are set before a drive is given up."""
TRIES_AGAIN = 6
"""The same for nodes that have driven before."""
STEADY = 0.3
"""Seconds at that speed before a fault is injected."""
DRIVES = (Reason.NONE.value, Reason.NO_COMMAND.value)
"""What the gate says while nothing is wrong."""
PATIENT = 8.0
"""Seconds after which the policy node gives up a goal that comes no nearer."""


@dataclass(frozen=True)
class Word:
    """What the gate or the policy node said."""

    time: float
    """Steady clock on arrival, seconds."""
    reason: str
    """The gate's reason, or the error name of a goal's end."""
    latched: bool
    """Whether it needs a new goal."""


class Rig:
    """One graph on a domain of its own."""

    def __init__(
        self, domain: int, *, sim_time: bool = False, udp: bool = False, chain: bool = False,
        scan: bool = False, world: SimulatedWorld | None = None,
    ) -> None:
        """Start everything and wait until it is ready.

        Args:
            domain: ROS domain that nobody else uses.
            sim_time: Run on the robot's /clock.
            udp: Let the nodes talk over UDP alone.
            chain: Put a smoother and a monitor between follower and gate.
            scan: Give robot and gate a range scanner.
            world: Let the simulator be the robot; its clock is /clock then in any case.

        Raises:
            StartError: A node does not come up.
        """
        self._stack = contextlib.ExitStack()
        logs = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix='s2e-faults-')))
        self.context = rclpy.Context()
        rclpy.init(args=[], context=self.context, domain_id=domain)
        self.node = Node('saboteur', context=self.context)
        self.robot = self._make_robot(sim_time, scan, world)
        self.trace = self.robot.trace
        self.words: list[Word] = []
        self.faults: list[str] = []
        self.planned = 0.0
        """Steady clock at which the newest plan that moves came, seconds."""
        self.has_driven = False
        """Whether it came to a drive once: the nodes are whole."""
        self._gate: dict[str, str] = {}
        self._state, self._stamp = '', 0
        self._open_topics()
        # Before anything spins: rclpy hands a client to the executor before it is complete.
        self.action: Any = ActionClient(self.node, NavigateToPose, 'navigate_to_pose')
        self._admit: Any = self.node.create_client(Trigger, 'gate/admit_driver')
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()
        self.robot.start()
        if scan:
            self.robot.sabotage.scan = 'free'
        own, remapped = _parameters(scan, world), {'follower': {OUT: RAW}} if chain else {}
        if world is not None:
            remapped['simulator'] = RAW_SENSES
        timed = {'use_sim_time': 'true' if sim_time or world is not None else 'false'}
        self.processes = Processes(
            isolated_environment(domain, udp=udp), timed, logs, own, remapped
        )
        there = {
            'gate': True, 'nav2': chain, 'follower': True, 'policy': True,
            'simulator': world is not None,
        }
        try:
            for name in (name for name, is_there in there.items() if is_there):
                self.processes.start(name)
            self.wait_ready()
        except BaseException:
            # Nothing of this bench may outlive it, whatever went wrong or was interrupted.
            self.close()
            raise

    def _make_robot(self, sim_time: bool, scan: bool, world: SimulatedWorld | None) -> BenchRobot:
        if world is not None:
            return SimulatedRobot(self.node, scan=scan)
        timeout = load_robot('coco').base_timeout or 0.5
        return SyntheticRobot(self.node, timeout, sim_time=sim_time)

    def close(self) -> None:
        """End everything."""
        self.processes.stop()
        self.robot.stop()
        self._executor.shutdown()
        self._thread.join(5.0)
        self.action.destroy()
        self.node.destroy_node()
        self.context.shutdown()
        self._stack.close()

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for an event, in vain where a node has ended by itself.

        Raises:
            StartError: It did not come; the text says what the nodes said.
        """
        self.trace.wait(lambda: condition() or bool(self.processes.dead()), seconds)
        if not condition():
            dead = self.processes.dead()
            said = ''.join(f'\n--- {name}\n{self.processes.said(name)}' for name in dead)
            raise StartError(f'{what}: not within {seconds:g} s; gate {self._gate}{said}')

    def wait_ready(self) -> None:
        """Wait until the nodes answer and are connected."""
        self.wait(
            lambda: bool(self._gate) and self._state in ('idle', 'arrived')
            and self.node.count_subscribers('odom') >= 3
            and self.node.count_subscribers('cmd_vel_nav') >= 1
            and self.node.count_publishers('cmd_vel') >= 1,
            PATIENCE, 'the nodes are ready',
        )

    def forget(self, name: str) -> None:
        """Forget what a node said that is about to be started again."""
        if name == 'gate':
            self._gate = {}
        if name == 'policy':
            self._state = ''

    @property
    def source(self) -> str:
        """Whose command the gate passes on."""
        return self._gate.get('source', '')

    def place(self, ahead: float, left: float = 0.0) -> np.ndarray:
        """Return a point seen from the robot, in odom, metres. [2]"""
        return self.robot.pose.transform(np.array([ahead, left]))

    def send_goal(self, frame: str = 'odom', *, bend: bool = False) -> int:
        """Publish a goal ahead, or one for which the robot must turn left; returns its stamp."""
        self._stamp = max(self.robot.now_ns(), self._stamp + 1)
        point = self.robot.bend() if bend else self.robot.goal()
        self._goals.publish(goal_message(point, self._stamp, frame))
        return self._stamp

    def drive(self) -> None:
        """Set a goal and wait for a steady drive.

        Raises:
            StartError: There is none, however often a goal is set.
        """
        self.robot.sabotage.driver = 'none'
        begun = time.monotonic()
        for _ in range(TRIES_AGAIN if self.has_driven else TRIES):
            self.robot.begin(self.wait)
            self.send_goal()
            # A machine that is busy with something else may stop the robot; then once more.
            if self.trace.wait(lambda: self.trace.is_cruising(CRUISE, STEADY), SET_OFF):
                self.has_driven = True
                return
        raise StartError(f'the robot does not drive; {self._account(begun)}')

    def _account(self, since: float) -> str:
        """Tell what the robot and the nodes did since a time, for an error message."""
        sent = self.trace.since(since)
        fastest = max((command.v for command in sent), default=0.0)
        age = time.monotonic() - self.planned
        planned = f'{age:.1f} s ago' if self.planned > since else 'none'
        return (
            f'{len(sent)} commands of up to {fastest:.2f} m/s; newest plan that moves: {planned}; '
            f'policy {self._state}; said {" ".join(self.reasons(since)) or "nothing"}; '
            f'gate {self._gate}'
        )

    def break_model(self, mode: str) -> None:
        """Tell the model how to fail."""
        self._model.publish(String(data=mode))

    def heal(self) -> None:
        """Repair robot and model."""
        # A heartbeat of the e-stop that was seen once must go on.
        broken = self.robot.sabotage
        self.robot.sabotage = Sabotage(
            e_stop=broken.e_stop, driver=broken.driver,
            scan='none' if broken.scan == 'none' else 'free',
        )
        self.break_model('ok')

    def admit_driver(self) -> None:
        """Tell the gate that the dead-man was pressed anew."""
        future: Any = self._admit.call_async(Trigger.Request())
        self.wait(future.done, PATIENCE, 'the gate answers the driver')

    def reasons(self, since: float) -> list[str]:
        """Return what was said since a time, each once, in order."""
        return list(dict.fromkeys(w.reason for w in list(self.words) if w.time > since))

    def is_latched(self, since: float) -> bool:
        """Whether a stop since a time needs a new goal."""
        return any(word.latched and word.time > since for word in list(self.words))

    @contextlib.contextmanager
    def second_publisher(self) -> Iterator[None]:
        """Open cmd_vel a second time."""
        other = Node('intruder', context=self.context)
        other.create_publisher(TwistStamped, 'cmd_vel', 10)
        try:
            yield
        finally:
            other.destroy_node()

    def _open_topics(self) -> None:
        node = self.node
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._model = node.create_publisher(String, TOPIC, RELIABLE)
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/result', self._on_result, RELIABLE)
        node.create_subscription(PathMessage, 's2e/trajectory', self._on_plan, RELIABLE)

    def _on_gate(self, message: DiagnosticStatus) -> None:
        self._gate = status_values(message)
        reason, latch = self._gate['reason'], self._gate['latched']
        latched = latch != Reason.NONE.value
        # A stop is latched at the end of a step that still let its command pass.
        reason = latch if latched and reason in DRIVES else reason
        if reason not in DRIVES:
            self.words.append(Word(time.monotonic(), reason, latched))
        self.trace.poke()

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        self._state = values['state']
        if values['fault']:
            self.faults.append(values['fault'])
        self.trace.poke()

    def _on_result(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        if values['error_name'] != 'REPLACED':
            self.words.append(Word(time.monotonic(), values['error_name'], True))
        self.trace.poke()

    def _on_plan(self, message: PathMessage) -> None:
        if message.poses:
            self.planned = time.monotonic()


def _parameters(scan: bool, world: SimulatedWorld | None) -> dict[str, dict[str, str]]:
    """Return the parameters of each node that are its own."""
    policy = {'mission.approach_timeout': str(PATIENT), 'policy': STRAIGHT}
    own = {'policy': policy, 'gate': {}}
    if scan:
        own['gate'] = {'gate.obstacles.source': 'scan', 'gate.obstacles.period': '0.1'}
    if world is not None:
        # The camera sits elsewhere than the policy's did in training.
        policy |= {'policy': json.dumps(world.policy), 'robot': 'coco'}
        own['simulator'] = world.bridge(scan)
    return own
