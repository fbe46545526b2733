"""What is recorded: topics, their types, and subscriptions that do not decode."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from s2e_nav.errors import StartError
from s2e_nav.qos import CHANGES

TOPICS = (
    '/clock rosgraph_msgs/msg/Clock',
    'odom nav_msgs/msg/Odometry',
    '/tf tf2_msgs/msg/TFMessage',
    '/tf_static tf2_msgs/msg/TFMessage',
    'scan sensor_msgs/msg/LaserScan',
    'cmd_vel geometry_msgs/msg/TwistStamped',
    'cmd_vel_nav geometry_msgs/msg/TwistStamped',
    'cmd_vel_teleop geometry_msgs/msg/TwistStamped',
    'e_stop std_msgs/msg/Bool',
    's2e/trajectory nav_msgs/msg/Path',
    's2e/modes visualization_msgs/msg/MarkerArray',
    's2e/status diagnostic_msgs/msg/DiagnosticStatus',
    's2e/gate diagnostic_msgs/msg/DiagnosticStatus',
    's2e/result diagnostic_msgs/msg/DiagnosticStatus',
    's2e/goal geometry_msgs/msg/PoseStamped',
    's2e/obstacles sensor_msgs/msg/LaserScan',
    's2e/teleop diagnostic_msgs/msg/DiagnosticStatus',
    's2e/operator diagnostic_msgs/msg/DiagnosticStatus',
    's2e/shadow diagnostic_msgs/msg/DiagnosticStatus',
    'camera/image_raw/compressed sensor_msgs/msg/CompressedImage',
    'camera/camera_info sensor_msgs/msg/CameraInfo',
)
"""Each: name, blank, type."""
RAW_IMAGES = 'camera/image_raw sensor_msgs/msg/Image 0.2'
"""A robot whose camera sends no compressed images. At the policy's rate: 640x480 at 30 Hz would be
830 MB in half a minute, at 5 Hz it is 138 MB."""
UNSTAMPED = 'cmd_vel geometry_msgs/msg/Twist'
LATCHED_TOPICS = ('/tf_static', 's2e/status', 's2e/gate', 's2e/goal')
DEPTH = 200
"""Messages that wait while the disk is busy."""


@dataclass(frozen=True)
class RecordedTopic:
    """A topic to record."""

    name: str
    """As in the node, before remapping."""
    kind: str
    """Its type, such as `nav_msgs/msg/Path`."""
    period: float = 0.0
    """Shortest time between two messages that are kept, seconds."""

    @property
    def latched(self) -> bool:
        """Whether late subscribers get the last message."""
        return self.name in LATCHED_TOPICS

    @property
    def has_many_publishers(self) -> bool:
        """Whether each latched message adds to the others instead of replacing them."""
        return self.name == '/tf_static'


class Thinning:
    """Passes messages at most so often."""

    def __init__(self, period: float) -> None:
        """Pass the first.

        Args:
            period: Shortest time between two, seconds; 0 passes all.
        """
        # A tenth of slack: a camera of 5 Hz that jitters must not lose every second image.
        self._period_ns = round(0.9e9 * period)
        self._last: int | None = None

    def keeps(self, now_ns: int) -> bool:
        """Whether to keep what comes now; a clock that goes back begins anew."""
        last = self._last
        if last is not None and last <= now_ns < last + self._period_ns:
            return False
        self._last = now_ns
        return True


def topics_of_robot(stamped: bool, compressed: bool) -> list[str]:
    """List what a robot is recorded by.

    Args:
        stamped: Whether the base is sent TwistStamped; Twist otherwise.
        compressed: Whether its images come compressed.
    """
    topics = list(TOPICS)
    if not stamped:
        topics = [UNSTAMPED if line.startswith('cmd_vel ') else line for line in topics]
    return topics if compressed else [*topics, RAW_IMAGES]


def recorded_topic(line: str) -> RecordedTopic:
    """Read a topic line: name, type and, if it is thinned, the shortest period in seconds.

    Raises:
        StartError: It is not of that form.
    """
    words = line.split()
    try:
        period = float(words[2]) if len(words) > 2 else 0.0
    except ValueError:
        period = -1.0
    if len(words) not in (2, 3) or not 0.0 <= period <= 3600.0:
        raise StartError(f'recorder: a topic is name, type and maybe a period, got {line!r}')
    name, kind = words[:2]
    return RecordedTopic(name, kind, period)


def subscribe_raw(
    node: Node, topic: RecordedTopic, reliable: bool, take: Callable[[bytes], None]
) -> None:
    """Subscribe without decoding.

    Args:
        node: Owner.
        topic: What to listen to.
        reliable: Nothing is lost, but publishers of the sensor profile are not heard.
        take: Called with each serialised message.

    Raises:
        StartError: Its type is not known.
    """
    reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    qos = CHANGES if topic.latched else QoSProfile(depth=DEPTH, reliability=reliability)
    node.create_subscription(message_class(topic.kind), topic.name, take, qos, raw=True)


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
