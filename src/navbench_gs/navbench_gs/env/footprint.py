"""Whether the robot stands on occupied cells that physics has no wall for."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.lookup import any_cell
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

INSET = 0.02
"""The outline is looked at this far inside, metres: a cell must be entered, not grazed."""


class OccupancyProbe:
    """Looks up the cells under the footprint.

    Cells at or next to a static box are left to physics, which reports the touch itself; what
    remains is space that is occupied, or unknown, without a body.
    """

    def __init__(self, collision: CollisionMap, robot: RobotProfile) -> None:
        """Prepare the grid of a scene and the sample points of a footprint."""
        self._collision = collision
        self._bare = collision.occupancy & ~_near_boxes(collision)
        step = collision.resolution / 2.0
        half = np.maximum(np.array([robot.length, robot.width]) / 2.0 - INSET, 0.0)
        axes = [np.linspace(-h, h, max(2, int(np.ceil(2.0 * h / step)) + 1)) for h in half]
        self._points = np.stack(np.meshgrid(*axes, indexing='ij'), axis=-1).reshape(-1, 2)
        self._anything = bool(self._bare.any())
        x0, y0, x1, y1 = collision.bounds
        reach = float(np.hypot(*self._points.max(axis=0)))
        # Within these bounds no point can lie off the grid.
        self._inner = x0 + reach, y0 + reach, x1 - reach, y1 - reach

    def occupied(self, pose: Pose2) -> bool:
        """Return whether the footprint at map <- base_link stands on a bare occupied cell."""
        x0, y0, x1, y1 = self._inner
        if not self._anything and x0 < pose.x < x1 and y0 < pose.y < y1:
            return False
        place = np.array([pose.x, pose.y, math.cos(pose.yaw), math.sin(pose.yaw)])
        grid = self._collision
        return bool(any_cell(
            self._bare, float(grid.origin[0]), float(grid.origin[1]), grid.resolution, place,
            self._points,
        ))


def _near_boxes(collision: CollisionMap) -> NDArray[np.bool_]:
    """Return `[R, C]` True on cells that a box covers or that touch such a cell."""
    mask = np.zeros(collision.shape, dtype=np.uint8)
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]], dtype=np.float64)
    for cx, cy, _, hx, hy, _, yaw in collision.boxes.astype(np.float64):
        corners = Pose2(cx, cy, yaw).transform(signs * (hx, hy))
        pixels = (corners - collision.origin) / collision.resolution - 0.5
        cv2.fillConvexPoly(mask, np.round(pixels * 16.0).astype(np.int32), 1, shift=4)
    return np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0)
