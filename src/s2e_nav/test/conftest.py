"""ROS for tests: a domain of its own, shared memory only, events instead of sleeps."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

sys.path.append(str(Path(__file__).parent / 'support'))

# Before the first participant: nothing leaves the machine, and no profile of the user is read.
os.environ['FASTDDS_BUILTIN_TRANSPORTS'] = 'SHM'
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'SUBNET'
os.environ.pop('FASTDDS_DEFAULT_PROFILES_FILE', None)

# A shared machine stalls for longer than hypothesis' 200 ms.
settings.register_profile('s2e', deadline=None, max_examples=60,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('s2e')

WAIT = 30.0
"""Seconds after which a test gives up on an event; events normally take milliseconds."""


class Ros:
    """A context with nodes that spin in one thread each."""

    def __init__(self, domain: int) -> None:
        import rclpy

        self.context = rclpy.Context()
        rclpy.init(args=[], context=self.context, domain_id=domain)
        self._running: list[tuple[Any, Any, threading.Thread]] = []
        self._changed = threading.Condition()

    def node(self, name: str, /, **parameters: Any) -> Any:
        """Make a node; it spins once it is given to `spin`."""
        from rclpy.node import Node
        from rclpy.parameter import Parameter

        overrides = [Parameter(key.replace('__', '.'), value=v) for key, v in parameters.items()]
        return Node(name, context=self.context, parameter_overrides=overrides)

    def spin(self, node: Any) -> Any:
        """Spin a node in a thread of its own."""
        from rclpy.executors import SingleThreadedExecutor

        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()
        self._running.append((node, executor, thread))
        return node

    def listen(self, node: Any, kind: Any, topic: str, qos: Any = 50) -> list[Any]:
        """Collect the messages of a topic; `wait` wakes with each."""
        heard: list[Any] = []

        def take(message: Any) -> None:
            with self._changed:
                heard.append(message)
                self._changed.notify_all()

        node.create_subscription(kind, topic, take, qos)
        return heard

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is looked at on each message and ten times a second.

        Raises:
            AssertionError: It did not come to hold.
        """
        deadline = time.monotonic() + WAIT
        with self._changed:
            while not condition():
                assert time.monotonic() < deadline, 'the awaited event did not come'
                self._changed.wait(0.1)

    def close(self) -> None:
        """Stop spinning and go down."""
        for node, executor, thread in self._running:
            executor.shutdown()
            thread.join(5.0)
            node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def ros() -> Iterator[Ros]:
    """Return ROS on a domain that no other test process uses."""
    holder = None
    for domain in range(1, 100):
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # The port is the token: who holds it owns the domain.
            holder.bind(('127.0.0.1', 47000 + domain))
            break
        except OSError:
            holder.close()
    ros = Ros(domain)
    try:
        yield ros
    finally:
        ros.close()
        holder.close()
