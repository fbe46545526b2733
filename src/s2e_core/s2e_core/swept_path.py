"""How far the footprint gets before it meets something, and how fast it may be until then."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from s2e_core.robot import RobotProfile

Floats = NDArray[np.float64]
STEP = 0.05
"""Metres, or radians on the spot, between two poses that are tried; what is found is rounded
down to it."""
STILL = 1e-3
"""m/s below which a base turns on the spot."""


def first_contact(points: Floats, poses: Floats, robot: RobotProfile, margin: float) -> int | None:
    """Find the first pose at which the footprint meets a point.

    A point under the footprint at the first pose is the robot itself or what it touches already,
    and holds nothing up. One within the margin there is met by the bare footprint only, so that
    a robot beside a wall may drive away from it.

    Args:
        points: Obstacles, metres. [N, 2]
        poses: x, y, yaw of base_link in the points' frame; the first is where it is. [K, 3]
        robot: Gives the footprint.
        margin: Kept free around it, metres.

    Returns:
        Index of the pose, or None.
    """
    if not len(points):
        return None
    c, s = np.cos(poses[:, 2])[:, None], np.sin(poses[:, 2])[:, None]
    dx, dy = points[None, :, 0] - poses[:, :1], points[None, :, 1] - poses[:, 1:2]
    # Metres by which each point lies outside the bare footprint, at each pose. [K, N]
    gap = np.maximum(np.abs(c * dx + s * dy) - robot.length / 2,
                     np.abs(c * dy - s * dx) - robot.width / 2)
    least = np.where(gap[0] > margin, margin, 0.0)
    least[gap[0] <= 0.0] = -np.inf
    met = (gap <= least).any(axis=1)
    return int(met.argmax()) if met.any() else None


def free_travel(
    points: Floats, v: float, w: float, robot: RobotProfile, margin: float, horizon: float,
    vy: float = 0.0,
) -> float:
    """Measure how far the robot gets under a velocity that it keeps.

    Args:
        points: Obstacles, base_link, metres. [N, 2]
        v: Forward speed, m/s; negative drives backwards.
        w: Yaw rate, rad/s.
        robot: Gives the footprint.
        margin: Kept free around it, metres.
        horizon: Looked ahead so far, metres; radians on the spot.
        vy: Speed to the left, m/s: the same arc, begun in the direction of (v, vy).

    Returns:
        Metres along the arc, radians on the spot, rounded down to 0.05; infinite where nothing
        is met within the horizon.
    """
    count = math.ceil(horizon / STEP) + 1
    way = STEP * np.arange(count)
    speed = math.hypot(v, vy) if vy else v
    if abs(speed) < STILL:
        poses = np.stack([np.zeros(count), np.zeros(count), math.copysign(1.0, w) * way], axis=1)
    else:
        yaw = w / abs(speed) * way
        along = math.copysign(1.0, speed) * way
        # sin(a)/a and (1 - cos a)/a by sinc, which is exact on the straight.
        poses = np.stack([along * np.sinc(yaw / math.pi),
                          along * np.sin(yaw / 2) * np.sinc(yaw / (2 * math.pi)), yaw], axis=1)
        if vy:
            c, s = v / speed, vy / speed
            poses[:, :2] = poses[:, :2] @ np.array([[c, s], [-s, c]])
    index = first_contact(points, poses, robot, margin)
    return math.inf if index is None else STEP * max(0, index - 1)


def contact_on_path(
    points: Floats, path: Floats, robot: RobotProfile, margin: float
) -> float:
    """Measure how far the robot gets along waypoints, facing the way it goes.

    Args:
        points: Obstacles, base_link, metres. [N, 2]
        path: Waypoints from base_link on, metres. [T, 2]
        robot: Gives the footprint.
        margin: Kept free around it, metres.

    Returns:
        Metres along the path, infinite where nothing is met.
    """
    corners = np.concatenate([np.zeros((1, 2)), path])
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    moved = np.concatenate([[True], steps > STILL])
    corners, way = corners[moved], np.concatenate([[0.0], np.cumsum(steps)])[moved]
    if len(corners) < 2:
        return math.inf
    at = np.append(np.arange(0.0, way[-1], STEP), way[-1])
    headings = np.arctan2(*np.diff(corners, axis=0).T[::-1])
    leg = np.clip(np.searchsorted(way, at, side='left') - 1, 0, len(headings) - 1)
    poses = np.stack([np.interp(at, way, corners[:, 0]), np.interp(at, way, corners[:, 1]),
                      headings[leg]], axis=1)
    # It faces ahead before it begins, whatever the first waypoint says.
    poses[0, 2] = 0.0
    index = first_contact(points, poses, robot, margin)
    return math.inf if index is None else float(at[max(0, index - 1)])


def stopping_speed(distance: float, deceleration: float, reaction: float) -> float:
    """Return the speed from which the robot comes to rest within a distance.

    Solves v t + v^2 / 2a = d: the speed sqrt(2 a d) less what the reaction time takes.

    Args:
        distance: d, metres (or radians).
        deceleration: a, m/s^2 (or rad/s^2).
        reaction: t, seconds.
    """
    if math.isinf(distance):
        return math.inf
    way = max(0.0, distance)
    lost = deceleration * reaction
    return math.sqrt(lost * lost + 2.0 * deceleration * way) - lost


def stopping_distance(speed: float, deceleration: float, reaction: float) -> float:
    """Return the way to rest from a speed, metres; the inverse of `stopping_speed`."""
    return abs(speed) * reaction + speed * speed / (2.0 * deceleration)
