"""Recorder: the run's topics into an MCAP file, without decoding them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node

from s2e_core.config import check, option
from s2e_nav.errors import StartError
from s2e_nav.parameters import declare
from s2e_nav.recorded import TOPICS, Thinning, recorded_topic, subscribe_raw
from s2e_nav.recording import Recording
from s2e_nav.runtime.process import main_program


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder."""

    output: str = option('', help='Folder of the recording; it must not exist yet.')
    topics: tuple[str, ...] = option(
        TOPICS, help='Each: name, blank, type, and perhaps the shortest period kept, seconds.'
    )
    reliable: bool = option(
        True, help='Lose nothing; publishers of the sensor profile are then not heard.'
    )

    def __post_init__(self) -> None:
        check(self, source='recorder parameters')


class RecorderNode:
    """Subscribes raw and writes bytes."""

    def __init__(self, node: Node) -> None:
        """Open the file and subscribe.

        Raises:
            StartError: No folder, or a topic line that names no known type.
        """
        self.node = node
        self.exit_code: int | None = None
        config = declare(node, RecorderParameters)
        if not config.output:
            raise StartError('recorder: the parameter output must name a folder')
        self._recording = Recording(Path(config.output))
        for line in config.topics:
            self._subscribe(line, config.reliable)

    def close(self) -> None:
        """Finish the file."""
        self._recording.close()

    def _subscribe(self, line: str, reliable: bool) -> None:
        topic = recorded_topic(line)
        resolved = self.node.resolve_topic_name(topic.name)
        channel = self._recording.channel(resolved, topic.kind, topic.latched)
        thin = Thinning(topic.period)
        clock = self.node.get_clock()

        def take(data: bytes) -> None:
            now = int(clock.now().nanoseconds)
            if thin.keeps(now):
                self._recording.write(channel, now, data)

        subscribe_raw(self.node, topic, reliable, take)


def main(args: list[str] | None = None) -> None:
    """Run the recorder."""
    main_program(lambda: RecorderNode(Node('recorder')), args)


if __name__ == '__main__':
    main()
