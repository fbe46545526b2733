"""Recorder: the run's topics into an MCAP file, without decoding them."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile

from s2e_core.config import check, option
from s2e_nav.errors import StartError
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED
from s2e_nav.recording import Recording
from s2e_nav.runtime.process import main_program

LATCHED_TOPICS = ('/tf_static', 's2e/status', 's2e/gate', 's2e/goal')


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder."""

    output: str = option('', help='Folder of the recording; it must not exist yet.')
    topics: tuple[str, ...] = option(
        (
            '/clock rosgraph_msgs/msg/Clock',
            'odom nav_msgs/msg/Odometry',
            '/tf tf2_msgs/msg/TFMessage',
            '/tf_static tf2_msgs/msg/TFMessage',
            'scan sensor_msgs/msg/LaserScan',
            'cmd_vel geometry_msgs/msg/TwistStamped',
            'cmd_vel_nav geometry_msgs/msg/TwistStamped',
            'cmd_vel_teleop geometry_msgs/msg/TwistStamped',
            's2e/trajectory nav_msgs/msg/Path',
            's2e/modes visualization_msgs/msg/MarkerArray',
            's2e/status diagnostic_msgs/msg/DiagnosticStatus',
            's2e/gate diagnostic_msgs/msg/DiagnosticStatus',
            's2e/goal geometry_msgs/msg/PoseStamped',
            's2e/teleop diagnostic_msgs/msg/DiagnosticStatus',
            'camera/image_raw/compressed sensor_msgs/msg/CompressedImage',
            'camera/camera_info sensor_msgs/msg/CameraInfo',
        ),
        help='Each: name, blank, type.',
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
            self._subscribe(line)

    def close(self) -> None:
        """Finish the file."""
        self._recording.close()

    def _subscribe(self, line: str) -> None:
        name, _, kind = line.partition(' ')
        message = message_class(kind)
        latched = name in LATCHED_TOPICS
        resolved = self.node.resolve_topic_name(name)
        channel = self._recording.channel(resolved, kind, latched)
        clock = self.node.get_clock()

        def take(data: bytes) -> None:
            self._recording.write(channel, int(clock.now().nanoseconds), data)

        qos = LATCHED if latched else QoSProfile(depth=200)
        self.node.create_subscription(message, name, take, qos, raw=True)


def message_class(kind: str) -> Any:
    """Return the class of a message type such as `nav_msgs/msg/Path`.

    Raises:
        StartError: Not of that form, or not installed.
    """
    match = re.fullmatch(r'([a-z][a-z0-9_]*)/msg/([A-Z][A-Za-z0-9]*)', kind)
    if match is None:
        raise StartError(f'recorder: a type must look like nav_msgs/msg/Path, got {kind!r}')
    try:
        return getattr(importlib.import_module(f'{match[1]}.msg'), match[2])
    except (ModuleNotFoundError, AttributeError) as error:
        raise StartError(f'recorder: message type {kind} is not installed') from error


def main(args: list[str] | None = None) -> None:
    """Run the recorder."""
    main_program(lambda: RecorderNode(Node('recorder')), args)


if __name__ == '__main__':
    main()
