"""One time step of everybody: routes, avoidance, walls."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from navbench_gs.crowd.orca import neighbour_plane, solve

Floats = NDArray[np.float64]
Grid = NDArray[np.float32]

NEIGHBOUR_RANGE = 6.0
"""People farther away are not noticed, metres."""
LOOKAHEAD = 1.2
"""People walk towards the point of their route this far ahead, metres."""
ACCELERATION = 3.0
"""Fastest change of a person's velocity, m/s^2."""
WALL_HORIZON = 0.5
"""Seconds in which a person may reach an edge."""
TOUCH = 0.003
"""How deep a body presses against the robot before it is stopped, metres: enough to be felt as
a touch; 1 cm let a passer-by shift a standing robot by 0.23 m."""
FASTER = 1.3
"""People may exceed their preferred speed by this factor to avoid someone."""


@compiled
def edge(
    distance: Grid, ox: float, oy: float, resolution: float, x: float, y: float
) -> tuple[float, float, float]:
    """Return the distance to the edge of walkable space and its direction nx, ny (unit).

    The direction is the negative central difference over two cells, (0, 0) on a ridge.
    """
    rows, columns = distance.shape
    column = math.floor((x - ox) / resolution)
    row = math.floor((y - oy) / resolution)
    if row < 2 or column < 2 or row >= rows - 2 or column >= columns - 2:
        return 0.0, 0.0, 0.0
    gx = distance[row, column - 2] - distance[row, column + 2]
    gy = distance[row - 2, column] - distance[row + 2, column]
    length = math.hypot(gx, gy)
    if length < 1e-6:
        return distance[row, column], 0.0, 0.0
    return distance[row, column], gx / length, gy / length


@compiled
def preferred_velocity(
    route: Floats, progress: int, x: float, y: float, speed: float
) -> tuple[float, float, int]:
    """Return vx, vy along a route [K, 2] and the new progress (index of the nearest point)."""
    count = route.shape[0]
    nearest, best = progress, np.inf
    for index in range(progress, min(progress + 12, count)):
        away = math.hypot(route[index, 0] - x, route[index, 1] - y)
        if away < best:
            nearest, best = index, away
    target = nearest
    while target < count - 1 and (
        math.hypot(route[target, 0] - x, route[target, 1] - y) < LOOKAHEAD
    ):
        target += 1
    dx, dy = route[target, 0] - x, route[target, 1] - y
    length = math.hypot(dx, dy)
    if length < 1e-6:
        return 0.0, 0.0, nearest
    # Slow down over the last half metre.
    pace = speed * min(1.0, length / 0.5)
    return pace * dx / length, pace * dy / length, nearest


@compiled
def preferred_velocities(
    agents: Floats, routes: Floats, starts: NDArray[np.int64], progress: NDArray[np.int64],
    stands: NDArray[np.bool_], speeds: Floats, bias: Floats, arrived: float, out: Floats,
) -> None:
    """Write the velocity that everybody would take alone; who is at the end turns round.

    Args:
        agents: [N, 5] as of `choose_velocities`.
        routes: [K, 2] all routes, one after another; changed where one turns round.
        starts: [people + 1] where each begins.
        progress: [people] index of the nearest point of each, changed.
        stands: [people] who is drawn back to where their route begins.
        speeds: [people] preferred speed, m/s.
        bias: [people] share by which a velocity is turned to the left.
        arrived: metres from the end within which one turns round.
        out: [people, 2] m/s, written.
    """
    for i in range(out.shape[0]):
        x, y = agents[i, 0], agents[i, 1]
        route = routes[starts[i] : starts[i + 1]]
        if stands[i]:
            out[i, 0], out[i, 1] = route[0, 0] - x, route[0, 1] - y
            continue
        last = route.shape[0] - 1
        if math.hypot(route[last, 0] - x, route[last, 1] - y) < arrived:
            route[:] = route[::-1].copy()
            progress[i] = 0
        vx, vy, nearest = preferred_velocity(route, progress[i], x, y, speeds[i])
        progress[i] = nearest
        out[i, 0], out[i, 1] = vx - bias[i] * vy, vy + bias[i] * vx


