"""The sky as a far dome of large gaussians, and a backdrop where streets leave the plan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.ground import smooth_noise
from navbench_gs.scenes.city.light import Daylight
from navbench_gs.scenes.surfels import SurfelList, Surfels

Float = NDArray[np.float64]

RADIUS = 250.0
"""Radius of the dome, metres: far enough that driving 30 m shows no parallax to speak of."""
COUNT = 1900
"""Elements of the dome."""


def make_sky(daylight: Daylight, rng: np.random.Generator) -> Surfels:
    """Draw a dome down to 20 degrees below the horizon, dark as ground there.

    What little light passes between surface elements then looks like their shadow.
    """
    index = np.arange(COUNT) + 0.5
    height = -0.35 + 1.35 * index / COUNT
    azimuth = np.pi * (1.0 + 5.0**0.5) * index
    flat = np.sqrt(np.clip(1.0 - height**2, 0.0, 1.0))
    direction = np.stack([np.cos(azimuth) * flat, np.sin(azimuth) * flat, height], axis=-1)
    mix = np.clip(height, 0.0, 1.0) ** 0.55
    colours = daylight.haze + np.outer(mix, daylight.zenith - daylight.haze)
    plane = direction[:, :2] / (np.clip(height, 0.0, 1.0) + 0.25)[:, None] + 20.0
    seed = int(rng.integers(1 << 30))
    puff = 0.65 * smooth_noise(plane, 0.45, seed) + 0.35 * smooth_noise(plane, 0.16, seed + 1)
    cover = np.clip((puff - (0.72 - 0.3 * daylight.cloud)) / 0.18, 0.0, 1.0)
    cover *= np.clip(height / 0.12, 0.0, 1.0)
    puffs = 0.7 * daylight.haze if daylight.dusk else np.array([0.95, 0.95, 0.96])
    colours += (0.75 * cover)[:, None] * (puffs - colours)
    glow = np.clip(direction @ daylight.sun, 0.0, 1.0) ** 40 * (1.0 - 0.7 * daylight.cloud)
    colours = colours + 0.3 * glow[:, None] * (np.array([1.0, 0.97, 0.9]) - colours)
    colours[height < -0.03] = 0.10 if daylight.dusk else 0.22
    east = np.stack([-np.sin(azimuth), np.cos(azimuth), np.zeros(COUNT)], axis=-1)
    # 1.35 * 2 pi R^2 over COUNT is the area of one element; 0.85 of its edge hides the grain.
    size = 0.85 * RADIUS * float(np.sqrt(1.35 * 2.0 * np.pi / COUNT))
    out = SurfelList()
    out.add(RADIUS * direction, -direction, east, (size, size, 0.5), colours, 0.99)
    return out.joined()
