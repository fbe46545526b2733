"""What the page sees of the robot: pictures, modes on the ground, and clicks turned into goals."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import PolicyOutput
from s2e_core.records import Odometry, Plan
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.images import frame_from_image
from s2e_nav.convert.modes import output_from_markers
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.convert.poses import goal_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR
from s2e_nav.runtime.timers import steady_timer
from s2e_teleop.overlay import (
    Line,
    ground_of_click,
    lines_from_modes,
    lines_from_path,
    point_of_goal,
)
from s2e_teleop.study.card import Guide
from s2e_teleop.video import Picture

MODES_LAST = 1.0
"""Modes older than this are no longer drawn, seconds: five times the policy's period."""
PLAUSIBLE = 10.0
"""An image whose stamp is further off has a clock of its own, seconds."""


class RobotView:
    """Turns topics into what pages show."""

    def __init__(
        self, node: Node, mount: CameraMount, compressed: bool, show: Callable[[Picture], None],
        draw: Callable[[list[Line], list[float] | None], None],
    ) -> None:
        """Subscribe.

        Args:
            node: Owner.
            mount: Place of the camera.
            compressed: Read compressed images; raw ones otherwise.
            show: Called with each picture.
            draw: Called five times a second with lines and the goal's place.
        """
        self._node, self._mount, self._show, self._draw = node, mount, show, draw
        self._numbers = itertools.count()
        self._camera: CameraModel | None = None
        self._modes: tuple[float, PolicyOutput, int | None] | None = None
        self._path: tuple[float, Plan] | None = None
        self._goal: np.ndarray | None = None
        self.odometry: Odometry | None = None
        """The newest."""
        self.camera_age = float('nan')
        """From exposure to arrival of the newest image, seconds."""
        self.problem = ''
        """What is wrong with the images, or nothing."""
        if compressed:
            topic = 'camera/image_raw/compressed'
            node.create_subscription(CompressedImage, topic, self._on_compressed, SENSOR)
        else:
            node.create_subscription(Image, 'camera/image_raw', self._on_image, SENSOR)
        node.create_subscription(CameraInfo, 'camera/camera_info', self._on_camera, SENSOR)
        listen_to_odometry(node, self._on_odometry, SENSOR)
        node.create_subscription(MarkerArray, 's2e/modes', self._on_modes, RELIABLE)
        node.create_subscription(Path, 's2e/trajectory', self._on_path, RELIABLE)
        node.create_subscription(PoseStamped, 's2e/goal', self._on_goal, LATCHED)
        steady_timer(node, 0.2, self._each_tick)

    def guide(self) -> Guide | None:
        """Return where the goal is, seen from here; None without goal or odometry."""
        if self._goal is None or self.odometry is None:
            return None
        x, y = self.odometry.pose.inverse().transform(self._goal)
        place = self._place_of_goal() or (None, None)
        return Guide(math.hypot(x, y), math.atan2(y, x), *place)

    def ground(self, u: float, v: float) -> np.ndarray | str:
        """Return the point of the odom frame seen in the picture, metres, or why there is none."""
        if self._camera is None or self.odometry is None:
            return 'no camera_info or no odometry was heard yet'
        point = ground_of_click(u, v, self._camera, self._mount)
        if point is None:
            return 'there is no ground within 10 m at this point'
        return self.odometry.pose.transform(point)

    def _on_compressed(self, message: CompressedImage) -> None:
        capture = self._capture(to_ns(message.header.stamp))
        # bytes(array) copies at once; the message's own array would be kept alive by its queue.
        self._show(Picture(next(self._numbers), capture, jpeg=bytes(message.data)))

    def _on_image(self, message: Image) -> None:
        try:
            frame = frame_from_image(message)
        except ConversionError as error:
            self.problem = str(error)
            return
        self._show(Picture(next(self._numbers), self._capture(frame.stamp_ns), rgb=frame.rgb))

    def _capture(self, stamp_ns: int) -> float:
        """Move a stamp to the steady clock, seconds."""
        age = (int(self._node.get_clock().now().nanoseconds) - stamp_ns) * 1e-9
        good = abs(age) <= PLAUSIBLE
        self.problem = '' if good else f'image stamps are {age:.1f} s off this clock'
        self.camera_age = age if good else float('nan')
        return time.monotonic() - (age if good else 0.0)

    def _on_camera(self, message: CameraInfo) -> None:
        try:
            self._camera = camera_from_info(message)
        except ConversionError as error:
            self.problem = str(error)

    def _on_odometry(self, odometry: Odometry) -> None:
        self.odometry = odometry

    def _on_modes(self, message: MarkerArray) -> None:
        modes = output_from_markers(message)
        self._modes = None if modes is None else (time.monotonic(), *modes)

    def _on_path(self, message: Path) -> None:
        try:
            self._path = time.monotonic(), plan_from_path(message)
        except ConversionError as error:
            self._node.get_logger().error(f's2e/trajectory: {error}', throttle_duration_sec=5.0)

    def _on_goal(self, message: PoseStamped) -> None:
        try:
            self._goal = goal_from_message(message)
        except ConversionError as error:
            self._node.get_logger().error(f'goal: {error}', throttle_duration_sec=5.0)

    def _each_tick(self) -> None:
        if self._camera is not None:
            self._draw(self._lines(self._camera), self._place_of_goal())

    def _place_of_goal(self) -> list[float] | None:
        """Return the goal's place in the picture, shares of width and height."""
        if self._camera is None or self._goal is None or self.odometry is None:
            return None
        point = self.odometry.pose.inverse().transform(self._goal)
        return point_of_goal(point, self._camera, self._mount)

    def _lines(self, camera: CameraModel) -> list[Line]:
        """Lay out the modes, or the path of a planner that has none."""
        now = time.monotonic()
        if self._modes is not None and now - self._modes[0] < MODES_LAST:
            _, output, chosen = self._modes
            return lines_from_modes(output, chosen, camera, self._mount)
        if self._path is None or self.odometry is None or now - self._path[0] > MODES_LAST:
            return []
        ahead = self.odometry.pose.inverse().transform(self._path[1].points)
        return lines_from_path(ahead, camera, self._mount)
