"""The records that travel between camera, policy, follower, gate and base."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from s2e_core.errors import ContractError
from s2e_core.se2 import Pose2


@dataclass(frozen=True)
class CameraFrame:
    """One camera image."""

    stamp_ns: int
    """Time of exposure, nanoseconds."""
    rgb: np.ndarray
    """Image, RGB. [H, W, 3] uint8"""

    def __post_init__(self) -> None:
        if self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.rgb.dtype != np.uint8:
            raise ContractError(
                f'camera frame: an image must be [H, W, 3] uint8, got {self.rgb.shape} '
                f'{self.rgb.dtype}'
            )


@dataclass(frozen=True)
class Odometry:
    """Pose and body velocity at one time."""

    stamp_ns: int
    """Nanoseconds."""
    pose: Pose2
    """odom <- base_link."""
    v: float = 0.0
    """Forward speed, m/s, base_link."""
    w: float = 0.0
    """Yaw rate, rad/s."""

    @property
    def finite(self) -> bool:
        """Whether every number is finite."""
        return self.pose.finite and math.isfinite(self.v) and math.isfinite(self.w)


@dataclass(frozen=True)
class Command:
    """A body velocity; car-like bases turn ``w`` into a steering angle."""

    stamp_ns: int
    """Time the command is for, nanoseconds."""
    v: float = 0.0
    """Forward speed, m/s."""
    w: float = 0.0
    """Yaw rate, rad/s."""
    vy: float = 0.0
    """Speed to the left, m/s; only a holonomic base has one."""

    @property
    def finite(self) -> bool:
        """Whether every velocity is finite."""
        return math.isfinite(self.v) and math.isfinite(self.w) and math.isfinite(self.vy)

    @property
    def moves(self) -> bool:
        """Whether it asks for motion."""
        return bool(self.v or self.w or self.vy)

    @property
    def speed(self) -> float:
        """How fast base_link goes, in whatever direction, m/s."""
        return math.hypot(self.v, self.vy) if self.vy else abs(self.v)


@dataclass(frozen=True)
class Plan:
    """A timed path chosen from the policy's modes; no points means: stand still."""

    stamp_ns: int
    """Stamp of the image the plan was made from, nanoseconds."""
    points: np.ndarray
    """Waypoints in the odom frame, metres; point k is due at stamp + (k + 1) dt. [T, 2]"""
    dt: float
    """Seconds between waypoints."""
    mode: int = -1
    """Index of the policy's mode, or -1 where none applies."""

    @property
    def is_stop(self) -> bool:
        """Whether the plan says: stand still."""
        return len(self.points) == 0
