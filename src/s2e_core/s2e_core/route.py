"""Routes: points to drive through, in order, to the last."""

from __future__ import annotations

import math

import numpy as np

WIDE = 3.0
"""A waypoint that a detour passed at up to three radii counts once it lies behind."""


class Route:
    """Remembers which point of a route comes next."""

    def __init__(self, points: np.ndarray, pass_radius: float) -> None:
        """Begin at the first point.

        Args:
            points: Metres, odom frame. [N, 2]
            pass_radius: Distance at which a point before the last counts as passed, metres.

        Raises:
            ValueError: No points, or not finite.
        """
        self._points = _checked(points)
        self._radius = pass_radius
        self._start: np.ndarray | None = None
        self.index = 0
        """The point that is driven to."""

    @property
    def target(self) -> np.ndarray:
        """The point that is driven to, metres, odom frame. [2]"""
        return self._points[self.index]

    @property
    def is_last(self) -> bool:
        """Whether the robot shall come to rest at the target."""
        return self.index == len(self._points) - 1

    @property
    def remaining(self) -> int:
        """Points not reached yet."""
        return len(self._points) - self.index

    def move(self, points: np.ndarray) -> None:
        """Take the same points again, as the odometry frame has moved under them. [N, 2]

        Raises:
            ValueError: Another number of points, or not finite.
        """
        moved = _checked(points)
        if moved.shape != self._points.shape:
            raise ValueError(f'route must keep {len(self._points)} points, got {len(moved)}')
        self._points = moved

    def advance(self, position: tuple[float, float]) -> None:
        """Go on to the next point while the current one is passed.

        Args:
            position: Where the robot is, metres, odom frame.
        """
        here = np.asarray(position, np.float64)
        if self._start is None:
            self._start = here
        while not self.is_last and self._is_passed(here):
            self.index += 1

    def distance(self, position: tuple[float, float]) -> float:
        """Return metres to the end: straight to the target, then from point to point."""
        x, y = self.target
        legs = np.diff(self._points[self.index :], axis=0)
        rest = float(np.hypot(legs[:, 0], legs[:, 1]).sum())
        return math.hypot(float(x) - position[0], float(y) - position[1]) + rest

    def _is_passed(self, here: np.ndarray) -> bool:
        """Near, or not far and behind: beyond the line that halves the corner."""
        offset = here - self.target
        away = float(np.hypot(*offset))
        if away < self._radius:
            return True
        if away > WIDE * self._radius or self._start is None:
            return False
        before = self._points[self.index - 1] if self.index else self._start
        onward = _unit(self.target - before) + _unit(self._points[self.index + 1] - self.target)
        return float(offset @ onward) > 0.0


def _checked(points: np.ndarray) -> np.ndarray:
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ValueError(f'route must be [N, 2] with N >= 1, got {array.shape}')
    if not np.isfinite(array).all():
        raise ValueError(f'route must be finite, got {array.tolist()}')
    return array


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.hypot(*vector))
    return vector / length if length > 1e-9 else np.zeros(2)
