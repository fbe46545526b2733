"""Reads what drivers publish, as the nodes do, and says what could be used; sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, LaserScan, NavSatFix

from s2e_core.errors import S2EError
from s2e_core.geodesy import Geodetic
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.depths import depth_from_image
from s2e_nav.convert.images import frame_from_compressed, frame_from_image
from s2e_nav.convert.poses import odometry_from_message, yaw_of
from s2e_nav.errors import ConversionError
from s2e_nav.obstacles.intake import ScanIntake
from s2e_nav.qos import SENSOR


@dataclass
class Heard:
    """What came of one topic."""

    topic: str
    kind: Any
    read: Callable[[Any], object] | None
    """Reads a message; None where somebody else counts what can be read."""
    came: int = 0
    usable: int = 0
    problem: str = ''
    """Why the last one that could not be used could not."""


def _odometry(message: OdometryMessage) -> object:
    odometry = odometry_from_message(message)
    if not odometry.finite:
        raise ConversionError('a number is not finite')
    return odometry


TOPICS: tuple[tuple[str, Any, Callable[[Any], object] | None], ...] = (
    ('camera/image_raw', Image, frame_from_image),
    ('camera/image_raw/compressed', CompressedImage, frame_from_compressed),
    ('camera/camera_info', CameraInfo, camera_from_info),
    ('odom', OdometryMessage, _odometry),
    ('scan', LaserScan, None),
    ('depth/image_raw', Image, depth_from_image),
    ('depth/camera_info', CameraInfo, camera_from_info),
    ('gps/fix', NavSatFix, lambda m: Geodetic(float(m.latitude), float(m.longitude))),
    ('gps/heading', Imu, lambda m: yaw_of(m.orientation)),
)


class SensorCheck:
    """Subscribes to every topic that a robot may offer."""

    def __init__(self, node: Node) -> None:
        """Subscribe."""
        self.found = [Heard(*topic) for topic in TOPICS]
        for heard in self.found:
            node.create_subscription(heard.kind, heard.topic, self._taker(heard), SENSOR)
        self._scan = next(heard for heard in self.found if heard.topic == 'scan')
        # The gate's own: a scan needs a static transform from its frame to base_link.
        self._intake = ScanIntake(node, 'scan', SENSOR, self._on_scan)

    def _taker(self, heard: Heard) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            heard.came += 1
            if heard.read is None:
                return
            try:
                heard.read(message)
            except S2EError as error:
                heard.problem = str(error)
            else:
                heard.usable += 1

        return take

    def _on_scan(self, scan: object) -> None:
        self._scan.usable += 1


def listen(seconds: float, context: Any = None) -> list[Heard]:
    """Listen on this process's ROS domain.

    Args:
        seconds: How long.
        context: Of rclpy; one of its own when left out.
    """
    import rclpy

    own = rclpy.Context() if context is None else context
    if context is None:
        rclpy.init(args=[], context=own)
    node = Node('sensor_check', context=own)
    executor = SingleThreadedExecutor(context=own)
    executor.add_node(node)
    try:
        check = SensorCheck(node)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            executor.spin_once(timeout_sec=left)
    finally:
        executor.shutdown()
        node.destroy_node()
        if context is None:
            own.try_shutdown()
    return check.found
