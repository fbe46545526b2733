"""What the nodes hear of a robot, as far as nothing is broken: one sabotage for every robot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import Bool

from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.images import image_from_frame
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.scans import scan_from_ranges
from s2e_nav.convert.stamps import to_time
from s2e_nav.qos import RELIABLE

BEAT = 0.02
"""Seconds between two beats."""
DRIVER_EVERY = 2
"""Beats between a driver's commands: 25 Hz, as the page of `s2e teleop` or better."""
E_STOP_EVERY = 5
"""Beats between heartbeats of the e-stop: 10 Hz."""
DRIVEN = 0.5
"""m/s that the driver asks for."""
SCAN_RANGE = 10.0
"""Metres."""
NEAR = 0.55
"""Metres ahead of base_link, and so 0.125 before the nose of the coco, wherever it drives to."""
NEAR_HALF = math.radians(10.0)
"""Half the bearings that what steps before the nose takes up."""


@dataclass
class Sabotage:
    """What is broken now; nothing, to begin with."""

    image: str = 'ok'
    """ok, off, frozen, black, encoding, size or mirrored."""
    info: bool = True
    """Whether intrinsics come."""
    camera_shift: float = 0.0
    """Added to the stamps of images, seconds."""
    camera_every: int = 1
    """Of so many images one comes."""
    odometry: str = 'ok'
    """ok, off, frozen, jump, nan."""
    odometry_shift: float = 0.0
    """Added to the stamps of odometry, seconds."""
    clock: bool = True
    """Whether the robot's clock goes on; without, stamps stand still too."""
    clock_shift: float = 0.0
    """Added to the robot's clock, seconds."""
    scan: str = 'none'
    """none, free (as it is), near (something before the nose) or off."""
    driver: str = 'none'
    """none, drives, lost, or held: the link keeps the commands back, and then lets all go."""
    e_stop: bool | None = None
    """The heartbeat's word, or None for silence."""


