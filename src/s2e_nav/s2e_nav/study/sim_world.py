"""The simulator's bridge as the world of a study."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from s2e_nav.qos import LATCHED
from s2e_nav.study.world import Listener, Prepared, Result


class SimWorld:
    """Asks the bridge for episode after episode."""

    def __init__(self, node: Node, listener: Listener) -> None:
        """Open the services."""
        self._listener = listener
        self._current: dict[str, Any] = {}
        self._next: Any = node.create_client(Trigger, 'sim_bridge/next_episode')
        self._start: Any = node.create_client(Trigger, 'sim_bridge/start')
        node.create_subscription(String, 'sim_bridge/result', self._on_result, LATCHED)

    @property
    def ready(self) -> bool:
        """Whether the bridge is there."""
        return bool(self._next.service_is_ready() and self._start.service_is_ready())

    def next(self) -> None:
        """Ask for the next episode."""
        self._next.call_async(Trigger.Request()).add_done_callback(self._on_next)

    def begin(self) -> tuple[NDArray[np.float64], int]:
        """Return the goal of the episode."""
        return np.array(self._current['goal'], np.float64), int(self._current['stamp_ns'])

    def start(self) -> None:
        """Let the world move."""
        self._start.call_async(Trigger.Request()).add_done_callback(self._on_started)

    def touch(self) -> None:
        """The judge sees collisions by itself."""

    def end(self) -> None:
        """The judge ends runs by itself."""

    def _on_next(self, future: Any) -> None:
        response = future.result()
        if not response.success:
            self._listener.failed(response.message)
            return
        current = self._current = json.loads(response.message)
        if not current['done']:
            self._listener.prepared(Prepared(
                current['id'], current['scene'], current['task'], current['index']
            ))
        elif current['skipped']:
            # Everyone must drive the same: a route that cannot be drawn is no route of a study.
            self._listener.failed(f'a route cannot be driven: {current["skipped"][0]}')
        else:
            self._listener.prepared(None)

    def _on_started(self, future: Any) -> None:
        response = future.result()
        if response.success:
            self._listener.started(int(self._current['stamp_ns']))
        else:
            self._listener.failed(response.message)

    def _on_result(self, message: String) -> None:
        result = json.loads(message.data)
        if result['id'] == self._current.get('id'):
            scores = result['scores']
            self._listener.over(Result(
                result['id'], result['outcome'], float(scores['duration']),
                int(scores['collisions']),
            ))
