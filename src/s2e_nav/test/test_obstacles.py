"""Free distance through ROS: depth images, maps and scans, to the gate and the policy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import OccupancyGrid
from nav_msgs.msg import Odometry as OdometryMessage
from policy_bench import PolicyBench
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from tf2_msgs.msg import TFMessage

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.contract import PolicyOutput
from s2e_core.range_scan import RangeScan
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.commands import command_from_stamped, stamped_from_command
from s2e_nav.convert.depths import depth_from_image, thinned_camera
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.maps import collision_from_grid
from s2e_nav.convert.poses import message_from_odometry, transform_from_pose2
from s2e_nav.errors import ConversionError
from s2e_nav.nodes.gate import GateNode
from s2e_nav.nodes.obstacles import ObstaclesNode
from s2e_nav.obstacles.intake import ScanIntake
from s2e_nav.obstacles.publisher import ScanPublisher
from s2e_nav.qos import LATCHED, SENSOR

SECOND, TICK = 1_000_000_000, 50_000_000


def depth_message(metres: np.ndarray, encoding: str = '32FC1') -> Image:
    """Write a depth image with a row of padding bytes."""
    kind, unit = (np.float32, 1.0) if encoding == '32FC1' else (np.uint16, 1000.0)
    rows = (metres * unit).astype(kind)
    padded = np.pad(rows, ((0, 0), (0, 2)))
    message = Image(encoding=encoding, height=rows.shape[0], width=rows.shape[1])
    message.step = padded.shape[1] * padded.itemsize
    message.data = padded.tobytes()
    return message


def test_depth_is_read_in_metres_and_thinned():
    """A column of 320 becomes each second pixel, from the second on; zero is no reading."""
    metres = np.tile(np.arange(320) / 100.0, (4, 1))
    for encoding in ('32FC1', '16UC1'):
        depth, stride = depth_from_image(depth_message(metres, encoding))
        assert stride == 2 and depth.shape == (2, 160)
        assert depth[0, :3] == pytest.approx([0.01, 0.03, 0.05])
    metres[:, 1] = 0.0
    assert np.isinf(depth_from_image(depth_message(metres))[0][0, 0])


@pytest.mark.parametrize(
    'change', [{'encoding': 'rgb8'}, {'height': 9}, {'step': 3}, {'width': 0}]
)
def test_depth_that_does_not_fit_is_refused(change):
    message = depth_message(np.ones((4, 8)))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ConversionError, match='depth'):
        depth_from_image(message)


def test_a_thinned_camera_sees_the_same_rays():
    """Pixel i of the thinned image is pixel 1 + 3 i of the old one."""
    camera = CameraModel(481, 321, 300.0, 310.0, 240.0, 160.0)
    thin = thinned_camera(camera, 3)
    assert (thin.width, thin.height) == (160, 107)
    for i in (0, 80, 159):
        old, new = 1 + 3 * i + 0.5, i + 0.5
        assert (new - thin.cx) / thin.fx == pytest.approx((old - camera.cx) / camera.fx)
    with pytest.raises(ConversionError, match='rectified'):
        thinned_camera(CameraModel(8, 8, 4, 4, 4, 4, 'plumb_bob', (0.1, 0, 0, 0)), 1)


def grid(occupied: list[tuple[int, int]], rows: int = 100, columns: int = 100) -> OccupancyGrid:
    """Write a map of 0.1 m cells whose corner lies at (-5, -5)."""
    cells = np.zeros((rows, columns), np.int8)
    for row, column in occupied:
        cells[row, column] = 100
    message = OccupancyGrid()
    message.info.resolution, message.info.width, message.info.height = 0.1, columns, rows
    message.info.origin.position.x = message.info.origin.position.y = -5.0
    message.info.origin.orientation.w = 1.0
    message.data = cells.ravel().tolist()
    return message


def test_maps_are_read_and_broken_ones_refused():
    message = grid([(50, 70)])
    known = collision_from_grid(message)
    assert known.occupancy.sum() == 1 and known.occupancy[50, 70]
    assert known.origin.tolist() == [-5.0, -5.0]
    message.info.width = 99
    with pytest.raises(ConversionError, match='does not fit'):
        collision_from_grid(message)
    turned = grid([])
    turned.info.origin.orientation.z = turned.info.origin.orientation.w = math.sqrt(0.5)
    with pytest.raises(ConversionError, match='turned'):
        collision_from_grid(turned)


class Ears:
    """What a `ScanIntake` hears from another node."""

    def __init__(self, ros, source: str) -> None:
        self.ros, self.heard = ros, list[RangeScan]()
        self.node, self.driver = ros.node('ears'), ros.node('driver')
        self.tf = self.driver.create_publisher(TFMessage, '/tf_static', LATCHED)
        ScanIntake(self.node, source, SENSOR, self.heard.append)

    def spin(self, *nodes) -> None:
        for node in (self.node, self.driver, *nodes):
            self.ros.spin(node)

    def until_heard(self, send) -> RangeScan:
        """Send again and again until something has come through."""
        def look() -> bool:
            send()
            return bool(self.heard)

        self.ros.wait(look)
        return self.heard[-1]


def test_a_scan_comes_with_the_place_it_was_taken_from(ros):
    ears = Ears(ros, 'free_space')
    publisher = ScanPublisher(ears.driver, 'nose')
    ears.spin()
    sent = RangeScan(5 * SECOND, Pose2(0.3, 0.1, 0.5), -0.5, 0.25, np.array([1.0, np.inf, 2.0]))
    got = ears.until_heard(lambda: publisher.publish(sent))
    assert got.stamp_ns == sent.stamp_ns and got.origin == sent.origin
    assert got.points() == pytest.approx(sent.points())


def test_a_scan_from_nowhere_or_upside_down_is_none(ros):
    ears = Ears(ros, 'scan')
    scans = ears.driver.create_publisher(LaserScan, 'scan', 10)
    ears.spin()
    message = LaserScan(angle_min=-1.0, angle_max=1.0, angle_increment=0.5, range_max=9.0)
    message.ranges = [1.0] * 5
    message.header.frame_id = 'lidar'
    over = transform_from_pose2(Pose2(), 0, 'base_link', 'mast')
    over.transform.rotation.x, over.transform.rotation.w = 1.0, 0.0
    above = transform_from_pose2(Pose2(), 0, 'mast', 'lidar')
    ears.tf.publish(TFMessage(transforms=[over, above]))
    ros.wait(lambda: scans.get_subscription_count() == 1)
    good = transform_from_pose2(Pose2(0.2, 0.0, 0.0), 0, 'base_link', 'front')
    for _ in range(5):
        scans.publish(message)
    # A later scan of another frame comes through; the five before it did not.
    message.header.frame_id = 'front'
    ears.tf.publish(TFMessage(transforms=[over, above, good]))
    got = ears.until_heard(lambda: scans.publish(message))
    assert all(scan.origin == Pose2(0.2) for scan in ears.heard) and got is ears.heard[-1]


def test_a_depth_image_becomes_a_scan(ros):
    """A wall 2 m from the camera of the coco, which looks 0.1 rad down over level floor."""
    ears = Ears(ros, 'depth')
    image = ears.driver.create_publisher(Image, 'depth/image_raw', 10)
    info = ears.driver.create_publisher(CameraInfo, 'depth/camera_info', 10)
    reader = ros.node('obstacles', source='depth', robot='coco')
    ObstaclesNode(reader)
    ears.spin(reader)
    mount, camera = load_robot('coco').camera.mount(), SMALL_CAMERA
    v, u = np.indices((camera.height, camera.width)) + 0.5
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy,
                     np.ones_like(u)], -1) @ mount.base_from_optical()[:3, :3].T
    floor = np.where(rays[..., 2] < 0, -mount.z / np.minimum(rays[..., 2], -1e-9), np.inf)
    depth = depth_message(np.minimum(floor, 2.0 / rays[..., 0]))
    depth.header.stamp.sec = 7

    def send() -> None:
        info.publish(info_from_camera(camera, 0, 'depth'))
        image.publish(depth)

    got = ears.until_heard(send)
    assert got.stamp_ns == 7 * SECOND and got.origin == Pose2(mount.x, mount.y)
    ahead = got.points()[np.abs(got.points()[:, 1]) < 1.0]
    assert len(ahead) > 20 and ahead[:, 0] == pytest.approx(mount.x + 2.0, abs=0.1)


def test_a_map_becomes_a_scan_where_localisation_says(ros):
    """The robot at (1, 1) facing +y; a wall along y = 3 lies 2 m ahead."""
    ears = Ears(ros, 'occupancy')
    maps = ears.driver.create_publisher(OccupancyGrid, 'map', LATCHED)
    tf = ears.driver.create_publisher(TFMessage, '/tf', 10)
    reader = ros.node('obstacles', source='occupancy', robot='coco')
    ObstaclesNode(reader)
    ears.spin(reader)
    maps.publish(grid([(80, column) for column in range(100)]))
    there = [transform_from_pose2(Pose2(1.0, 0.0, 0.0), 0, 'map', 'odom'),
             transform_from_pose2(Pose2(0.0, 1.0, math.pi / 2), 0, 'odom', 'base_link')]
    got = ears.until_heard(lambda: tf.publish(TFMessage(transforms=there)))
    ahead = got.ranges[180]
    assert ahead == pytest.approx(2.0, abs=0.05) and got.origin == Pose2()


def test_the_gate_slows_before_what_the_scan_shows_and_says_what_it_sees(ros):
    """Lock-step: a post 1.2 m ahead of a coco that wants 1 m/s; its nose is at 0.425 m."""
    node, driver = ros.node('gate', robot='coco', mode='lockstep',
                            gate__obstacles__source='scan'), ros.node('driver')
    GateNode(node)
    odom = driver.create_publisher(OdometryMessage, 'odom', 20)
    info = driver.create_publisher(CameraInfo, 'camera/camera_info', 20)
    wish = driver.create_publisher(TwistStamped, 'cmd_vel_nav', 20)
    scans = driver.create_publisher(LaserScan, 'scan', 20)
    sent = ros.listen(driver, TwistStamped, 'cmd_vel')
    states = ros.listen(driver, DiagnosticStatus, 's2e/gate', LATCHED)
    ros.spin(node)
    ros.spin(driver)
    ros.wait(lambda: all(p.get_subscription_count() for p in (odom, info, wish, scans)))
    ros.wait(lambda: bool(states) and driver.count_publishers('cmd_vel') == 1)
    x, speeds = 0.0, []
    for k in range(80):
        stamp = 10 * SECOND + k * TICK
        message = LaserScan(angle_min=0.0, angle_increment=0.01, range_max=9.0)
        message.header.frame_id = 'base_link'
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND)
        message.ranges = [max(1.2 - x, 0.02)]
        before = len(sent)
        if stamp % 200_000_000 == 0:
            info.publish(info_from_camera(SMALL_CAMERA, stamp, 'optical'))
        odom.publish(message_from_odometry(Odometry(stamp, Pose2(x))))
        scans.publish(message)
        wish.publish(stamped_from_command(Command(stamp, 1.0)))
        ros.wait(lambda before=before: len(sent) > before)
        speeds.append(command_from_stamped(sent[-1]).v)
        x += speeds[-1] * 0.05
    assert max(speeds) > 0.4 and speeds[-1] == 0.0
    # It stands with its nose, and 0.1 m kept free, before the post.
    assert x < 1.2 - 0.425
    ros.wait(lambda: status_values(states[-1])['reason'] == 'obstacle')
    assert status_values(states[-1])['sees'] == 'scan'
    assert status_values(states[-1])['latched'] == 'none'


def test_the_policys_own_eyes_reject_its_modes_and_reach_the_gate(ros):
    """Both modes go ahead, the faster for 2 m; its own `free_space` shows something in 1.3 m."""
    bench = PolicyBench(ros, robot='coco', **{'obstacles.source': 'free_space'})
    heard = ros.listen(bench.driver, LaserScan, 's2e/obstacles', SENSOR)
    ros.wait(lambda: bench.driver.count_publishers('s2e/obstacles') == 1)
    plain, near = bench.policy.infer, np.full(48, 10.0)
    near[23:25] = 1.3

    def infer(observation) -> PolicyOutput:
        return replace(plain(observation), free_space=near, free_confidence=np.ones(48))

    bench.policy.infer = infer
    bench.goal(9.0, 0.0)
    plan = bench.see(4 * SECOND)
    # 0.1 m a waypoint: 1 m, and the nose is 0.425 + 0.1 m ahead of it: free until 1.6 m.
    assert plan.points[-1] == pytest.approx([1.0, 0.0], abs=1e-3)
    ros.wait(lambda: bool(heard))
    assert min(heard[-1].ranges) == pytest.approx(1.3, abs=1e-6)
