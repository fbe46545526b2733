"""Optimal reciprocal collision avoidance on arrays.

J. van den Berg, S. Guy, M. Lin, D. Manocha: Reciprocal n-body collision avoidance, 2011. Every
neighbour forbids a half plane of velocities; the allowed velocity nearest to the preferred one
is found by an incremental linear programme in two dimensions, and, where nothing is allowed,
the velocity that breaks the neighbours' rules least.

A half plane is a row px, py, dx, dy: allowed velocities lie to the left of the line through p
along the unit vector d. Agents are rows x, y, vx, vy, radius.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled

Floats = NDArray[np.float64]

EPSILON = 1e-9


@compiled
def neighbour_plane(
    me: Floats, other: Floats, horizon: float, dt: float, share: float
) -> tuple[float, float, float, float]:
    """Return the half plane that keeps `me` clear of `other` for `horizon` seconds.

    Args:
        me: Agent [5].
        other: Agent [5].
        horizon: Seconds without collision.
        dt: Seconds in which an overlap that exists shall be resolved.
        share: How much of the change of velocity `me` takes on; 0.5 when both avoid.
    """
    px, py = other[0] - me[0], other[1] - me[1]
    vx, vy = me[2] - other[2], me[3] - other[3]
    radius = me[4] + other[4]
    squared = px * px + py * py
    overlap = squared <= radius * radius
    time = dt if overlap else horizon
    wx, wy = vx - px / time, vy - py / time
    length = math.hypot(wx, wy)
    along = wx * px + wy * py
    if overlap or (along < 0.0 and along * along > radius * radius * length * length):
        # Nearest point of the velocity obstacle lies on its round cap.
        if length < EPSILON:
            wx = -EPSILON
        nx, ny = wx / max(length, EPSILON), wy / max(length, EPSILON)
        dx, dy = ny, -nx
        change = radius / time - length
        ux, uy = change * nx, change * ny
    else:
        # Nearest point lies on one of the two tangents ("legs") of the cone.
        leg = math.sqrt(squared - radius * radius)
        side = 1.0 if px * wy - py * wx > 0.0 else -1.0
        dx = side * (px * leg - side * py * radius) / squared
        dy = side * (side * px * radius + py * leg) / squared
        dot = vx * dx + vy * dy
        ux, uy = dot * dx - vx, dot * dy - vy
    return me[2] + share * ux, me[3] + share * uy, dx, dy


@compiled
def solve(
    planes: Floats, count: int, hard: int, speed: float, preferred: Floats
) -> tuple[float, float]:
    """Return the best velocity vx, vy.

    Args:
        planes: Half planes [>= count, 4].
        count: How many rows count.
        hard: The first `hard` rows (walls) are never given up for the others.
        speed: Highest speed, m/s.
        preferred: Wanted velocity [2].
    """
    vx, vy, failed = _programme(planes, count, speed, preferred[0], preferred[1], False)
    if failed < count:
        vx, vy = _least_bad(planes, count, hard, failed, speed, vx, vy)
    return vx, vy


@compiled
def _violation(plane: Floats, vx: float, vy: float) -> float:
    """Return how far v lies on the forbidden side, m/s; negative when allowed."""
    return plane[2] * (plane[1] - vy) - plane[3] * (plane[0] - vx)


@compiled
def _on_line(
    planes: Floats, index: int, speed: float, ox: float, oy: float, direction: bool
) -> tuple[bool, float, float]:
    """Best velocity on one line under the speed limit and all earlier planes.

    Returns:
        Whether there is one, and its vx, vy.
    """
    px, py, dx, dy = planes[index]
    along = px * dx + py * dy
    root = along * along + speed * speed - px * px - py * py
    if root < 0.0:
        return False, 0.0, 0.0
    low, high = -along - math.sqrt(root), -along + math.sqrt(root)
    for other in range(index):
        qx, qy, ex, ey = planes[other]
        slope = dx * ey - dy * ex
        offset = ex * (py - qy) - ey * (px - qx)
        if abs(slope) <= EPSILON:
            if offset < 0.0:
                return False, 0.0, 0.0
            continue
        t = offset / slope
        if slope >= 0.0:
            high = min(high, t)
        else:
            low = max(low, t)
        if low > high:
            return False, 0.0, 0.0
    if direction:
        t = high if ox * dx + oy * dy > 0.0 else low
    else:
        t = min(max((ox - px) * dx + (oy - py) * dy, low), high)
    return True, px + t * dx, py + t * dy


@compiled
def _programme(
    planes: Floats, count: int, speed: float, ox: float, oy: float, direction: bool
) -> tuple[float, float, int]:
    """Two-dimensional linear programme; returns vx, vy and the first plane that failed."""
    vx, vy = ox, oy
    length = math.hypot(ox, oy)
    if direction:
        vx, vy = ox * speed, oy * speed
    elif length > speed:
        vx, vy = ox / length * speed, oy / length * speed
    for index in range(count):
        if _violation(planes[index], vx, vy) > 0.0:
            found, nx, ny = _on_line(planes, index, speed, ox, oy, direction)
            if not found:
                return vx, vy, index
            vx, vy = nx, ny
    return vx, vy, count


@compiled
def _least_bad(
    planes: Floats, count: int, hard: int, begin: int, speed: float, vx: float, vy: float
) -> tuple[float, float]:
    """Minimise the largest violation of the soft planes while the hard ones hold."""
    worst = 0.0
    projected = np.empty((count, 4))
    for i in range(begin, count):
        if _violation(planes[i], vx, vy) <= worst:
            continue
        used = min(hard, i)
        projected[:used] = planes[:used]
        for j in range(hard, i):
            if _bisector(planes[i], planes[j], projected[used]):
                used += 1
        ox, oy = -planes[i, 3], planes[i, 2]
        nx, ny, failed = _programme(projected, used, speed, ox, oy, True)
        if failed >= used:
            vx, vy = nx, ny
        worst = _violation(planes[i], vx, vy)
    return vx, vy


@compiled
def _bisector(a: Floats, b: Floats, out: Floats) -> bool:
    """Write the line on which a and b are violated equally; False if b never matters."""
    determinant = a[2] * b[3] - a[3] * b[2]
    if abs(determinant) <= EPSILON:
        if a[2] * b[2] + a[3] * b[3] > 0.0:
            return False
        out[0], out[1] = 0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])
    else:
        t = (b[2] * (a[1] - b[1]) - b[3] * (a[0] - b[0])) / determinant
        out[0], out[1] = a[0] + t * a[2], a[1] + t * a[3]
    dx, dy = b[2] - a[2], b[3] - a[3]
    length = math.hypot(dx, dy)
    if length <= EPSILON:
        return False
    out[2], out[3] = dx / length, dy / length
    return True
