"""Free distance on its way to the gate, as sensor_msgs/LaserScan from a place on the robot."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import LaserScan
from tf2_msgs.msg import TFMessage

from s2e_core.range_scan import RangeScan
from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import transform_from_pose2
from s2e_nav.convert.stamps import to_time
from s2e_nav.qos import CHANGES, SENSOR

TOPIC = 's2e/obstacles'
BASE = 'base_link'


class ScanPublisher:
    """Sends scans, and once where they are taken from."""

    def __init__(self, node: Node, frame: str, base: str = BASE) -> None:
        """Open the topics.

        Args:
            node: Owner.
            frame: Name of the place scans are taken from.
            base: Frame of the robot.
        """
        self._node, self._frame, self._base = node, frame, base
        self._scan = node.create_publisher(LaserScan, TOPIC, SENSOR)
        self._tf = node.create_publisher(TFMessage, '/tf_static', CHANGES)
        self._told: Pose2 | None = None

    def close(self) -> None:
        """Close the topics."""
        self._node.destroy_publisher(self._scan)
        self._node.destroy_publisher(self._tf)

    def publish(self, scan: RangeScan) -> None:
        """Send a scan."""
        if self._told != scan.origin:
            self._told = scan.origin
            place = transform_from_pose2(scan.origin, 0, self._base, self._frame)
            self._tf.publish(TFMessage(transforms=[place]))
        self._scan.publish(message_from_scan(scan, self._frame))


def message_from_scan(scan: RangeScan, frame_id: str) -> LaserScan:
    """Write a scan; its origin is the frame's business."""
    message = LaserScan()
    message.header.stamp, message.header.frame_id = to_time(scan.stamp_ns), frame_id
    message.angle_min, message.angle_increment = float(scan.angle_low), float(scan.angle_step)
    message.angle_max = float(scan.angle_low + scan.angle_step * (len(scan.ranges) - 1))
    message.range_min, message.range_max = float(scan.range_low), float(scan.reach)
    message.ranges = scan.ranges.astype('float32').tolist()
    return message
