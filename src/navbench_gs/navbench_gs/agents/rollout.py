"""Forward simulation of many short drives, and what each would cost.

The base is a unicycle with bounded speed, yaw rate, curvature and accelerations, stepped at
50 ms, so that every drive is one the robot can follow.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled

Floats = NDArray[np.float64]
Grid = NDArray[np.float32]

STEP = 0.05
"""Seconds of one simulated step."""
STEPS = 60
"""Steps of one drive: 3 s, of which the first 2 s become the plan; people are met in the last."""

STILL, CREEP = 0.05, 0.4
"""m/s below which the follower stands, and to which it slows for what lies behind."""
PERIOD = 0.2
"""Seconds between two waypoints of a plan."""

# Columns of the limits array.
V_MAX, W_MAX, CURVATURE, ACCELERATE, BRAKE, TURN_RATE, LATERAL = range(7)
# Columns of the candidate array: pursue the path shifted by OFFSET at SPEED times the allowed
# speed, or, if FIXED is finite, hold that curvature.
OFFSET, SPEED, FIXED, PENALTY = range(4)


@compiled
def speed_along(
    path: Floats, clearance: Grid, origin: Floats, resolution: float, radius: float,
    limits: Floats, ends: bool,
) -> tuple[Floats, Floats]:
    """Fastest allowed speed at each point of a path.

    Slow in curves (lateral acceleration), slow beside things, braking in time for both and, if
    the path `ends` in the goal, for the goal.

    Args:
        path: Points at equal steps. [P, 2]
        clearance: Metres to the nearest thing. [R, C]
        origin: Scene xy of the grid's corner. [2]
        resolution: Metres per cell.
        radius: Footprint circle, metres.
        limits: See the column names. [7]
        ends: Whether the last point is the goal.

    Returns:
        **speed**: m/s. [P]
        **ahead**: Metres to the last point. [P]
    """
    count = path.shape[0]
    speed = np.empty(count)
    ahead = np.zeros(count)
    for i in range(count - 2, -1, -1):
        ahead[i] = ahead[i + 1] + math.hypot(path[i + 1, 0] - path[i, 0],
                                             path[i + 1, 1] - path[i, 1])
    span = 8
    for i in range(count):
        speed[i] = limits[V_MAX]
        a, b = max(0, i - span), min(count - 1, i + span)
        if i - a >= 3 and b - i >= 3:
            first = math.atan2(path[i, 1] - path[a, 1], path[i, 0] - path[a, 0])
            second = math.atan2(path[b, 1] - path[i, 1], path[b, 0] - path[i, 0])
            turn = abs((second - first + math.pi) % (2.0 * math.pi) - math.pi)
            curvature = turn / max(0.5 * (ahead[a] - ahead[b]), 1e-3)
            if curvature > 1e-3:
                speed[i] = min(speed[i], math.sqrt(limits[LATERAL] / curvature))
                speed[i] = min(speed[i], limits[W_MAX] / curvature)
        gap = _lookup(clearance, origin, resolution, path[i, 0], path[i, 1]) - radius
        speed[i] = min(speed[i], limits[V_MAX] * min(1.0, max(0.4, 0.5 + 1.2 * gap)))
    if ends:
        speed[count - 1] = 0.0
    for i in range(count - 2, -1, -1):
        reachable = math.sqrt(speed[i + 1] ** 2 + 2.0 * limits[BRAKE] * (ahead[i] - ahead[i + 1]))
        speed[i] = min(speed[i], reachable)
    return speed, ahead


@compiled
def drive_all(
    start: Floats, path: Floats, speed: Floats, ahead: Floats, ends: bool, candidates: Floats,
    limits: Floats,
) -> Floats:
    """Drive every candidate.

    Args:
        start: x, y, yaw, v, curvature of the robot. [5]
        path: Way to the goal, from the robot. [P, 2]
        speed: Allowed speed along it. [P]
        ahead: Metres to its last point. [P]
        ends: Whether its last point is the goal.
        candidates: See the column names. [K, 4]
        limits: See the column names. [7]

    Returns:
        x, y, yaw, v after each step. [K, STEPS, 4]
    """
    tracks = np.empty((candidates.shape[0], STEPS, 4))
    for k in range(candidates.shape[0]):
        _drive(start, path, speed, ahead, ends, candidates[k], limits, tracks[k])
    return tracks


@compiled
def follow_all(start: Floats, plans: Floats, limits: Floats, lookahead: float) -> Floats:
    """Follow every plan as `s2e_core.follower` would, to its end and to rest.

    Args:
        start: x, y, yaw, v, curvature of the robot. [5]
        plans: Waypoints 0.2 s apart from now, in the frame of `start`. [K, T, 2]
        limits: See the column names. [7]
        lookahead: Time to the aimed-at point, s.

    Returns:
        x, y, yaw, v after each step. [K, STEPS, 4]
    """
    tracks = np.empty((plans.shape[0], STEPS, 4))
    for k in range(plans.shape[0]):
        _follow(start, plans[k], limits, lookahead, tracks[k])
    return tracks


@compiled
def judge_all(
    tracks: Floats, circles: Floats, circle_radius: float, clearance: Grid, origin: Floats,
    resolution: float, people: Floats, person_radius: float, comfort: float, personal: float,
) -> tuple[Floats, Floats]:
    """Add up what drives touch and come near to.

    Args:
        tracks: As `drive_all` and `follow_all` return them. [K, STEPS, 4]
        circles: x of the circles that cover the footprint, base_link. [F]
        circle_radius: Their radius, metres.
        clearance: Metres to the nearest thing. [R, C]
        origin: Scene xy of the grid's corner. [2]
        resolution: Metres per cell.
        people: x, y, vx, vy. [P, 4]
        person_radius: Metres.
        comfort: Gap to static things below which nearness counts, metres.
        personal: The same to people.

    Returns:
        **static**: Penetration into static things, and nearness, summed. [K, 2]
        **moving**: The same for people. [K, 2]
    """
    static = np.zeros((tracks.shape[0], 2))
    moving = np.zeros((tracks.shape[0], 2))
    for k in range(tracks.shape[0]):
        _judge(tracks[k], circles, circle_radius, clearance, origin, resolution, people,
               person_radius, comfort, personal, static[k], moving[k])
    return static, moving


@compiled
def _follow(
    start: Floats, plan: Floats, limits: Floats, lookahead: float, track: Floats
) -> None:
    x, y, yaw, v, curvature = start
    last = plan.shape[0] - 1
    for step in range(STEPS):
        # Plans are renewed each 0.2 s; the aim moves on with time and stays at the last waypoint.
        due = min((step * STEP + lookahead) / PERIOD - 1.0, float(last))
        near = min(int(due), last - 1)
        share = due - near
        target_x = plan[near, 0] + share * (plan[near + 1, 0] - plan[near, 0])
        target_y = plan[near, 1] + share * (plan[near + 1, 1] - plan[near, 1])
        c, s = math.cos(yaw), math.sin(yaw)
        local_x = c * (target_x - x) + s * (target_y - y)
        local_y = c * (target_y - y) - s * (target_x - x)
        distance = math.hypot(local_x, local_y)
        allowed = distance / lookahead
        wanted = curvature
        if distance < STILL * lookahead:
            allowed = 0.0
        elif local_x <= 0.0:
            wanted = math.copysign(limits[CURVATURE], local_y)
            allowed = min(allowed, CREEP)
        else:
            wanted = 2.0 * local_y / (distance * distance)
        tight = min(abs(wanted), limits[CURVATURE])
        if allowed > 0.0 and tight > 0.0:
            allowed = min(allowed, limits[W_MAX] / tight)
        x, y, yaw, v, curvature = _move(x, y, yaw, v, curvature, wanted, allowed, limits)
        track[step, 0], track[step, 1], track[step, 2], track[step, 3] = x, y, yaw, v


@compiled
def can_go_on(
    pose: Floats, curvature: float, circles: Floats, circle_radius: float, clearance: Grid,
    origin: Floats, resolution: float,
) -> bool:
    """Whether the tightest turn to one side, or 1.5 m straight on, is free from a pose.

    A base that never reverses is stuck for good where neither is.
    """
    for turn in (curvature, -curvature, 0.0):
        free = True
        x, y, yaw = pose[0], pose[1], pose[2]
        for _ in range(10):
            x += 0.15 * math.cos(yaw)
            y += 0.15 * math.sin(yaw)
            yaw += 0.15 * turn
            c, s = math.cos(yaw), math.sin(yaw)
            for f in range(circles.size):
                px, py = x + c * circles[f], y + s * circles[f]
                if _lookup(clearance, origin, resolution, px, py) < circle_radius:
                    free = False
            if not free:
                break
        if free:
            return True
    return False


@compiled
def _drive(
    start: Floats, path: Floats, speed: Floats, ahead: Floats, ends: bool, candidate: Floats,
    limits: Floats, track: Floats,
) -> None:
    x, y, yaw, v, curvature = start
    near = 0
    last = path.shape[0] - 1
    for step in range(STEPS):
        while near < last and _closer(path, near + 1, near, x, y):
            near += 1
        if math.isfinite(candidate[FIXED]):
            wanted = candidate[FIXED]
            allowed = limits[V_MAX] * candidate[SPEED]
        else:
            wanted, allowed = _pursue(path, speed, ahead, ends, candidate, limits, x, y, yaw, v,
                                      near)
        x, y, yaw, v, curvature = _move(x, y, yaw, v, curvature, wanted, allowed, limits)
        track[step, 0], track[step, 1], track[step, 2], track[step, 3] = x, y, yaw, v


@compiled
def _move(
    x: float, y: float, yaw: float, v: float, curvature: float, wanted: float, allowed: float,
    limits: Floats,
) -> tuple[float, float, float, float, float]:
    """One step of the base towards a curvature and a speed."""
    wanted = min(max(wanted, -limits[CURVATURE]), limits[CURVATURE])
    change = limits[TURN_RATE] * STEP
    curvature += min(max(wanted - curvature, -change), change)
    if abs(curvature) > 1e-6:
        allowed = min(allowed, limits[W_MAX] / abs(curvature))
        allowed = min(allowed, math.sqrt(limits[LATERAL] / abs(curvature)))
    v += min(max(min(allowed, limits[V_MAX]) - v, -limits[BRAKE] * STEP),
             limits[ACCELERATE] * STEP)
    v = max(v, 0.0)
    half = 0.5 * v * curvature * STEP
    x += v * STEP * math.cos(yaw + half)
    y += v * STEP * math.sin(yaw + half)
    return x, y, yaw + 2.0 * half, v, curvature


@compiled
def _closer(path: Floats, a: int, b: int, x: float, y: float) -> bool:
    first = (path[a, 0] - x) ** 2 + (path[a, 1] - y) ** 2
    return first <= (path[b, 0] - x) ** 2 + (path[b, 1] - y) ** 2


@compiled
def _pursue(
    path: Floats, speed: Floats, ahead: Floats, ends: bool, candidate: Floats, limits: Floats,
    x: float, y: float, yaw: float, v: float, near: int,
) -> tuple[float, float]:
    """Curvature to a point ahead on the shifted path, and the speed allowed there."""
    last = path.shape[0] - 1
    reach = 0.45 + 0.45 * v
    aim = near
    while aim < last and ahead[near] - ahead[aim] < reach:
        aim += 1
    back = max(near, aim - 6)
    dx, dy = path[aim, 0] - path[back, 0], path[aim, 1] - path[back, 1]
    length = math.hypot(dx, dy)
    target_x, target_y = path[aim, 0], path[aim, 1]
    if length > 1e-6:
        # The shift fades out before the goal so that every candidate ends there.
        shift = candidate[OFFSET]
        if ends:
            shift *= min(1.0, ahead[aim] / 1.5)
        target_x -= shift * dy / length
        target_y += shift * dx / length
    c, s = math.cos(yaw), math.sin(yaw)
    local_x = c * (target_x - x) + s * (target_y - y)
    local_y = c * (target_y - y) - s * (target_x - x)
    squared = local_x * local_x + local_y * local_y
    allowed = candidate[SPEED] * speed[near]
    if ends and ahead[near] < 0.04:
        return 0.0, 0.0
    if squared < 1e-4:
        return 0.0, allowed
    bearing = math.atan2(local_y, local_x)
    if abs(bearing) > 1.4:
        # Facing away: the tightest turn, slowly.
        return math.copysign(limits[CURVATURE], bearing), min(allowed, 0.5)
    slow = max(0.35, 1.0 - 0.6 * abs(bearing))
    return 2.0 * local_y / squared, min(allowed, max(0.3, slow * limits[V_MAX]))


@compiled
def _lookup(grid: Grid, origin: Floats, resolution: float, x: float, y: float) -> float:
    column = math.floor((x - origin[0]) / resolution)
    row = math.floor((y - origin[1]) / resolution)
    if row < 0 or column < 0 or row >= grid.shape[0] or column >= grid.shape[1]:
        return 0.0
    return grid[row, column]


@compiled
def _judge(
    track: Floats, circles: Floats, circle_radius: float, clearance: Grid, origin: Floats,
    resolution: float, people: Floats, person_radius: float, comfort: float, personal: float,
    static: Floats, moving: Floats,
) -> None:
    """Add up penetration and nearness along one drive; soon counts more than late."""
    for step in range(1, STEPS, 2):
        x, y, yaw, v = track[step]
        time = (step + 1) * STEP
        weight = 1.6 - 0.5 * time
        c, s = math.cos(yaw), math.sin(yaw)
        for f in range(circles.size):
            px, py = x + c * circles[f], y + s * circles[f]
            gap = _lookup(clearance, origin, resolution, px, py) - circle_radius
            if gap < 0.0:
                static[0] += weight * (0.05 - gap)
            if gap < comfort:
                static[1] += weight * (1.0 - max(gap, 0.0) / comfort) ** 2 * (0.3 + v)
        for p in range(people.shape[0]):
            qx, qy = people[p, 0] + time * people[p, 2], people[p, 1] + time * people[p, 3]
            if abs(qx - x) > 2.5 or abs(qy - y) > 2.5:
                continue
            # How well a straight walk predicts a person fades over the 3 s of a drive.
            weight = 1.2 - 0.35 * time
            gap = np.inf
            for f in range(circles.size):
                px, py = x + c * circles[f], y + s * circles[f]
                gap = min(gap, math.hypot(qx - px, qy - py) - circle_radius - person_radius)
            if gap < 0.25:
                moving[0] += weight * (0.30 - gap)
            if gap < personal:
                moving[1] += weight * (1.0 - max(gap, 0.0) / personal) ** 2 * (0.2 + v)
