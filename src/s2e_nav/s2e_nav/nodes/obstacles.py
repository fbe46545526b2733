"""Obstacles: free distance for the gate from a depth image or from a known map."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from navbench_gs.agents.depth_scan import DepthScanner
from navbench_gs.sensors.scan import VirtualScan
from s2e_core.camera import CameraModel
from s2e_core.config import check, option
from s2e_core.range_scan import RangeScan
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.depths import depth_from_image, thinned_camera
from s2e_nav.convert.maps import collision_from_grid
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree
from s2e_nav.obstacles.publisher import BASE, ScanPublisher
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer

BEAMS = 360
REACH = 8.0
"""Metres: what a robot of 1.5 m/s needs several times over."""
PERIOD = 0.1
"""Seconds between two looks at the map."""


@dataclass(frozen=True)
class ObstaclesParameters:
    """Parameters of the obstacles node."""

    source: str = option(
        'depth', choices=('depth', 'occupancy'), help='What free distance is read from.'
    )
    robot: str = option('coco', help='Robot profile: height, and the place of the depth camera.')
    map_frame: str = option('map', help='Frame of the map.')
    base_frame: str = option(BASE, help='Frame of the robot.')

    def __post_init__(self) -> None:
        check(self, source='obstacles parameters')


class ObstaclesNode:
    """A process of its own: what takes time here must not take it from the gate."""

    def __init__(self, node: Node) -> None:
        """Subscribe."""
        self.node = node
        self.exit_code: int | None = None
        self._config = config = declare(node, ObstaclesParameters)
        self._robot = load_robot(config.robot)
        self._camera: CameraModel | None = None
        self._scanner: tuple[CameraModel, DepthScanner] | None = None
        self._map: VirtualScan | None = None
        self._frames = FrameTree()
        self._publisher = ScanPublisher(node, 's2e_obstacles', config.base_frame)
        if config.source == 'depth':
            node.create_subscription(CameraInfo, 'depth/camera_info', self._on_info, SENSOR)
            node.create_subscription(Image, 'depth/image_raw', self._on_depth, SENSOR)
            return
        node.create_subscription(OccupancyGrid, 'map', self._on_map, LATCHED)
        node.create_subscription(TFMessage, '/tf_static', self._frames.update, LATCHED)
        node.create_subscription(TFMessage, '/tf', self._on_tf, RELIABLE)
        steady_timer(node, PERIOD, self._look_at_map)

    def close(self) -> None:
        """Nothing to say: the gate stops for want of scans."""

    def _complain(self, error: ConversionError) -> None:
        """Say it and send nothing: the last scan ages, and the gate stops."""
        self.node.get_logger().error(str(error), throttle_duration_sec=5.0)

    def _on_info(self, message: CameraInfo) -> None:
        try:
            self._camera = camera_from_info(message)
        except ConversionError as error:
            self._complain(error)

    def _on_depth(self, message: Image) -> None:
        if self._camera is None:
            return
        try:
            depth, stride = depth_from_image(message)
            scanner = self._scanner_of(thinned_camera(self._camera, stride))
        except ConversionError as error:
            self._complain(error)
            return
        camera = self._scanner[0] if self._scanner is not None else self._camera
        if depth.shape != (camera.height, camera.width):
            self._complain(ConversionError(f'depth of {depth.shape} is not what camera_info says'))
            return
        seen = scanner.scan(depth)
        step = float(seen.bearings[1] - seen.bearings[0])
        self._publisher.publish(RangeScan(
            to_ns(message.header.stamp), Pose2(*seen.foot), float(seen.bearings[0]), step,
            seen.ranges, reach=REACH,
        ))

    def _scanner_of(self, camera: CameraModel) -> DepthScanner:
        if self._scanner is None or self._scanner[0] != camera:
            mount = self._robot.camera.mount()
            self._scanner = camera, DepthScanner(camera, mount, self._robot.height)
        return self._scanner[1]

    def _on_map(self, message: OccupancyGrid) -> None:
        try:
            self._map = VirtualScan(collision_from_grid(message))
        except ConversionError as error:
            self._map = None
            self._complain(error)

    def _on_tf(self, message: TFMessage) -> None:
        self._frames.update(message, time.monotonic())

    def _look_at_map(self) -> None:
        if self._map is None:
            return
        config = self._config
        try:
            pose = self._frames.lookup(config.map_frame, config.base_frame, time.monotonic())
        except ConversionError as error:
            self._complain(error)
            return
        nothing = np.zeros((0, 3)), np.zeros((0, 5))
        ranges = self._map.cast(pose, *nothing, BEAMS, REACH)
        step = 2.0 * math.pi / BEAMS
        now = int(self.node.get_clock().now().nanoseconds)
        self._publisher.publish(RangeScan(
            now, Pose2(), -math.pi, step, ranges.astype(np.float64), reach=REACH
        ))


def main(args: list[str] | None = None) -> None:
    """Run the node."""
    main_program(lambda: ObstaclesNode(Node('obstacles')), args)


if __name__ == '__main__':
    main()
