"""How far the robot could drive along each bearing of its view: the truth behind `free_space`.

Two sources are joined by the lesser: the depth image, which shows everything of a robot's height
in sight, and the map with all bodies, which also knows what is low or flat, such as kerbs and
lawns. Either alone errs on one side; a robot can use neither, so this is a label, not a sensor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.collision import CollisionMap
from s2e_core.camera import CameraModel
from s2e_core.contract import FREE_SPACE_BEARINGS

REACH = 10.0
"""Distances saturate here, metres: the contract's limit."""
LOW, HIGH = 0.15, 1.2
"""Heights above the floor that stop a robot, metres, as in scene import."""
WITNESSES = 3
"""Pixels that must show something before it counts: a post of 0.15 m at 10 m covers that many."""

Floats = NDArray[np.float64]


def half_view(camera: CameraModel) -> float:
    """Return half of the horizontal field of view that `free_space` divides, radians.

    The narrower half where the principal point is off the middle.
    """
    return math.atan(min(camera.cx, camera.width - camera.cx) / camera.fx)


def bearings(camera: CameraModel, count: int = FREE_SPACE_BEARINGS) -> Floats:
    """Return the middles of equal shares of the view, left to right, base_link, rad. `[count]`"""
    half = half_view(camera)
    return half * (1.0 - (2.0 * np.arange(count) + 1.0) / count)


def from_depth(
    depth: NDArray[np.floating],
    camera: CameraModel,
    map_from_optical: Floats,
    collision: CollisionMap,
    yaw: float,
    count: int = FREE_SPACE_BEARINGS,
) -> Floats:
    """Measure free distances in a depth image.

    Args:
        depth: `[H, W]` z along the optical axis, metres; infinite where nothing is.
        camera: Its pinhole intrinsics.
        map_from_optical: `[4, 4]` map <- optical.
        collision: Gives the floor below each point.
        yaw: Heading of base_link in map, radians.
        count: Bearings.

    Returns:
        `[count]` metres from the camera's foot, `REACH` where nothing is nearer.
    """
    v, u = np.nonzero(np.isfinite(depth))
    z = depth[v, u].astype(np.float64)
    rays = np.stack([(u + 0.5 - camera.cx) / camera.fx, (v + 0.5 - camera.cy) / camera.fy,
                     np.ones(len(u))], axis=1)
    points = (rays * z[:, None]) @ map_from_optical[:3, :3].T + map_from_optical[:3, 3]
    height = points[:, 2] - collision.floor(points[:, :2])
    offset = points[:, :2] - map_from_optical[:2, 3]
    distance = np.hypot(offset[:, 0], offset[:, 1])
    solid = (height > LOW) & (height < HIGH) & (distance < REACH)
    turn = np.arctan2(offset[solid, 1], offset[solid, 0]) - yaw
    turn = (turn + math.pi) % (2.0 * math.pi) - math.pi
    return _nearest(turn, distance[solid], camera, count, WITNESSES)


def from_scan(
    ranges: NDArray[np.floating], camera: CameraModel, count: int = FREE_SPACE_BEARINGS
) -> Floats:
    """Take the least beam in each bearing's share.

    Args:
        ranges: `[B]` beams from -pi (inclusive) to pi around the camera's foot, metres; at least
            two in every share.
        camera: Gives the field of view.
        count: Bearings.

    Returns:
        `[count]` metres, at most `REACH`.
    """
    turn = -math.pi + 2.0 * math.pi * np.arange(len(ranges)) / len(ranges)
    return _nearest(turn, np.minimum(ranges, REACH).astype(np.float64), camera, count, 1)


def _nearest(
    turn: Floats, distance: Floats, camera: CameraModel, count: int, witnesses: int
) -> Floats:
    """Return the `witnesses`-th least distance in each share of the view. `[count]`"""
    half = half_view(camera)
    share = np.floor((half - turn) / (2.0 * half) * count).astype(np.int64)
    inside = (share >= 0) & (share < count)
    share, distance = share[inside], distance[inside]
    order = np.lexsort((distance, share))
    share, distance = share[order], distance[order]
    first = np.searchsorted(share, np.arange(count)) + witnesses - 1
    last = np.searchsorted(share, np.arange(count), side='right')
    result = np.full(count, REACH)
    found = first < last
    result[found] = distance[first[found]]
    return result
