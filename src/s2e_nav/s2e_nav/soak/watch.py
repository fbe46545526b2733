"""Sets goal after goal and notes how the nodes keep their time."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Path as PathMessage
from rclpy.node import Node

from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.records import Odometry
from s2e_core.stops import WAITING
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.qos import CHANGES, LATCHED, RELIABLE, SENSOR
from s2e_nav.runtime.timers import steady_timer

PLAN_LATE_NS = POLICY_PERIOD_NS + 50_000_000
"""Between the images of two plans; half a period of a camera of 10 Hz later, one was missed."""
GATE_PERIOD_NS = 20_000_000
"""`gate.tick_period` on a robot: what the gate promises between two commands."""
REST = 1.0
"""From the end of a goal to the next, seconds."""
AGAIN = 2.0
"""Until a goal that the policy has not named is said again, seconds: nodes that start do not hear
each other at the same moment, and a first goal that nobody heard was two minutes of standing."""
PATIENCE = 120.0
"""Longest drive to one goal, seconds; then the next one replaces it."""
FAR = (2.0, 6.0)
"""Distance of a goal, metres."""
ASIDE = math.radians(60.0)
"""Bearing of a goal to either side."""
READY = ('idle', 'arrived')
QUIET = {reason.value for reason in WAITING}


@dataclass
class Counts:
    """What happened during one row of the table."""

    plans: int = 0
    plans_late: int = 0
    ages: list[float] = field(default_factory=list)
    """From the image's stamp to the plan, as heard here, seconds."""
    commands: int = 0
    commands_late: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """Ends of goals by the name of their code."""
    stops: Counter[str] = field(default_factory=Counter)
    """Reasons of the gate that were neither a drive nor the lack of one."""


class SoakWatch:
    """Listens on the topics of one robot and drives it about."""

    def __init__(self, node: Node, seed: int) -> None:
        """Subscribe; goals begin once the policy is ready.

        Args:
            node: Owner; spun by somebody else.
            seed: Of the goals.
        """
        self._node = node
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._counts = Counts()
        self._stages: dict[str, str] = {}
        self._odometry: Odometry | None = None
        self._plan: tuple[int, bool] | None = None
        self._command: tuple[int, bool] | None = None
        self._due, self._say_at, self._reason = math.inf, math.inf, ''
        self._goal, self._goal_ns = np.zeros(2), 0
        self.state = ''
        """What the policy node last said that it does."""
        self.provider = ''
        """ONNX execution provider in use."""
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        listen_to_odometry(node, self._on_odometry, SENSOR)
        node.create_subscription(PathMessage, 's2e/trajectory', self._on_plan, RELIABLE)
        node.create_subscription(TwistStamped, 'cmd_vel', self._on_command, RELIABLE)
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/result', self._on_result, RELIABLE)
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, CHANGES)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)
        steady_timer(node, 0.2, self._look)

    def begin(self) -> None:
        """Set the first goal; until then the robot stands."""
        self._due = 0.0

    def take(self) -> tuple[Counts, dict[str, str]]:
        """Return what happened since the last call, and the newest percentiles of the stages."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
            return counts, dict(self._stages)

    @property
    def is_ready(self) -> bool:
        """Whether a goal can be set."""
        return self.state in READY and self._odometry is not None

    def _look(self) -> None:
        """Set the next goal when its time has come, and say it until the policy names it."""
        now, odometry = time.monotonic(), self._odometry
        if odometry is not None and now >= self._due:
            self._due, self._say_at = now + PATIENCE, now
            self._goal_ns = max(self._now(), self._goal_ns + 1)
            self._goal = self._choose(odometry)
        if now >= self._say_at:
            self._say_at = now + AGAIN
            self._goals.publish(goal_message(self._goal, self._goal_ns))

    def _choose(self, odometry: Odometry) -> np.ndarray:
        """Draw a point ahead of the robot, in odom, metres. [2]"""
        bearing, far = self._rng.uniform(-ASIDE, ASIDE), self._rng.uniform(*FAR)
        local = np.array([far * math.cos(bearing), far * math.sin(bearing)])
        return odometry.pose.transform(local)

    def _named(self, stamp: str) -> bool:
        """Return whether the policy speaks of the goal; then it need not be said again."""
        if stamp != str(self._goal_ns):
            return False
        self._say_at = math.inf
        return True

    def _on_odometry(self, odometry: Odometry) -> None:
        self._odometry = odometry

    def _on_plan(self, message: PathMessage) -> None:
        stamp, moves = to_ns(message.header.stamp), bool(message.poses)
        with self._lock:
            if self._plan is not None and self._plan[1]:
                self._counts.plans += 1
                self._counts.plans_late += stamp - self._plan[0] > PLAN_LATE_NS
            if moves:
                self._counts.ages.append((self._now() - stamp) * 1e-9)
        self._plan = stamp, moves

    def _on_command(self, message: TwistStamped) -> None:
        stamp, twist = to_ns(message.header.stamp), message.twist
        with self._lock:
            # After a second of zeros the gate is silent: only what follows motion is owed.
            if self._command is not None and self._command[1]:
                self._counts.commands += 1
                self._counts.commands_late += stamp - self._command[0] > GATE_PERIOD_NS
        self._command = stamp, bool(twist.linear.x or twist.linear.y or twist.angular.z)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        with self._lock:
            self.state, self.provider = values['state'], values.get('provider', '')
            self._stages |= {key: text for key, text in values.items() if key.endswith('_ms')}
        self._named(values['goal_stamp'])

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        """Take how long the gate says that commands take from the image on."""
        with self._lock:
            for status in message.status:
                if status.name == 'gate':
                    self._stages |= {
                        f'command_{key}': text for key, text in status_values(status).items()
                        if key.endswith('_ms')
                    }

    def _on_result(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        with self._lock:
            self._counts.ends[values['error_name']] += 1
        if self._named(values['goal_stamp']):
            self._due = time.monotonic() + REST

    def _on_gate(self, message: DiagnosticStatus) -> None:
        reason = status_values(message)['reason']
        if reason != self._reason and reason not in QUIET:
            with self._lock:
                self._counts.stops[reason] += 1
        self._reason = reason

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