@compiled
def choose_velocities(
    agents: Floats, people: int, preferred: Floats, speeds: Floats, shares: Floats,
    distance: Grid, ox: float, oy: float, resolution: float, horizon: float, dt: float,
    out: Floats,
) -> None:
    """Choose everybody's next velocity.

    Args:
        agents: [N, 5] x, y, vx, vy, radius: people first, then robot and obstacles.
        people: How many of them are people.
        preferred: [people, 2] m/s.
        speeds: [people] preferred speed, m/s.
        shares: [people, N] how much of an avoidance a person takes on; 0 ignores the other.
        distance: [R, C] metres to the edge of walkable space.
        ox: Grid origin, metres.
        oy: Grid origin, metres.
        resolution: Grid cell, metres.
        horizon: Seconds without collision that people look for.
        dt: Time step, seconds.
        out: [people, 2] the velocities, written.
    """
    planes = np.empty((agents.shape[0] + 1, 4))
    for i in range(people):
        count = 0
        away, nx, ny = edge(distance, ox, oy, resolution, agents[i, 0], agents[i, 1])
        if nx != 0.0 or ny != 0.0:
            limit = (away - agents[i, 4]) / WALL_HORIZON
            planes[0, 0], planes[0, 1] = limit * nx, limit * ny
            planes[0, 2], planes[0, 3] = -ny, nx
            count = 1
        hard = count
        for j in range(agents.shape[0]):
            if j == i or shares[i, j] == 0.0:
                continue
            away = math.hypot(agents[j, 0] - agents[i, 0], agents[j, 1] - agents[i, 1])
            if away < NEIGHBOUR_RANGE:
                planes[count] = neighbour_plane(agents[i], agents[j], horizon, dt, shares[i, j])
                count += 1
        vx, vy = solve(planes, count, hard, max(speeds[i], 0.3) * FASTER, preferred[i])
        out[i, 0], out[i, 1] = _accelerate(agents[i], vx, vy, ACCELERATION * dt)


@compiled
def _accelerate(me: Floats, vx: float, vy: float, step: float) -> tuple[float, float]:
    """Move the agent's velocity towards v by at most `step` m/s."""
    dx, dy = vx - me[2], vy - me[3]
    change = math.hypot(dx, dy)
    factor = min(1.0, step / change) if change > 0.0 else 0.0
    return me[2] + factor * dx, me[3] + factor * dy


@compiled
def stop_at_edges(
    places: Floats, velocities: Floats, distance: Grid, ox: float, oy: float,
    resolution: float, dt: float,
) -> None:
    """Take out the part of each velocity [P, 2] that would leave walkable space within dt."""
    rows, columns = distance.shape
    for i in range(places.shape[0]):
        for attempt in range(3):
            vx = velocities[i, 0] if attempt != 1 else 0.0
            vy = velocities[i, 1] if attempt != 2 else 0.0
            column = math.floor((places[i, 0] + vx * dt - ox) / resolution)
            row = math.floor((places[i, 1] + vy * dt - oy) / resolution)
            if 0 <= row < rows and 0 <= column < columns and distance[row, column] > 0.0:
                velocities[i, 0], velocities[i, 1] = vx, vy
                break
        else:
            velocities[i, 0], velocities[i, 1] = 0.0, 0.0


@compiled
def stop_at_robot(
    places: Floats, velocities: Floats, radii: Floats, robot: Floats, length: float,
    width: float, dt: float,
) -> None:
    """Take out the part of each velocity that would walk into the robot's footprint.

    A body that touches the robot does not pass through it: people press against it by
    `TOUCH`, which physics sees as a touch, are stopped, and slide along it.

    Args:
        places: [P, 2] map.
        velocities: [P, 2] changed in place.
        radii: [P] metres.
        robot: x, y, yaw of base_link.
        length: Half the footprint along x, metres.
        width: Half the footprint along y, metres.
        dt: Seconds.
    """
    c, s = math.cos(robot[2]), math.sin(robot[2])
    for i in range(places.shape[0]):
        rx = places[i, 0] + velocities[i, 0] * dt - robot[0]
        ry = places[i, 1] + velocities[i, 1] * dt - robot[1]
        x, y = c * rx + s * ry, c * ry - s * rx
        nx = x - min(max(x, -length), length)
        ny = y - min(max(y, -width), width)
        away = math.hypot(nx, ny)
        excess = radii[i] - TOUCH - away
        if excess <= 0.0:
            continue
        if away < 1e-6:
            velocities[i, 0], velocities[i, 1] = 0.0, 0.0
            continue
        # Outward normal in map.
        ux, uy = (c * nx - s * ny) / away, (s * nx + c * ny) / away
        inward = -(velocities[i, 0] * ux + velocities[i, 1] * uy)
        back = min(excess / dt, max(inward, 0.0))
        velocities[i, 0] += back * ux
        velocities[i, 1] += back * uy
