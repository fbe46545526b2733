"""A robot of numbers: a base that obeys, odometry, a camera in a painted round, and a driver."""

from __future__ import annotations

import math
import time

import numpy as np
from geometry_msgs.msg import TwistStamped
from rclpy.node import Node

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.faults.bench_robot import BenchRobot, Wait
from s2e_nav.faults.senses import BEAT
from s2e_nav.runtime.process import main_program

ODOMETRY_EVERY = 2
"""25 Hz; the gate is promised 20."""
CAMERA_EVERY = 5
"""10 Hz, as the gate is promised."""
PER_RADIAN = 1440 / math.tau
"""Pixels of the painted round; 1440 for the full turn."""
SCAN_EVERY = 5
"""10 Hz."""
FAR = 1e5
"""Metres to a goal that is never reached."""


class SyntheticRobot(BenchRobot):
    """Drives on an endless floor in the middle of a round that turns with nothing but its yaw."""

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
        super().__init__(node, sim_time=sim_time)
        self._timeout, self._camera = base_timeout, camera
        self._command, self._commanded = (0.0, 0.0), 0.0
        self._pose = Pose2()
        self._paint(camera)

    def _paint(self, camera: CameraModel) -> None:
        """Paint the round that the robot stands in, and the camera's noise."""
        rng = np.random.default_rng(0)
        patches = rng.integers(30, 220, (16, 180, 3), np.uint8)
        tall = np.ones((-(-camera.height // 16), 8, 1), np.uint8)
        self._round = np.kron(patches, tall)[: camera.height]
        self._noise = rng.integers(0, 5, (8, camera.height, camera.width, 3), np.uint8)
        columns = np.arange(camera.width) + 0.5
        self._bearings = np.arctan((columns - camera.cx) / camera.fx)

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
        return self.senses.told_ns(time.time_ns())

    def begin(self, wait: Wait) -> None:
        """There is room everywhere."""

    def goal(self) -> np.ndarray:
        """Return a point far ahead, in odom, metres. [2]"""
        return self._pose.transform(np.array([FAR, 0.0]))

    def bend(self) -> np.ndarray:
        """Return a point far ahead to the left, in odom, metres. [2]"""
        return self._pose.transform(np.array([FAR, FAR]))

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

    def _step(self, count: int) -> None:
        v, w = self._speed()
        middle = self._pose.yaw + w * BEAT / 2
        self._pose = Pose2(
            self._pose.x + v * BEAT * math.cos(middle),
            self._pose.y + v * BEAT * math.sin(middle), self._pose.yaw + w * BEAT,
        )
        now, taken = self.now_ns(), time.monotonic()
        self.senses.tell_time(now)
        if count % ODOMETRY_EVERY == 0:
            self.senses.odometry(Odometry(now, self._pose, v, w), taken)
        if count % CAMERA_EVERY == 0:
            info = info_from_camera(self._camera, now, 'camera')
            self.senses.camera(info, CameraFrame(now, self._picture(count)), taken)
        if count % SCAN_EVERY == 0:
            self.senses.scan(np.full(360, np.inf), now, taken)
        self.senses.beat(now, taken)

    def _picture(self, count: int) -> np.ndarray:
        """Return what the camera sees. [H, W, 3]"""
        turned = np.rint((self._bearings - self._pose.yaw) * PER_RADIAN).astype(np.int64)
        # Never the same picture twice: a sensor has its noise.
        noise = self._noise[count // CAMERA_EVERY % len(self._noise)]
        picture: np.ndarray = self._round[:, turned % self._round.shape[1]] + noise
        return picture


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
