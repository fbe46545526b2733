"""What is known to stand in the way: it slows velocities and rejects trajectories."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2e_core.config import check, option
from s2e_core.contract import PolicyOutput, PolicySpec
from s2e_core.obstacle_memory import ObstacleMemory
from s2e_core.range_scan import RangeScan, scan_from_free_space
from s2e_core.records import Command
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2
from s2e_core.swept_path import (
    STEP,
    STILL,
    contact_on_path,
    free_travel,
    stopping_distance,
    stopping_speed,
)

SOURCES = ('none', 'scan', 'depth', 'occupancy', 'free_space')
"""Where free distance comes from: nowhere, a range scanner, a depth camera, the map of a known
place, or the policy's own eyes."""
CAMERA_ONLY = frozenset({'none', 'free_space'})
"""Sources that are none, or not independent of the camera that the policy drives by."""
CAMERA_ONLY_CAP = 0.5
"""m/s that a policy may drive by its own `free_space` (docs/safety.md)."""
CREEP = 0.05
"""m/s, or rad/s on the spot, below which the robot rather stands."""


@dataclass(frozen=True)
class ObstacleConfig:
    """Where free distance is known from and what is kept of it."""

    source: str = option('none', choices=SOURCES, help='Where free distance comes from.')
    period: float = option(0.2, unit='s', low=0.01, high=0.2, help='Expected scan.')
    margin: float = option(0.1, unit='m', low=0, high=1, help='Kept free around the footprint.')
    reaction: float = option(
        0.2, unit='s', low=0, high=1, help='From a command to its effect at the wheels.'
    )
    memory: float = option(
        2.0, unit='s', low=0, high=30, help='What left the view is remembered for so long.'
    )
    confidence: float = option(
        0.5, low=0, high=1, help='Less sure distances of `free_space` are not believed.'
    )
    assist: bool = option(
        False, help='What a person asks for is held against it too, not only autonomy.'
    )

    def __post_init__(self) -> None:
        check(self, source='obstacles')

    @property
    def camera_only(self) -> bool:
        """Whether nothing but the policy's camera sees what is in the way."""
        return self.source in CAMERA_ONLY


class ObstacleVeto:
    """Remembers what one source saw and holds motion against it."""

    def __init__(self, robot: RobotProfile, config: ObstacleConfig) -> None:
        """Start without a look.

        Args:
            robot: Footprint and decelerations.
            config: Distances and times.
        """
        self._robot, self.config = robot, config
        self._memory = ObstacleMemory(config.memory)

    @property
    def active(self) -> bool:
        """Whether there is a source."""
        return self.config.source != 'none'

    @property
    def stamp_ns(self) -> int | None:
        """Stamp of the newest look, nanoseconds."""
        return self._memory.stamp_ns

    def add(self, scan: RangeScan, pose: Pose2) -> None:
        """Take a look from a pose odom <- base_link."""
        self._memory.add(scan, pose)

    def look(self, output: PolicyOutput, spec: PolicySpec, pose: Pose2) -> RangeScan | None:
        """Take a policy's own `free_space`, where that is the source.

        Args:
            output: The policy's answer.
            spec: Gives its camera; images are moved to where that sat, else to the robot's place.
            pose: odom <- base_link at the image.

        Returns:
            What was taken, or None.
        """
        if self.config.source != 'free_space':
            return None
        mount = spec.mount or self._robot.camera.mount()
        scan = scan_from_free_space(output, spec.camera, mount, self.config.confidence)
        if scan is not None:
            self.add(scan, pose)
        return scan

    def slow(self, wanted: Command, pose: Pose2) -> tuple[Command, str]:
        """Bring a velocity down to what comes to rest before the next obstacle.

        The curve stays the same. On the spot it is the yaw rate that is bounded, by the yaw
        acceleration.

        Args:
            wanted: Inside the robot's limits.
            pose: odom <- base_link now.

        Returns:
            **command**: With a lower speed, or zero.
            **detail**: How far it is and how fast that allows, or nothing.
        """
        turns = wanted.speed < STILL
        fast = abs(wanted.w) if turns else wanted.speed
        if not self.active or fast == 0.0:
            return wanted, ''
        robot, config = self._robot, self.config
        brake = robot.w_acceleration if turns else robot.stop_deceleration
        horizon = stopping_distance(fast, brake, config.reaction) + 2 * STEP
        around = robot.radius + config.margin + (0.0 if turns else horizon)
        points = self._memory.near(pose, around)
        free = free_travel(
            points, wanted.v, wanted.w, robot, config.margin, horizon, wanted.vy
        )
        allowed = stopping_speed(free, brake, config.reaction)
        if allowed >= fast:
            return wanted, ''
        share = allowed / fast if allowed >= CREEP else 0.0
        unit = 'rad' if turns else 'm'
        detail = f'obstacle in {free:.2f} {unit}: at most {share * fast:.2f} {unit}/s'
        slower = Command(
            wanted.stamp_ns, wanted.v * share, wanted.w * share, wanted.vy * share
        )
        return slower, detail

    def free_along(self, path: NDArray[np.floating], pose: Pose2) -> float:
        """Return how far the robot gets along waypoints, metres; infinite to their end.

        Args:
            path: Waypoints, base_link, metres. [T, 2]
            pose: odom <- base_link at their image.
        """
        if not self.active or not len(path):
            return math.inf
        points = np.asarray(path, np.float64)
        around = float(np.abs(points).max()) + self._robot.radius + self.config.margin
        return contact_on_path(
            self._memory.near(pose, around), points, self._robot, self.config.margin
        )
