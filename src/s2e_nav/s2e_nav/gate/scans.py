"""Looks of a range scanner on their way to the gate."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import LaserScan

from s2e_core.obstacle_veto import ObstacleConfig
from s2e_core.range_scan import RangeScan
from s2e_nav.convert.scans import scan_from_message
from s2e_nav.errors import ConversionError, StartError

READ = ('none', 'scan')
"""Sources that the node can hear."""


class ScanIntake:
    """Hears `scan`, where that is the source of free distance."""

    def __init__(
        self, node: Node, config: ObstacleConfig, qos: QoSProfile,
        take: Callable[[RangeScan], None],
    ) -> None:
        """Subscribe.

        Raises:
            StartError: The source is one that no topic of this node carries.
        """
        if config.source not in READ:
            raise StartError(
                f'gate: obstacles.source must be one of {list(READ)}, got {config.source!r}'
            )
        self._node, self._take = node, take
        if config.source == 'scan':
            node.create_subscription(LaserScan, 'scan', self._on_scan, qos)

    def _on_scan(self, message: LaserScan) -> None:
        """Pass a look on; one that cannot be read is none, and the last one ages."""
        try:
            self._take(scan_from_message(message))
        except ConversionError as error:
            self._node.get_logger().error(f'scan: {error}', throttle_duration_sec=5.0)
