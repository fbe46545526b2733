"""Records one run after the other with the same subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rclpy.node import Node

from s2e_nav.recorded import RecordedTopic, Thinning, recorded_topic, subscribe_raw
from s2e_nav.recording import Recording


class Tape:
    """Listens all the time and writes while a run is driven."""

    def __init__(self, node: Node, lines: Sequence[str], reliable: bool) -> None:
        """Subscribe.

        Args:
            node: Owner.
            lines: Topics, as in `recorded.TOPICS`.
            reliable: Lose nothing; publishers of the sensor profile are then not heard.
        """
        self._node = node
        self._recording: Recording | None = None
        self._channels: dict[str, Any] = {}
        self._latched: dict[str, list[bytes]] = {}
        self._topics = [recorded_topic(line) for line in lines]
        for topic in self._topics:
            self._subscribe(topic, reliable)

    def begin(self, folder: Path) -> None:
        """Begin a recording, with what was said once and for all before it.

        Raises:
            StartError: The folder cannot be written.
        """
        recording = Recording(folder)
        self._channels = {
            topic.name: recording.channel(
                self._node.resolve_topic_name(topic.name), topic.kind, topic.latched
            ) for topic in self._topics
        }
        self._recording = recording
        for name, messages in self._latched.items():
            for data in messages:
                self._write(name, data)

    def end(self) -> None:
        """Finish the recording."""
        if self._recording is not None:
            self._recording.close()
        self._recording = None

    def _subscribe(self, topic: RecordedTopic, reliable: bool) -> None:
        thin = Thinning(topic.period)

        def take(data: bytes) -> None:
            if topic.latched:
                # Static transforms add to each other, states replace each other.
                kept = self._latched.get(topic.name, []) if topic.has_many_publishers else []
                self._latched[topic.name] = [*kept[-20:], bytes(data)]
            if thin.keeps(int(self._node.get_clock().now().nanoseconds)):
                self._write(topic.name, data)

        subscribe_raw(self._node, topic, reliable, take)

    def _write(self, name: str, data: bytes) -> None:
        if self._recording is not None:
            now = int(self._node.get_clock().now().nanoseconds)
            self._recording.write(self._channels[name], now, data)
