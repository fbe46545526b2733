"""A reactive planner that sees the camera's depth and knows no map: a classical reference.

Depth is another sensor than the policies' RGB, so its results are a column of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.depth_scan import DepthScanner
from navbench_gs.agents.drives import DriveChooser
from navbench_gs.agents.local_grid import LocalGrid, LocalGridConfig
from navbench_gs.agents.movers import MoverTracker
from navbench_gs.errors import TaskError
from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.contract import Observation, PolicyOutput, PolicySpec
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2


class DepthPlanner:
    """Remembers what stands around itself, follows what moves, picks the best simulated drive."""

    def __init__(self, v_max: float = 1.5, config: LocalGridConfig | None = None) -> None:
        """Prepare a planner that still has to be told its robot.

        Args:
            v_max: Top speed, m/s; the robot's limit holds as well.
            config: Memory, and distances to keep.
        """
        self.spec = PolicySpec('depth', 1, SMALL_CAMERA, v_max, 3.0)
        self._config = config
        self._robot: RobotProfile | None = None
        self._tracker = MoverTracker()
        self._scanners: dict[CameraModel, DepthScanner] = {}
        self._depth: tuple[int, NDArray[np.floating], CameraModel] | None = None

    def set_robot(self, robot: RobotProfile) -> None:
        """Take footprint, limits and camera mount of the robot to drive."""
        self._robot = robot
        self._grid = LocalGrid(robot.radius, self._config)
        self._chooser = DriveChooser(robot, self.spec.v_max)
        self._scanners.clear()

    def take_depth(
        self, stamp_ns: int, depth: NDArray[np.floating], camera: CameraModel
    ) -> None:
        """Take the depth image that belongs to the next observation.

        Args:
            stamp_ns: The image's stamp.
            depth: z along the optical axis, metres. [H, W]
            camera: Its pinhole intrinsics.
        """
        self._depth = stamp_ns, depth, camera

    def reset(self) -> None:
        """Forget what was seen before the image to come."""
        if self._robot is not None:
            self._grid.clear()
            self._tracker.clear()

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with one mode; without a goal it drives ahead where it can.

        Raises:
            TaskError: no robot, or no depth image of the observation's stamp, was given.
        """
        stamp, pose = observation.stamp_ns, observation.odometry.pose
        self._look(stamp, pose)
        local = np.array([1e3, 0.0]) if observation.goal is None else observation.goal
        x, y = pose.transform(local)
        goal = float(x), float(y)
        v, w = observation.odometry.v, observation.odometry.w
        # Below 0.2 m/s the quotient is noise.
        motion = v, w / v if v > 0.2 else 0.0
        terrain = self._grid.terrain(goal, stamp)
        points = self._chooser.trajectory(terrain, goal, pose, motion, self._tracker.movers)
        return PolicyOutput(stamp, points[None].astype(np.float32), np.ones(1, np.float32))

    def _look(self, stamp: int, pose: Pose2) -> None:
        """Add the depth image to what is remembered."""
        if self._robot is None:
            raise TaskError('the depth planner must be told its robot first')
        if self._depth is None or self._depth[0] != stamp:
            raise TaskError(f'the depth planner needs the depth image of {stamp} ns, it has '
                            f'{"none" if self._depth is None else self._depth[0]}')
        _, depth, camera = self._depth
        if camera not in self._scanners:
            mount, height = self._robot.camera.mount(), self._robot.height
            self._scanners[camera] = DepthScanner(camera, mount, height)
        scan = self._scanners[camera].scan(depth)
        moving = self._tracker.update(scan, pose, stamp)
        self._grid.add(scan, pose, stamp, moving)
