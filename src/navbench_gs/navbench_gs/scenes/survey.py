"""What a scene offers a robot: reachable ground, longest route, climb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.bundle import SceneBundle

EVERYWHERE = 1e6
"""Reach of a distance field that covers any map, metres."""


@dataclass(frozen=True)
class Survey:
    """Measures of one scene for one robot radius."""

    radius: float
    """Of the robot's disc, metres."""
    free: float
    """Ground where the disc's centre may be, m2."""
    route: NDArray[np.float64]
    """`[P, 2]` the longest shortest route found, scene xy, metres."""
    length: float
    """Of that route, metres."""
    climb: float
    """Floor at its highest less its lowest point, metres."""


def survey(bundle: SceneBundle, radius: float = 0.3) -> Survey:
    """Measure a scene.

    The longest route comes from two sweeps: from a spawn point to the farthest point, and from
    there to the farthest point again; in a simply connected map that is the true diameter,
    elsewhere a lower bound.

    Raises:
        SceneError: no spawn point leaves room for the radius.
    """
    # Tasks build on scenes; only this measure looks the other way, when it is asked for.
    from navbench_gs.tasks.geodesic import geodesic_field

    collision = bundle.collision
    room = bundle.spawn[collision.clearance(bundle.spawn) >= radius]
    if len(room) == 0:
        raise SceneError(f'{bundle.name}: no spawn point is {radius} m from every obstacle')
    start = (float(room[0, 0]), float(room[0, 1]))
    for _ in range(2):
        field = geodesic_field(collision, start, radius, reach=EVERYWHERE)
        far = np.array([field.at((float(x), float(y))) for x, y in room])
        far[~np.isfinite(far)] = -1.0
        end = room[int(np.argmax(far))]
        length = float(far.max())
        start = (float(end[0]), float(end[1]))
    route = np.asarray(field.path(start))
    floor = collision.floor(route)
    free = float(collision.free(radius).sum() * collision.resolution**2)
    return Survey(radius, free, route, length, float(floor.max() - floor.min()))
