"""Looks whether the camera turns with odometry while somebody turns the robot; sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from s2e_core.camera import CameraModel
from s2e_core.camera_trial import CameraTrial
from s2e_core.errors import S2EError
from s2e_core.image_motion import TurnWatch
from s2e_core.records import CameraFrame, Odometry
from s2e_core.reprojection import Reprojector
from s2e_core.robot import CameraOptions
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.images import frame_from_compressed, frame_from_image
from s2e_nav.convert.poses import odometry_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.odometry_buffer import OdometryBuffer
from s2e_nav.qos import SENSOR
from s2e_nav.runtime.timers import steady_timer

WIDTH, HEIGHT = 160, 120
"""Pixels of the view in which pictures are compared."""
WIDEST = 2.0
"""Radians; a pinhole of a wider lens is mostly edge."""


class CameraCheckNode:
    """Listens to camera and odometry until both directions were seen, or patience ends."""

    def __init__(
        self, camera: CameraOptions, compressed: bool, patience: float,
        tell: Callable[[str], None], **options: Any,
    ) -> None:
        """Begin to listen.

        Args:
            camera: Pitch and field of view, of the robot's profile.
            compressed: Which of the two image topics to read.
            patience: Longest wait, seconds.
            tell: Told which way to turn.
            options: Passed on to the node, such as a context.
        """
        self.node = Node('camera_check', **options)
        self.trial = CameraTrial()
        self._view = CameraModel.from_fov(WIDTH, HEIGHT, min(camera.hfov, WIDEST))
        self._watch = TurnWatch(self._view, camera.pitch)
        self._reprojector: Reprojector | None = None
        self._poses = OdometryBuffer()
        self._waiting: tuple[int, Callable[[], CameraFrame]] | None = None
        self._wanted, self._tell = '', tell
        self._deadline, self._over = time.monotonic() + patience, False
        self._heard = dict.fromkeys(('camera', 'camera_info', 'odom'), 0)
        self._fault = ''
        if compressed:
            self.node.create_subscription(
                CompressedImage, 'camera/image_raw/compressed', self._on_compressed, SENSOR
            )
        else:
            self.node.create_subscription(Image, 'camera/image_raw', self._on_image, SENSOR)
        self.node.create_subscription(CameraInfo, 'camera/camera_info', self._on_info, SENSOR)
        self.node.create_subscription(OdometryMessage, 'odom', self._on_odometry, SENSOR)
        self._timer = steady_timer(self.node, 0.2, self._on_tick)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 0 where picture and odometry agree, 1 otherwise."""
        return int(bool(self.problem)) if self._over else None

    @property
    def problem(self) -> str:
        """Why the check failed, or nothing."""
        if not self.trial.missing:
            return self.trial.problem
        silent = [name for name, count in self._heard.items() if not count]
        if silent:
            return f'nothing came of {", ".join(silent)}'
        return self._fault or (
            f'the robot was not turned far enough to the {self.trial.missing}, by odometry, or '
            'the picture shows too little'
        )

    def close(self) -> None:
        """Nothing was moved."""

    def _on_image(self, message: Image) -> None:
        self._offer(message, lambda: frame_from_image(message))

    def _on_compressed(self, message: CompressedImage) -> None:
        self._offer(message, lambda: frame_from_compressed(message))

    def _offer(self, message: Any, decode: Callable[[], CameraFrame]) -> None:
        self._heard['camera'] += 1
        self._waiting = to_ns(message.header.stamp), decode
        self._compare()

    def _on_info(self, message: CameraInfo) -> None:
        self._heard['camera_info'] += 1
        try:
            camera = camera_from_info(message)
        except ConversionError as error:
            self._fault = str(error)
            return
        if self._reprojector is None or self._reprojector.source != camera:
            self._reprojector = Reprojector(camera, self._view)

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._heard['odom'] += 1
        try:
            odometry = odometry_from_message(message)
        except ConversionError as error:
            self._fault = f'odom: {error}'
            return
        if odometry.finite:
            self._poses.add(odometry)
        self._compare()

    def _compare(self) -> None:
        """Take the picture that waits, once odometry on both sides of it has come."""
        if self._waiting is None or self._reprojector is None:
            return
        stamp, decode = self._waiting
        if not self._poses.covers(stamp):
            return
        self._waiting = None
        then = self._poses.at(stamp)
        if then is None:
            self._fault = 'the stamps of camera and odometry lie apart'
            return
        try:
            self._take(then, decode())
        except S2EError as error:
            self._fault = str(error)

    def _take(self, then: Odometry, frame: CameraFrame) -> None:
        assert self._reprojector is not None
        self._watch.add(frame.stamp_ns, self._reprojector(frame.rgb), then.pose.yaw)
        if self._watch.fit is not None:
            self.trial.add(self._watch.fit)

    def _on_tick(self) -> None:
        wanted = self.trial.missing
        if wanted and wanted != self._wanted:
            self._tell(f'turn the robot to the {wanted}, a quarter turn in one to six seconds')
        self._wanted = wanted
        self._over = not wanted or time.monotonic() > self._deadline


def check_camera(
    camera: CameraOptions, compressed: bool, patience: float, tell: Callable[[str], None],
    arguments: list[str],
) -> CameraTrial:
    """Run the check in this process.

    Args:
        camera: Pitch and field of view, of the robot's profile.
        compressed: Which of the two image topics to read.
        patience: Longest wait, seconds.
        tell: Told which way to turn.
        arguments: ROS arguments, such as remappings.

    Raises:
        S2EError: Picture and odometry do not agree, or were not heard; the text says what.
    """
    from s2e_nav.runtime.process import run_program

    made: list[CameraCheckNode] = []

    def make() -> CameraCheckNode:
        made.append(CameraCheckNode(camera, compressed, patience, tell))
        return made[0]

    run_program(make, arguments)
    if not made or made[0].problem:
        raise S2EError(made[0].problem if made else 'the check was broken off')
    return made[0].trial
