"""A robot of numbers: a base that obeys, odometry, a camera in a painted round, and a driver."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import Bool

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.images import image_from_frame
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_time
from s2e_nav.faults.trace import Trace
from s2e_nav.qos import RELIABLE
from s2e_nav.runtime.process import main_program

TICK = 0.02
"""Seconds of the robot's own loop."""
ODOMETRY_EVERY = 2
"""25 Hz; the gate is promised 20."""
CAMERA_EVERY = 5
"""10 Hz, as the gate is promised."""
PER_RADIAN = 1440 / math.tau
"""Pixels of the painted round; 1440 for the full turn."""
DRIVER_EVERY = 2
"""25 Hz, as the page of `s2e teleop` or better."""
SCAN_EVERY = 5
"""10 Hz."""
NEAR = 0.55
"""Metres ahead of base_link, and so 0.125 before the nose of the coco, wherever it drives to."""
DRIVEN = 0.5
"""m/s that the driver asks for."""


@dataclass
class Sabotage:
    """What is broken now; nothing, to begin with."""

    image: str = 'ok'
    """ok, off, frozen, black, encoding, size or mirrored."""
    info: bool = True
    """Whether intrinsics come."""
    camera_shift: float = 0.0
    """Added to the stamps of images, seconds."""
    camera_every: int = CAMERA_EVERY
    odometry: str = 'ok'
    """ok, off, frozen, jump, nan."""
    odometry_shift: float = 0.0
    """Added to the stamps of odometry, seconds."""
    clock: bool = True
    """Whether /clock goes on; without, stamps stand still too."""
    clock_shift: float = 0.0
    """Added to the robot's clock, seconds."""
    scan: str = 'none'
    """none, free, near (something before the nose) or off."""
    driver: str = 'none'
    """none, drives, lost, or held: the link keeps the commands back, and then lets all go."""
    e_stop: bool | None = None
    """The heartbeat's word, or None for silence."""


