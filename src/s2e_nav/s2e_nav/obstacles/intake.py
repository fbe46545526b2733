"""Scans on their way in: each moved to base_link by the static transform of its frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import LaserScan
from tf2_msgs.msg import TFMessage

from s2e_core.errors import ContractError
from s2e_core.range_scan import MAX_BEAMS, RangeScan
from s2e_core.se2 import Pose2
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree
from s2e_nav.obstacles.publisher import BASE, TOPIC
from s2e_nav.qos import LATCHED


class ScanIntake:
    """Hears the topic of a source of free distance."""

    def __init__(
        self, node: Node, source: str, qos: QoSProfile, take: Callable[[RangeScan], None],
        base: str = BASE,
    ) -> None:
        """Subscribe; nothing where there is no source.

        Args:
            node: Owner.
            source: One of `s2e_core.obstacle_veto.SOURCES`.
            qos: Of the scans.
            take: Called with each.
            base: Frame of the robot.
        """
        self._node, self._take, self._base = node, take, base
        self._frames = FrameTree()
        self._turned_over: set[str] = set()
        self._subscriptions: list[Any] = []
        if source == 'none':
            return
        topic = 'scan' if source == 'scan' else TOPIC
        self._subscriptions = [
            node.create_subscription(TFMessage, '/tf_static', self._on_static, LATCHED),
            node.create_subscription(LaserScan, topic, self._on_scan, qos),
        ]

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _on_static(self, message: TFMessage) -> None:
        """Take transforms, and note those that turn a sensor upside down."""
        self._frames.update(message)
        for transform in message.transforms:
            q, child = transform.transform.rotation, transform.child_frame_id.lstrip('/')
            if 1.0 - 2.0 * (q.x * q.x + q.y * q.y) < 0.0:
                self._turned_over.add(child)

    def _origin(self, frame: str) -> Pose2:
        """Return base_link <- the frame of a scan.

        Raises:
            ConversionError: No static transform leads there, or it is upside down: a pose in the
                plane does not hold that, and left and right would be exchanged.
        """
        own = frame.lstrip('/')
        if any(own == f or self._frames.is_above(f, own) for f in self._turned_over):
            raise ConversionError(f'{frame!r} is upside down: let the driver turn the scan over')
        return self._frames.lookup(self._base, frame)

    def _on_scan(self, message: LaserScan) -> None:
        """Pass a look on; one that cannot be read is none, and the last one ages."""
        try:
            scan = scan_from_message(message, self._origin(message.header.frame_id))
        except ConversionError as error:
            self._node.get_logger().error(f'scan: {error}', throttle_duration_sec=5.0)
            return
        self._take(scan)


def scan_from_message(message: LaserScan, origin: Pose2) -> RangeScan:
    """Read a scan that was taken from a place on the robot.

    Args:
        message: The scan.
        origin: base_link <- its frame.

    Raises:
        ConversionError: Too many beams, or limits that make no sense.
    """
    # An array that is too long is refused before it is copied.
    if len(message.ranges) > MAX_BEAMS:
        raise ConversionError(f'a scan has at most {MAX_BEAMS} beams, got {len(message.ranges)}')
    try:
        return RangeScan(
            to_ns(message.header.stamp), origin, float(message.angle_min),
            float(message.angle_increment), np.asarray(message.ranges, np.float64),
            float(message.range_min), float(message.range_max),
        )
    except ContractError as error:
        raise ConversionError(str(error)) from error
