"""What the policy node says about itself: status, diagnostics, and the end of each goal."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from s2e_nav.convert.diagnostics import ERROR, OK, WARN, diagnostics, status_message
from s2e_nav.navigation.codes import Code
from s2e_nav.navigation.mission import Ending, Outcome, Progress
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.runtime.timers import steady_timer

WANTED = frozenset({Code.REPLACED, Code.INACTIVE})
"""Ends that somebody asked for: they are no warning in the log."""


class StatusBoard:
    """Publishes on each change and once a second, in every state of the lifecycle."""

    def __init__(self, node: Node) -> None:
        """Open the topics.

        Args:
            node: Owner.
        """
        self._node = node
        self._lock = threading.Lock()
        self._status = node.create_publisher(DiagnosticStatus, 's2e/status', LATCHED)
        self._results = node.create_publisher(DiagnosticStatus, 's2e/result', RELIABLE)
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        self._facts: dict[str, object] = {}
        self.state = 'unconfigured'
        self.fault = ''
        """Why the robot does not do what was asked, or the last goal's end."""
        self.failure = ''
        """What is wrong with the newest image or the answer to it."""
        self.image_ns, self.mode, self.goal_ns = 0, -1, 0
        self.progress = Progress()
        steady_timer(node, 1.0, self._each_second)

    def set_facts(self, facts: Mapping[str, object]) -> None:
        """Replace the slowly changing values, such as policy, provider and latency."""
        self._facts = dict(facts)

    def publish(self) -> None:
        """Send the status; any thread may."""
        with self._lock:
            self._status.publish(self._message())

    def end(self, ending: Ending) -> None:
        """Send the end of a goal, whichever way the goal came."""
        values = {
            'goal_stamp': ending.mission.stamp_ns, 'kind': ending.mission.kind.value,
            'outcome': ending.outcome.value, 'error_code': int(ending.code),
            'error_name': ending.code.name,
        }
        level = OK if ending.outcome is Outcome.SUCCEEDED else WARN
        self._results.publish(status_message('policy', level, ending.text, values))
        text = f'goal {ending.outcome.value}: {ending.text}'
        if ending.outcome is Outcome.ABORTED and ending.code not in WANTED:
            self._node.get_logger().warning(text)
        else:
            self._node.get_logger().info(text)

    def _message(self) -> DiagnosticStatus:
        level = ERROR if self.failure else WARN if self.fault else OK
        progress = self.progress
        values = {
            'state': self.state, 'fault': self.fault, 'goal_stamp': self.goal_ns,
            **self._facts,
            'image_stamp': self.image_ns, 'mode': self.mode, 'failure': self.failure,
            'distance_remaining': f'{progress.distance:.2f}',
            'poses_remaining': progress.remaining, 'speed': f'{progress.speed:.2f}',
            'navigation_time': f'{progress.elapsed:.1f}',
        }
        return status_message('policy', level, self.fault or self.state, values)

    def _each_second(self) -> None:
        self.publish()
        now = int(self._node.get_clock().now().nanoseconds)
        self._diagnostics.publish(diagnostics(self._message(), now))
