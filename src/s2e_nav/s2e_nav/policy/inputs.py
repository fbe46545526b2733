"""What the policy node listens to besides goals: camera, odometry, transforms, GPS."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, NavSatFix, NavSatStatus
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from s2e_core.errors import ContractError
from s2e_core.geodesy import Geodetic
from s2e_core.image_watch import FrozenWatch
from s2e_core.records import CameraFrame
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.images import frame_from_compressed, frame_from_image
from s2e_nav.convert.poses import yaw_of
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree
from s2e_nav.navigation.gps import Fix, GpsLocaliser, Heading
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.policy.intake import ODOMETRY_SLACK_NS, Intake
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR, input_qos


class Inputs:
    """Feeds the intake, the tree of frames and the GPS localiser."""

    def __init__(
        self, node: Node, intake: Intake, frames: FrameTree, gps: GpsLocaliser, *,
        compressed: bool, lockstep: bool, on_frozen: Callable[[str], None],
    ) -> None:
        """Subscribe.

        Args:
            node: Owner.
            intake: Takes images, intrinsics and odometry.
            frames: Takes transforms.
            gps: Takes fixes and headings.
            compressed: Which of the two image topics to read.
            lockstep: In lock-step goals come in odom and pictures are the world's own: neither
                transforms nor GPS are read, nor is a still picture suspicious.
            on_frozen: Called with the reason when the camera repeats one picture.
        """
        self._node, self._intake = node, intake
        self._frames, self._gps = frames, gps
        self._on_frozen = on_frozen
        self._frozen = None if lockstep else FrozenWatch()
        # The gate hears the camera's word that it works; only here is known what arrives.
        self._heard = None if lockstep else node.create_publisher(Header, 's2e/image', SENSOR)
        self._subscriptions: list[Any] = []
        self._spare: np.ndarray | None = None
        self._subscribe(compressed, lockstep)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        if self._heard is not None:
            self._node.destroy_publisher(self._heard)
            self._heard = None

    def _subscribe(self, compressed: bool, lockstep: bool) -> None:
        qos = input_qos(lockstep)
        wanted: list[tuple[Any, str, Any, Any]] = [
            (CompressedImage, 'camera/image_raw/compressed', self._on_compressed, qos)
            if compressed else (Image, 'camera/image_raw', self._on_image, qos),
            (CameraInfo, 'camera/camera_info', self._on_camera, qos),
            (TFMessage, '/tf_static', self._frames.update, LATCHED),
        ]
        if not lockstep:
            wanted += [
                (TFMessage, '/tf', self._on_tf, RELIABLE),
                (NavSatFix, 'gps/fix', self._on_fix, SENSOR),
                (Imu, 'gps/heading', self._on_heading, SENSOR),
            ]
        self._subscriptions = [
            self._node.create_subscription(kind, topic, call, profile)
            for kind, topic, call, profile in wanted
        ]
        self._subscriptions.append(
            listen_to_odometry(self._node, self._intake.add_odometry, qos)
        )

    def _on_image(self, message: Image) -> None:
        self._offer(message, lambda: self._decode(message))

    def _decode(self, message: Image) -> CameraFrame:
        """Read an image in the thread that asks for it, into the memory of the one before."""
        frame = frame_from_image(message, self._spare)
        # Plain rgb8 is a view of its message, which is not ours to write on.
        self._spare = frame.rgb if frame.rgb.flags.owndata else None
        return frame

    def _on_compressed(self, message: CompressedImage) -> None:
        self._offer(message, lambda: frame_from_compressed(message))

    def _offer(self, message: Any, decode: Callable[[], CameraFrame]) -> None:
        stamp = to_ns(message.header.stamp)
        reason = self._frozen_reason(message, stamp)
        if reason:
            self._on_frozen(reason)
        else:
            self._intake.offer(stamp, decode)
        if self._heard is not None:
            # Last: the model need not wait for it.
            self._heard.publish(message.header)

    def _frozen_reason(self, message: Any, stamp_ns: int) -> str:
        """Say how far the robot went under one and the same picture, if it did.

        Every image is compared, not only those that the policy takes: at 10 Hz the fault shows a
        tenth of a second earlier. Raw images of 640x480 take 0.1 ms.
        """
        odometry = self._intake.odometry_now()
        if self._frozen is None or odometry is None:
            return ''
        if abs(odometry.stamp_ns - stamp_ns) > ODOMETRY_SLACK_NS:
            # Odometry that comes back after a gap has moved under a robot that stands.
            self._frozen.clear()
            return ''
        reason = self._frozen.add(np.frombuffer(message.data, np.uint8), odometry.pose)
        if reason:
            self._frozen.clear()
        return reason

    def _on_camera(self, message: CameraInfo) -> None:
        try:
            problem = self._intake.set_camera(camera_from_info(message))
        except ConversionError as error:
            problem = str(error)
        if problem:
            self._node.get_logger().error(problem, throttle_duration_sec=5.0)

    def _on_tf(self, message: TFMessage) -> None:
        self._frames.update(message, time.monotonic())

    def _on_fix(self, message: NavSatFix) -> None:
        odometry = self._intake.odometry_at(to_ns(message.header.stamp))
        if message.status.status < NavSatStatus.STATUS_FIX:
            self._gps.add_fix(None, 'the receiver reports no fix')
        elif odometry is None:
            self._gps.add_fix(None, 'no odometry has come')
        else:
            try:
                place = Geodetic(float(message.latitude), float(message.longitude))
            except ContractError as error:
                self._gps.add_fix(None, f'the receiver reports no place: {error}')
                return
            self._gps.add_fix(
                Fix(place, _deviation_of(message), odometry.pose, time.monotonic())
            )

    def _on_heading(self, message: Imu) -> None:
        # -1 in the first covariance says that this sensor has no orientation.
        if message.orientation_covariance[0] == -1.0:
            return
        try:
            yaw = yaw_of(message.orientation)
        except ConversionError as error:
            self._node.get_logger().error(f'gps/heading: {error}', throttle_duration_sec=5.0)
            return
        variance = float(message.orientation_covariance[8])
        deviation = math.sqrt(variance) if variance > 0 else math.nan
        self._gps.add_heading(Heading(yaw, deviation, time.monotonic()))


def _deviation_of(message: NavSatFix) -> float:
    """Return the larger standard deviation in the plane, metres; NaN where it is unknown."""
    if message.position_covariance_type == NavSatFix.COVARIANCE_TYPE_UNKNOWN:
        return math.nan
    variance = max(float(message.position_covariance[0]), float(message.position_covariance[4]))
    return math.sqrt(variance) if variance >= 0 else math.nan


def pose_or_origin(intake: Intake) -> Pose2:
    """Return where odometry has the robot, or the origin before it has come."""
    odometry = intake.odometry_now()
    return Pose2() if odometry is None else odometry.pose
