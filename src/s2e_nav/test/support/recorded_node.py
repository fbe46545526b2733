"""A node of no graph: what is published is kept, what would come is handed in by the test."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


class _Publisher:
    def __init__(self, kept: list[Any]) -> None:
        self.publish = kept.append


class _Future:
    def __init__(self, response: Any) -> None:
        self.result = lambda: response
        self.done = lambda: True


class _Client:
    def __init__(self, node: RecordedNode, name: str) -> None:
        self._node, self._name = node, name

    def service_is_ready(self) -> bool:
        return True

    def call_async(self, request: Any) -> _Future:
        self._node.called.append(self._name)
        return _Future(self._node.answers[self._name]())


class RecordedNode:
    """Stands for an rclpy node."""

    def __init__(self) -> None:
        self._sent: defaultdict[str, list[Any]] = defaultdict(list)
        self._calls: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        """Functions that make the response of each service."""
        self.called: list[str] = []

    def create_publisher(self, kind: Any, name: str, qos: Any) -> _Publisher:
        return _Publisher(self._sent[name])

    def create_subscription(self, kind: Any, name: str, call: Any, qos: Any) -> None:
        self._calls[name] = call

    def create_client(self, kind: Any, name: str) -> _Client:
        return _Client(self, name)

    def sent(self, name: str) -> list[Any]:
        """Return what was published on a topic."""
        return self._sent[name]

    def hear(self, name: str, message: Any) -> None:
        """Let a message come."""
        self._calls[name](message)

    def hears(self, name: str) -> bool:
        """Whether a topic is listened to."""
        return name in self._calls