class SyntheticRobot:
    """Publishes on a thread of its own, so that nothing else delays it."""

    def __init__(
        self, node: Node, base_timeout: float, *, sim_time: bool,
        camera: CameraModel = SMALL_CAMERA,
    ) -> None:
        """Open the topics.

        Args:
            node: Owner.
            base_timeout: Seconds without a command after which the base stops by itself.
            sim_time: Publish /clock and stamp by it.
            camera: Intrinsics of the images.
        """
        self._node, self._timeout, self._sim_time = node, base_timeout, sim_time
        self._camera = camera
        self.sabotage = Sabotage()
        self.trace = Trace()
        """What the gate sent."""
        self.last_good = {'camera': 0.0, 'odometry': 0.0, 'driver': 0.0, 'scan': 0.0}
        """Steady clock of the newest message without a fault, seconds."""
        self.late = 0.0
        """Longest delay of the loop since it was set to zero, seconds."""
        self.rested_at = 0.0
        """Steady clock at which the base last came to rest, seconds."""
        self.heartbeats = 0
        """Of the e-stop, sent so far."""
        self._command, self._commanded = (0.0, 0.0), 0.0
        self._pose, self._still = Pose2(), Pose2()
        self._begin, self._stopped_clock = time.time_ns(), 0
        self._paint(camera)
        self._odom = node.create_publisher(OdometryMessage, 'odom', RELIABLE)
        self._image = node.create_publisher(Image, 'camera/image_raw', RELIABLE)
        self._info = node.create_publisher(CameraInfo, 'camera/camera_info', RELIABLE)
        self._e_stop = node.create_publisher(Bool, 'e_stop', RELIABLE)
        self._scan = node.create_publisher(LaserScan, 'scan', RELIABLE)
        self._driver = node.create_publisher(TwistStamped, 'cmd_vel_teleop', RELIABLE)
        self._clock = node.create_publisher(Clock, '/clock', RELIABLE) if sim_time else None
        node.create_subscription(TwistStamped, 'cmd_vel', self._on_command, RELIABLE)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='robot', daemon=True)

    def _paint(self, camera: CameraModel) -> None:
        """Paint the round that the robot stands in, and the camera's noise."""
        rng = np.random.default_rng(0)
        patches = rng.integers(30, 220, (16, 180, 3), np.uint8)
        tall = np.ones((-(-camera.height // 16), 8, 1), np.uint8)
        self._round = np.kron(patches, tall)[: camera.height]
        self._noise = rng.integers(0, 5, (8, camera.height, camera.width, 3), np.uint8)
        columns = np.arange(camera.width) + 0.5
        self._bearings = np.arctan((columns - camera.cx) / camera.fx)
        self._picture = self._noise[0]
        self._held: list[TwistStamped] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        self._thread.join(2.0)

    @property
    def pose(self) -> Pose2:
        """Where it is, odom <- base_link."""
        return self._pose

    @property
    def moves(self) -> bool:
        """Whether the base is in motion."""
        return self._speed() != (0.0, 0.0)

    def now_ns(self) -> int:
        """Return the robot's clock, nanoseconds."""
        if not self.sabotage.clock:
            return self._stopped_clock
        self._stopped_clock = time.time_ns() + round(self.sabotage.clock_shift * 1e9)
        return self._stopped_clock

    def _on_command(self, message: TwistStamped) -> None:
        twist, moved = message.twist, self._speed() != (0.0, 0.0)
        self._command = float(twist.linear.x), float(twist.angular.z)
        self._commanded = time.monotonic()
        if moved and self._command == (0.0, 0.0):
            self.rested_at = self._commanded
        self.trace.add(*self._command)

    def _speed(self) -> tuple[float, float]:
        """What the base does: the last command, until its own time-out."""
        if time.monotonic() - self._commanded <= self._timeout:
            return self._command
        if self._command != (0.0, 0.0):
            self._command, self.rested_at = (0.0, 0.0), time.monotonic()
            self.trace.poke()
        return 0.0, 0.0

    def _run(self) -> None:
        due, count = time.monotonic(), 0
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            self.late = max(self.late, time.monotonic() - due)
            v, w = self._speed()
            middle = self._pose.yaw + w * TICK / 2
            self._pose = Pose2(
                self._pose.x + v * TICK * math.cos(middle),
                self._pose.y + v * TICK * math.sin(middle), self._pose.yaw + w * TICK,
            )
            self._publish(count, v, w)
            count += 1
            due += TICK

    def _publish(self, count: int, v: float, w: float) -> None:
        broken, now = self.sabotage, self.now_ns()
        if self._clock is not None and broken.clock:
            self._clock.publish(Clock(clock=to_time(now)))
        if count % ODOMETRY_EVERY == 0:
            self._publish_odometry(broken, now, v, w)
        if count % broken.camera_every == 0:
            self._publish_camera(broken, now, count)
        if count % SCAN_EVERY == 0 and broken.scan in ('free', 'near'):
            self._publish_scan(broken, now)
        if count % DRIVER_EVERY == 0:
            self._publish_driver(broken, now)
        if count % CAMERA_EVERY == 0 and broken.e_stop is not None:
            self._e_stop.publish(Bool(data=broken.e_stop))
            self.heartbeats += 1

    def _publish_odometry(self, broken: Sabotage, now: int, v: float, w: float) -> None:
        if broken.odometry == 'off':
            return
        pose = self._pose
        if broken.odometry == 'frozen':
            pose, v, w = self._still, 0.0, 0.0
        elif broken.odometry == 'jump':
            pose = Pose2(pose.x + 3.0, pose.y, pose.yaw)
        elif broken.odometry == 'nan':
            pose = Pose2(math.nan, pose.y, pose.yaw)
        else:
            self._still = pose
        stamp = now + round(broken.odometry_shift * 1e9)
        self._odom.publish(message_from_odometry(Odometry(stamp, pose, v, w)))
        if broken.odometry == 'ok' and not broken.odometry_shift and broken.clock:
            self.last_good['odometry'] = time.monotonic()

    def _publish_scan(self, broken: Sabotage, now: int) -> None:
        ranges = np.full(360, np.inf)
        if broken.scan == 'near':
            ranges[170:191] = NEAR
        else:
            self.last_good['scan'] = time.monotonic()
        self._scan.publish(scan_from_ranges(ranges, now, 10.0))

    def _publish_driver(self, broken: Sabotage, now: int) -> None:
        if broken.driver in ('none', 'lost'):
            self._held.clear()
            return
        self._held.append(stamped_from_command(Command(now, DRIVEN)))
        if broken.driver == 'held':
            return
        for command in self._held:
            self._driver.publish(command)
        self._held.clear()
        self.last_good['driver'] = time.monotonic()

    def _publish_camera(self, broken: Sabotage, now: int, count: int) -> None:
        stamp = now + round(broken.camera_shift * 1e9)
        if broken.info:
            self._info.publish(info_from_camera(self._camera, stamp, 'camera'))
        if broken.image == 'off':
            return
        if broken.image != 'frozen':
            turned = np.rint((self._bearings - self._pose.yaw) * PER_RADIAN).astype(np.int64)
            # Never the same picture twice: a sensor has its noise.
            noise = self._noise[count // broken.camera_every % len(self._noise)]
            self._picture = self._round[:, turned % self._round.shape[1]] + noise
        picture = self._picture
        if broken.image == 'black':
            picture = np.zeros_like(picture)
        elif broken.image == 'mirrored':
            picture = picture[:, ::-1]
        elif broken.image == 'size':
            picture = picture[:64, :64]
        message = image_from_frame(CameraFrame(stamp, np.ascontiguousarray(picture)), 'camera')
        if broken.image == 'encoding':
            message.encoding = '16UC1'
        self._image.publish(message)
        healthy = broken.image == 'ok' and not broken.camera_shift and broken.info
        if healthy and broken.clock:
            self.last_good['camera'] = time.monotonic()


class RobotProgram:
    """The robot as a process of its own, to try the stack without hardware or scenes."""

    def __init__(self, node: Node) -> None:
        """Start at once."""
        self.node = node
        self.exit_code: int | None = None
        self._robot = SyntheticRobot(node, 0.5, sim_time=False)
        self._robot.start()

    def close(self) -> None:
        """End the thread."""
        self._robot.stop()


def main(args: list[str] | None = None) -> None:
    """Run the robot."""
    main_program(lambda: RobotProgram(Node('synthetic_robot')), args)


if __name__ == '__main__':
    main()
