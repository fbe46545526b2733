"""How near the robot is to things and people, compiled: the judge asks in every tick.

The arithmetic is that of `tasks.hazards.Patch`, `scenes.collision.CollisionMap.clearance` and the
NumPy formulas of the tests, operation by operation, so that logs are equal to the byte.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from navbench_gs.scenes.lookup import value_at

Floats = NDArray[np.float64]

FAR = 3.0
"""Obstacles whose centre lies this much farther than what is nearest so far are not looked at."""


@compiled
def patch_distance(
    x: float, y: float, c: float, s: float, half_x: float, half_y: float, px: float, py: float
) -> float:
    """Return metres from a point to a rectangle or, if `half_y` is 0, a disc; negative inside."""
    dx, dy = px - x, py - y
    if half_y == 0.0:
        return math.hypot(dx, dy) - half_x
    out_x = abs(c * dx + s * dy) - half_x
    out_y = abs(c * dy - s * dx) - half_y
    outside = math.hypot(max(out_x, 0.0), max(out_y, 0.0))
    return outside + min(max(out_x, out_y), 0.0)


@compiled
def clearance(
    distance: NDArray[np.float32], ox: float, oy: float, resolution: float, outline: Floats,
    pose: Floats, solids: Floats, sizes: Floats,
) -> float:
    """Return the gap between an outline and what is nearest of map and obstacles, metres, >= 0.

    Args:
        distance: Metres to the nearest static obstacle. [R, C]
        ox: x of the outer corner of cell (0, 0), metres.
        oy: y of it.
        resolution: Edge of a cell, metres.
        outline: Points of the robot's rim, base_link, metres. [N, 2]
        pose: x, y, cosine and sine of the heading, map <- base_link. [4]
        solids: map <- obstacle. [B, 4, 4]
        sizes: Half extents of each; the second is 0 for a round one. [B, 2]
    """
    x, y, c, s = pose
    rim = np.empty((len(outline), 2))
    gap = np.inf
    for i in range(len(outline)):
        rim[i, 0] = x + c * outline[i, 0] - s * outline[i, 1]
        rim[i, 1] = y + s * outline[i, 0] + c * outline[i, 1]
        gap = min(gap, value_at(distance, ox, oy, resolution, rim[i, 0], rim[i, 1]))
    for k in range(len(solids)):
        sx, sy = solids[k, 0, 3], solids[k, 1, 3]
        if math.hypot(sx - x, sy - y) >= gap + FAR:
            continue
        yaw = math.atan2(solids[k, 1, 0], solids[k, 0, 0])
        kc, ks = math.cos(yaw), math.sin(yaw)
        for i in range(len(rim)):
            away = patch_distance(
                sx, sy, kc, ks, sizes[k, 0], sizes[k, 1], rim[i, 0], rim[i, 1]
            )
            gap = min(gap, away)
    return max(gap, 0.0)


@compiled
def people_near(
    pose: Floats, half_x: float, half_y: float, v: float, people: Floats, velocities: Floats,
    radius: float, reach: float,
) -> tuple[float, float]:
    """Return the gap to the nearest person, metres, and seconds until discs meet; inf if none.

    Args:
        pose: x, y, cosine and sine of the heading, map <- base_link. [4]
        half_x: Half the footprint's length, metres.
        half_y: Half its width, metres.
        v: Forward speed of the robot, m/s.
        people: x, y, yaw in map; NaN for who is not there. [P, 3]
        velocities: m/s in map. [P, 2]
        radius: Of a person, metres.
        reach: Distance of the centres at which robot and person touch, metres.
    """
    x, y, c, s = pose
    gap = first = np.inf
    own_x, own_y = v * c, v * s
    for i in range(len(people)):
        px, py = people[i, 0], people[i, 1]
        if not math.isfinite(px):
            continue
        away = patch_distance(x, y, c, s, half_x, half_y, px, py) - radius
        gap = min(gap, max(away, 0.0))
        time = meeting(px - x, py - y, velocities[i, 0] - own_x, velocities[i, 1] - own_y, reach)
        first = min(first, time)
    return gap, first


@compiled
def meeting(px: float, py: float, vx: float, vy: float, reach: float) -> float:
    """Return seconds until a moving point comes within reach of the origin; inf if never.

    Solves |p + t v| = r for the smaller t >= 0; 0 where |p| <= r already.

    Args:
        px: Where it is, metres.
        py: Where it is, metres.
        vx: Its velocity, m/s.
        vy: Its velocity, m/s.
        reach: r, metres.
    """
    c = px**2 + py**2 - reach * reach
    if c <= 0.0:
        return 0.0
    a = vx**2 + vy**2
    b = px * vx + py * vy
    root = b * b - a * c
    if not (root >= 0.0 and b < 0.0 and a > 1e-9):
        return np.inf
    return (-b - math.sqrt(max(root, 0.0))) / a
