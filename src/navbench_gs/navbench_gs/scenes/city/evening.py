"""Dusk: a deep blue sky, lit windows, and street lamps with pools of light below them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from navbench_gs.scenes.city.light import Daylight
from navbench_gs.scenes.surfels import Surfels

Float = NDArray[np.float64]

SHARE = 0.2
"""Share of the scenes at dusk."""
REACH = 9.0
"""Distance from a lamp beyond which its light is left out, metres: 4 % of that below it."""
_LAMP = np.array([1.0, 0.80, 0.52])
_POWER = 13.0
"""Light at one metre: below a lamp of 4.6 m, 0.6 of that on a sunny noon."""


def draw_dusk(rng: np.random.Generator) -> Daylight:
    """Draw the sky shortly after sunset: no sun, blue from above, a warm rim on one side."""
    azimuth = rng.uniform(0.0, 2.0 * np.pi)
    cloud = float(rng.uniform(0.0, 0.6))
    level = float(rng.uniform(0.30, 0.46))
    warm = np.array([0.86, 0.56, 0.42]) * rng.uniform(0.6, 1.0)
    return Daylight(
        sun=np.array([np.cos(azimuth) * 0.999, np.sin(azimuth) * 0.999, 0.04]),
        sun_colour=np.zeros(3),
        sky_colour=level * np.array([0.80, 0.92, 1.25]),
        haze=0.55 * warm + 0.45 * np.array([0.42, 0.48, 0.62]),
        zenith=np.array([0.10, 0.16, 0.34]) * rng.uniform(0.8, 1.5),
        cloud=cloud,
        dusk=True,
    )


def lamp_light(surfels: Surfels, lamps: Float) -> Float:
    """Return the light `[N, 3]` that lamps `[L, 3]` throw on elements that face them."""
    total = np.zeros(len(surfels))
    if len(lamps) == 0:
        return np.zeros((len(surfels), 3))
    tree = cKDTree(surfels.points)
    for lamp in lamps:
        near = np.asarray(tree.query_ball_point(lamp, REACH), dtype=np.int64)
        if len(near) == 0:
            continue
        toward = lamp - surfels.points[near]
        distance = np.maximum(np.linalg.norm(toward, axis=1), 0.6)
        facing = np.clip((toward * surfels.normals[near]).sum(axis=1) / distance, 0.0, 1.0)
        # Leaves and thin things scatter: a quarter of the light whatever they face.
        total[near] += _POWER / distance**2 * (0.25 + 0.75 * facing)
    return np.asarray(np.minimum(total, 0.85)[:, None] * _LAMP)
