"""What the gate's source of free distance sees in an episode: another sensor than the policy's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.depth_scan import DepthScanner
from navbench_gs.env.simulation import Simulation
from navbench_gs.sensors.scan import VirtualScan
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.range_scan import RangeScan
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

REACH = 8.0
"""Metres: what small depth cameras and scanners show."""
BEAMS = 360


class GateSense:
    """Makes the scan of an image tick; `free_space` comes with the policy's answer instead."""

    def __init__(
        self, source: str, world: Simulation, robot: RobotProfile, camera: CameraModel,
        mount: CameraMount,
    ) -> None:
        """Prepare.

        Args:
            source: One of `s2e_core.obstacle_veto.SOURCES`.
            world: Where it looks; `occupancy` knows the true pose in it.
            robot: Gives the height in which things are in the way.
            camera: Intrinsics of the depth image.
            mount: Its place.
        """
        self._source, self._world = source, world
        self._depth = DepthScanner(camera, mount, robot.height) if self.needs_depth else None
        self._map = VirtualScan(world.bundle.collision)

    @property
    def needs_depth(self) -> bool:
        """Whether an image must be drawn for it."""
        return self._source == 'depth'

    def __call__(self, depth: NDArray[np.floating] | None) -> RangeScan | None:
        """Look.

        Args:
            depth: z along the optical axis, metres, where it was drawn. [H, W]
        """
        if self._source == 'scan':
            return self._full_turn(self._world.scan(BEAMS, REACH))
        if self._source == 'occupancy':
            nothing = np.zeros((0, 3)), np.zeros((0, 5))
            pose = self._world.true_pose()
            return self._full_turn(self._map.cast(pose, *nothing, BEAMS, REACH))
        if self._depth is None or depth is None:
            return None
        seen = self._depth.scan(depth)
        step = float(seen.bearings[1] - seen.bearings[0])
        return RangeScan(
            self._world.time_ns, Pose2(*seen.foot), float(seen.bearings[0]), step, seen.ranges,
            reach=REACH,
        )

    def _full_turn(self, ranges: NDArray[np.floating]) -> RangeScan:
        step = 2.0 * math.pi / len(ranges)
        return RangeScan(
            self._world.time_ns, Pose2(), -math.pi, step, ranges.astype(np.float64), reach=REACH
        )
