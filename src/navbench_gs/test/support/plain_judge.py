"""The judge's and the map's look-ups in plain NumPy: what the compiled ones are held to."""

from __future__ import annotations

import math

import numpy as np

from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.hazards import Patch
from s2e_core.se2 import Pose2


def floor(grid: CollisionMap, xy: np.ndarray) -> np.ndarray:
    """Return the floor z `[...]` at points `[..., 2]`, bilinear, clamped at the border."""
    limit = np.array(grid.shape[::-1], dtype=np.float64) - 1.0
    place = np.clip((xy - grid.origin) / grid.resolution - 0.5, 0.0, limit)
    low = np.minimum(place.astype(np.int64), np.maximum(limit.astype(np.int64) - 1, 0))
    high = np.minimum(low + 1, limit.astype(np.int64))
    tx, ty = np.moveaxis(place - low, -1, 0)
    z = grid.height
    near = z[low[..., 1], low[..., 0]] * (1.0 - tx) + z[low[..., 1], high[..., 0]] * tx
    far = z[high[..., 1], low[..., 0]] * (1.0 - tx) + z[high[..., 1], high[..., 0]] * tx
    return near * (1.0 - ty) + far * ty


def occupied(grid: CollisionMap, mask: np.ndarray, points: np.ndarray, pose: Pose2) -> bool:
    """Return whether a point of a body lies on a set cell, or off the grid."""
    cells = grid.cell(pose.transform(points))
    on_grid = ((cells >= 0) & (cells < np.array(mask.shape))).all(axis=1)
    return bool((~on_grid).any() or mask[cells[on_grid, 0], cells[on_grid, 1]].any())


def clearance(
    grid: CollisionMap, outline: np.ndarray, pose: Pose2, solids: np.ndarray, sizes: np.ndarray
) -> float:
    """Return the gap between an outline and what is nearest of map and obstacles, metres."""
    rim = pose.transform(outline)
    gap = float(np.min(grid.clearance(rim)))
    for matrix, size in zip(solids, sizes, strict=True):
        yaw = math.atan2(matrix[1, 0], matrix[0, 0])
        body = Patch(float(matrix[0, 3]), float(matrix[1, 3]), yaw, *map(float, size))
        gap = min(gap, float(body.distance(rim).min()))
    return max(gap, 0.0)


def person_gap(pose: Pose2, half: tuple[float, float], people: np.ndarray, radius: float) -> float:
    """Return the gap between footprint and the nearest person, metres."""
    body = Patch(pose.x, pose.y, pose.yaw, *half)
    return max(float(body.distance(people[:, :2]).min()) - radius, 0.0)


def circles_meet(offset: np.ndarray, velocity: np.ndarray, reach: float) -> np.ndarray:
    """Return seconds until points `[N, 2]` moving past the origin come within reach of it."""
    a = (velocity**2).sum(axis=1)
    b = (offset * velocity).sum(axis=1)
    c = (offset**2).sum(axis=1) - reach * reach
    root = b * b - a * c
    meets = (root >= 0.0) & (b < 0.0) & (a > 1e-9)
    safe = np.where(a > 1e-9, a, 1.0)
    time = (-b - np.sqrt(np.maximum(root, 0.0))) / safe
    return np.where(c <= 0.0, 0.0, np.where(meets, time, np.inf))
