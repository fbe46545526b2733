"""The small map in the corner of a film."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.report import ink
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

_FREE: ink.Rgb = (52, 60, 72)
_OCCUPIED: ink.Rgb = (150, 158, 170)
_ROUTE: ink.Rgb = (120, 150, 235)


class Inset:
    """A window of the map around the robot, north up."""

    def __init__(
        self, collision: CollisionMap, robot: RobotProfile, size: int = 150, metres: float = 18.0
    ) -> None:
        """Paint the static map once.

        Args:
            collision: Static map.
            robot: Footprint.
            size: Edge of the picture, pixels.
            metres: Edge of the window, metres.
        """
        self._collision, self._robot = collision, robot
        self._size, self._scale = size, size / metres
        base = np.empty((*collision.occupancy.shape, 3), np.uint8)
        base[:] = _FREE
        base[collision.occupancy] = _OCCUPIED
        self._base = base

    def draw(
        self,
        pose: Pose2,
        goal: tuple[float, float],
        route: NDArray[np.floating],
        driven: NDArray[np.floating],
        people: NDArray[np.floating],
        patches: list[Patch],
    ) -> NDArray[np.uint8]:
        """Draw the window.

        Args:
            pose: map <- base_link.
            goal: Map, metres.
            route: Shortest way. [Q, 2]
            driven: Way driven so far. [P, 2]
            people: x, y. [N, 2]
            patches: Obstacles.

        Returns:
            Picture. [size, size, 3] uint8
        """
        self._centre = np.array([pose.x, pose.y])
        picture = self._window()
        ink.polyline(picture, self._pixels(route), _ROUTE, 2)
        ink.polyline(picture, self._pixels(driven), ink.CHOSEN, 2)
        for patch in patches:
            self._patch(picture, patch, (215, 150, 90))
        for x, y in np.asarray(people).reshape(-1, 2):
            px = self._pixels(np.array([[x, y]]))[0]
            ink.disc(picture, (px[0], px[1]), max(2.5, PERSON_RADIUS * self._scale), ink.PERSON)
        mark = self._pixels(np.array([goal]))[0]
        mark = np.clip(mark, 6, self._size - 7)
        ink.disc(picture, (float(mark[0]), float(mark[1])), 5, ink.GOAL)
        self._robot_mark(picture, pose)
        return picture

    def _window(self) -> NDArray[np.uint8]:
        per_pixel = 1.0 / self._scale / self._collision.resolution
        corner = (self._centre - self._collision.origin) / self._collision.resolution
        half = 0.5 * self._size
        # Picture pixel (u, v) to map cell (column, row); v runs down, rows run up.
        matrix = np.array([
            [per_pixel, 0.0, corner[0] - per_pixel * half],
            [0.0, -per_pixel, corner[1] + per_pixel * half],
        ])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(
            self._base, matrix, (self._size, self._size), flags=flags,
            borderMode=cv2.BORDER_CONSTANT, borderValue=_OCCUPIED,
        ))

    def _pixels(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        offset = (np.asarray(xy, np.float64).reshape(-1, 2) - self._centre) * self._scale
        return 0.5 * self._size + offset * (1.0, -1.0)

    def _patch(self, picture: NDArray[np.uint8], patch: Patch, colour: ink.Rgb) -> None:
        if patch.half_y == 0.0:
            px = self._pixels(np.array([[patch.x, patch.y]]))[0]
            ink.disc(picture, (px[0], px[1]), max(2.0, patch.half_x * self._scale), colour)
            return
        corners = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * (patch.half_x, patch.half_y)
        pose = Pose2(patch.x, patch.y, patch.yaw)
        ink.polygon(picture, self._pixels(pose.transform(corners)), colour)

    def _robot_mark(self, picture: NDArray[np.uint8], pose: Pose2) -> None:
        length = max(self._robot.length, 8.0 / self._scale)
        width = max(self._robot.width, 6.0 / self._scale)
        shape = np.array([[0.65, 0.0], [0.1, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.1, -0.5]])
        ink.polygon(picture, self._pixels(pose.transform(shape * (length, width))), ink.INK)
