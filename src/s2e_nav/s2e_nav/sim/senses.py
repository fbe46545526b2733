"""What the simulated robot publishes: clock, odometry, transforms, camera, scan."""

from __future__ import annotations

from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan
from tf2_msgs.msg import TFMessage

from navbench_gs.env.simulation import Simulation
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.images import compressed_from_frame, image_from_frame
from s2e_nav.convert.poses import (
    message_from_odometry,
    transform_from_matrix,
    transform_from_pose2,
)
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_time
from s2e_nav.qos import LATCHED, RELIABLE

OPTICAL = 'camera_optical_frame'
SCAN_RANGE = 10.0


class Senses:
    """Publishers of the simulated robot; what nobody subscribes to is not made."""

    def __init__(self, node: Node, camera: CameraModel, mount: CameraMount, scan: bool) -> None:
        """Open the topics.

        Args:
            node: Owner.
            camera: Intrinsics of the images.
            mount: Place of the camera.
            scan: Whether there is a laser scan.
        """
        self._camera, self._scan_on = camera, scan
        self._clock = node.create_publisher(Clock, '/clock', RELIABLE)
        self._odom = node.create_publisher(OdometryMessage, 'odom', RELIABLE)
        self._tf = node.create_publisher(TFMessage, '/tf', RELIABLE)
        self._tf_static = node.create_publisher(TFMessage, '/tf_static', LATCHED)
        self._image = node.create_publisher(Image, 'camera/image_raw', RELIABLE)
        jpeg = 'camera/image_raw/compressed'
        self._jpeg = node.create_publisher(CompressedImage, jpeg, RELIABLE)
        self._info = node.create_publisher(CameraInfo, 'camera/camera_info', RELIABLE)
        self._scan = node.create_publisher(LaserScan, 'scan', RELIABLE)
        optical = transform_from_matrix(mount.base_from_optical(), 0, 'base_link', OPTICAL)
        self._tf_static.publish(TFMessage(transforms=[optical]))

    def subscribers(self) -> dict[str, int]:
        """Count who listens to the topics that the loop depends on."""
        return {
            'odom': self._odom.get_subscription_count(),
            'camera/image_raw': self._image.get_subscription_count()
            + self._jpeg.get_subscription_count(),
        }

    def tell_time(self, stamp_ns: int) -> None:
        """Publish the clock alone."""
        self._clock.publish(Clock(clock=to_time(stamp_ns)))

    def move(self, stamp_ns: int, odometry: Odometry, map_from_odom: Pose2) -> None:
        """Publish clock, odometry and transforms of a tick."""
        self.tell_time(stamp_ns)
        message = message_from_odometry(
            Odometry(stamp_ns, odometry.pose, odometry.v, odometry.w)
        )
        self._odom.publish(message)
        if self._tf.get_subscription_count() > 0:
            self._tf.publish(TFMessage(transforms=[
                transform_from_pose2(odometry.pose, stamp_ns, 'odom', 'base_link'),
                transform_from_pose2(map_from_odom, stamp_ns, 'map', 'odom'),
            ]))

    def look(self, stamp_ns: int, simulation: Simulation) -> None:
        """Draw and publish the image of a tick, and the scan."""
        self._info.publish(info_from_camera(self._camera, stamp_ns, OPTICAL))
        frame = CameraFrame(stamp_ns, simulation.image().rgb)
        if self._image.get_subscription_count() > 0:
            self._image.publish(image_from_frame(frame, OPTICAL))
        if self._jpeg.get_subscription_count() > 0:
            self._jpeg.publish(compressed_from_frame(frame, OPTICAL))
        if self._scan_on and self._scan.get_subscription_count() > 0:
            ranges = simulation.scan(max_range=SCAN_RANGE)
            self._scan.publish(scan_from_ranges(ranges, stamp_ns, SCAN_RANGE))
