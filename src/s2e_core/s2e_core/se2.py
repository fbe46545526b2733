"""Planar rigid transforms (SE(2)), REP-103: x forward, y left, yaw counter-clockwise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


def wrap_angle(angle: float) -> float:
    """Wrap an angle to (-pi, pi].

    Args:
        angle: Radians.

    Returns:
        The equal angle in (-pi, pi].
    """
    wrapped = math.remainder(angle, 2.0 * math.pi)
    return math.pi if wrapped == -math.pi else wrapped


@dataclass(frozen=True)
class Pose2:
    """A planar pose ``parent <- child``."""

    x: float = 0.0
    """Metres, parent frame."""
    y: float = 0.0
    """Metres, parent frame."""
    yaw: float = 0.0
    """Radians, counter-clockwise seen from above."""

    def compose(self, other: Pose2) -> Pose2:
        """Chain ``parent <- child`` with ``child <- grandchild``."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return Pose2(
            self.x + c * other.x - s * other.y,
            self.y + s * other.x + c * other.y,
            wrap_angle(self.yaw + other.yaw),
        )

    def inverse(self) -> Pose2:
        """Return ``child <- parent``."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return Pose2(-c * self.x - s * self.y, s * self.x - c * self.y, wrap_angle(-self.yaw))

    def transform(self, points: np.ndarray) -> np.ndarray:
        """Express points of the child frame in the parent frame.

        Args:
            points: Child-frame points, metres. [..., 2]

        Returns:
            Parent-frame points, float64. [..., 2]
        """
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        p = np.asarray(points, np.float64)
        return np.stack(
            [self.x + c * p[..., 0] - s * p[..., 1], self.y + s * p[..., 0] + c * p[..., 1]],
            axis=-1,
        )

    def distance_to(self, xy: np.ndarray | tuple[float, float]) -> float:
        """Straight distance in metres from this pose's origin to a parent-frame point. [2]"""
        return math.hypot(float(xy[0]) - self.x, float(xy[1]) - self.y)

    def matrix(self) -> np.ndarray:
        """Return the homogeneous matrix ``parent <- child``. [3, 3]"""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.array([[c, -s, self.x], [s, c, self.y], [0.0, 0.0, 1.0]])

    @property
    def finite(self) -> bool:
        """Whether all three numbers are finite."""
        return math.isfinite(self.x) and math.isfinite(self.y) and math.isfinite(self.yaw)