class Senses:
    """Publishes what a robot senses, with the sabotage applied.

    `taken` is the steady clock, seconds, of the moment that a stamp stands for: what is measured
    counts from there.
    """

    def __init__(self, node: Node, *, sim_time: bool) -> None:
        """Open the topics.

        Args:
            node: Owner.
            sim_time: Publish /clock.
        """
        self.sabotage = Sabotage()
        self.last_good = {'camera': 0.0, 'odometry': 0.0, 'driver': 0.0, 'scan': 0.0}
        """Steady clock of the newest message without a fault, seconds."""
        self.heartbeats = 0
        """Of the e-stop, sent so far."""
        self._told_ns, self._images, self._beats, self._driven_ns = 0, 0, 0, -1
        self._still = Pose2()
        self._shown: np.ndarray | None = None
        self._held: list[TwistStamped] = []
        self._odom = node.create_publisher(OdometryMessage, 'odom', RELIABLE)
        self._image = node.create_publisher(Image, 'camera/image_raw', RELIABLE)
        self._info = node.create_publisher(CameraInfo, 'camera/camera_info', RELIABLE)
        self._e_stop = node.create_publisher(Bool, 'e_stop', RELIABLE)
        self._scan = node.create_publisher(LaserScan, 'scan', RELIABLE)
        self._driver = node.create_publisher(TwistStamped, 'cmd_vel_teleop', RELIABLE)
        self._clock = node.create_publisher(Clock, '/clock', RELIABLE) if sim_time else None

    def told_ns(self, clock_ns: int) -> int:
        """Return what the robot's clock is said to be; one that was stopped stands still.

        Args:
            clock_ns: What it is, nanoseconds.
        """
        if self.sabotage.clock:
            self._told_ns = self.stamp_ns(clock_ns)
        return self._told_ns

    def stamp_ns(self, clock_ns: int) -> int:
        """Return the stamp of what was sensed at a time of the robot's clock, nanoseconds."""
        if not self.sabotage.clock:
            return self._told_ns
        return clock_ns + round(self.sabotage.clock_shift * 1e9)

    def tell_time(self, now_ns: int) -> None:
        """Publish the clock, unless it was stopped."""
        if self._clock is not None and self.sabotage.clock:
            self._clock.publish(Clock(clock=to_time(now_ns)))

    def odometry(self, odometry: Odometry, taken: float) -> None:
        """Publish odometry."""
        broken = self.sabotage
        if broken.odometry == 'off':
            return
        pose, v, w = odometry.pose, odometry.v, odometry.w
        if broken.odometry == 'frozen':
            pose, v, w = self._still, 0.0, 0.0
        elif broken.odometry == 'jump':
            pose = Pose2(pose.x + 3.0, pose.y, pose.yaw)
        elif broken.odometry == 'nan':
            pose = Pose2(math.nan, pose.y, pose.yaw)
        else:
            self._still = pose
        stamp = odometry.stamp_ns + round(broken.odometry_shift * 1e9)
        self._odom.publish(message_from_odometry(Odometry(stamp, pose, v, w)))
        if broken.odometry == 'ok' and not broken.odometry_shift and broken.clock:
            self.last_good['odometry'] = taken

    def camera(self, info: CameraInfo, frame: CameraFrame, taken: float) -> None:
        """Publish intrinsics and an image.

        Args:
            info: Intrinsics, and the frame of the camera.
            frame: The image, with the stamp of both.
            taken: See above.
        """
        broken = self.sabotage
        self._images += 1
        if self._images % broken.camera_every:
            return
        stamp = frame.stamp_ns + round(broken.camera_shift * 1e9)
        info.header.stamp = to_time(stamp)
        if broken.info:
            self._info.publish(info)
        if broken.image == 'off':
            return
        picture = np.ascontiguousarray(self._spoilt(broken.image, frame.rgb))
        message = image_from_frame(CameraFrame(stamp, picture), info.header.frame_id)
        if broken.image == 'encoding':
            message.encoding = '16UC1'
        self._image.publish(message)
        healthy = broken.image == 'ok' and not broken.camera_shift and broken.info
        if healthy and broken.clock:
            self.last_good['camera'] = taken

    def _spoilt(self, how: str, picture: np.ndarray) -> np.ndarray:
        """Return a picture as it is shown. [H, W, 3]"""
        if how == 'frozen' and self._shown is not None:
            return self._shown
        self._shown = picture
        if how == 'black':
            return np.zeros_like(picture)
        if how == 'mirrored':
            return picture[:, ::-1]
        return picture[:64, :64] if how == 'size' else picture

    def scan(self, ranges: np.ndarray, stamp_ns: int, taken: float) -> None:
        """Publish a range scan.

        Args:
            ranges: Distances from base_link over the full turn, -pi to pi, metres. [beams]
            stamp_ns: Its stamp.
            taken: See above.
        """
        broken = self.sabotage
        if broken.scan not in ('free', 'near'):
            return
        if broken.scan == 'near':
            bearings = math.tau * np.arange(len(ranges)) / len(ranges) - math.pi
            ranges = np.where(np.abs(bearings) <= NEAR_HALF + 1e-9, NEAR, ranges)
        else:
            self.last_good['scan'] = taken
        self._scan.publish(scan_from_ranges(ranges, stamp_ns, SCAN_RANGE))

    def beat(self, now_ns: int, taken: float) -> None:
        """Let driver and e-stop speak where it is their turn; called at each `BEAT`."""
        if self._beats % DRIVER_EVERY == 0:
            self._drive(now_ns, taken)
        if self._beats % E_STOP_EVERY == 0 and self.sabotage.e_stop is not None:
            self._e_stop.publish(Bool(data=self.sabotage.e_stop))
            self.heartbeats += 1
        self._beats += 1

    def _drive(self, now_ns: int, taken: float) -> None:
        broken = self.sabotage
        if broken.driver in ('none', 'lost'):
            self._held.clear()
            return
        self._held.append(stamped_from_command(Command(now_ns, DRIVEN)))
        if broken.driver == 'held':
            return
        for command in self._held:
            self._driver.publish(command)
        self._held.clear()
        if now_ns != self._driven_ns:
            # The same stamp again, of a clock that moves in steps, is no news.
            self._driven_ns, self.last_good['driver'] = now_ns, taken
