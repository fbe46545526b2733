"""Daylight: sun with cast shadows, sky light, and darkening near walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.surfels import Surfels

Float = NDArray[np.float64]

SHINE = 2.0
"""Added to the colour of what gives light: albedo stays below one, so the two cannot be mixed."""
CELL = 0.4
"""Edge of a cell of the grid in which shadows are marched, metres."""


@dataclass(frozen=True)
class Daylight:
    """Direction and colour of sun and sky."""

    sun: Float
    """`[3]` unit vector towards the sun."""
    sun_colour: Float
    """`[3]` light on a surface that faces the sun."""
    sky_colour: Float
    """`[3]` light on a surface that faces straight up under open sky."""
    haze: Float
    """`[3]` colour of the horizon."""
    zenith: Float
    """`[3]` colour of the sky overhead."""
    cloud: float
    """How much of the sky is covered, 0 to 1."""
    dusk: bool = False
    """Lamps and windows are lit."""


def draw_daylight(rng: np.random.Generator) -> Daylight:
    """Draw a time of day and a cloud cover."""
    elevation, azimuth = np.deg2rad(rng.uniform(28.0, 62.0)), rng.uniform(0.0, 2.0 * np.pi)
    cloud = float(rng.uniform(0.0, 0.85))
    sun = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation),
         np.sin(elevation)]
    )
    warm = np.clip((np.deg2rad(50.0) - elevation) / np.deg2rad(25.0), 0.0, 1.0)
    tint = np.array([1.0, 0.97 - 0.05 * warm, 0.90 - 0.14 * warm])
    grey = np.array([0.80, 0.82, 0.85])
    return Daylight(
        sun=sun,
        sun_colour=tint * (0.88 - 0.62 * cloud),
        sky_colour=np.array([0.50, 0.54, 0.60]) + 0.26 * cloud,
        haze=(1.0 - cloud) * np.array([0.80, 0.86, 0.92]) + cloud * grey,
        zenith=(1.0 - cloud) * np.array([0.30, 0.50, 0.82]) + cloud * (grey - 0.14),
        cloud=cloud,
    )


class ShadowGrid:
    """Heights of everything that casts a shadow, for marching rays towards the sun."""

    def __init__(self, half: float, margin: float = 12.0) -> None:
        self._half = half + margin
        cells = int(np.ceil(2.0 * self._half / CELL))
        self._top = np.full((cells, cells), -1.0)

    def raise_cells(self, points: Float, top: Float) -> None:
        """Raise the cells under points `[N, 2]` to at least `top` `[N]`."""
        cell = np.floor((points + self._half) / CELL).astype(np.int64)
        good = ((cell >= 0) & (cell < len(self._top))).all(axis=-1)
        np.maximum.at(self._top, (cell[good, 1], cell[good, 0]), np.asarray(top)[good])

    def shade(self, points: Float, sun: Float) -> Float:
        """Return the part of the sun's disc `[N]` that points `[N, 3]` see."""
        flat = float(np.hypot(sun[0], sun[1]))
        slope = sun[2] / flat
        direction = sun[:2] / flat
        highest = float(self._top.max())
        reach = min(highest / slope, 2.0 * self._half)
        seen = np.ones(len(points))
        open_rays = np.arange(len(points))
        # 0.3 m ahead: a wall must not shade itself through its own cell.
        for step in np.arange(0.3 + 0.75 * CELL, reach, 0.8 * CELL):
            place = points[open_rays, :2] + step * direction
            cell = np.floor((place + self._half) / CELL).astype(np.int64)
            cell = np.clip(cell, 0, len(self._top) - 1)
            over = self._top[cell[:, 1], cell[:, 0]] - points[open_rays, 2] - step * slope
            # The sun's blurred edge: 3 % of the distance on each side.
            soft = 0.15 + 0.03 * step
            seen[open_rays] = np.minimum(seen[open_rays], np.clip(0.5 - over / soft, 0.0, 1.0))
            keep = (seen[open_rays] > 0.0) & (
                points[open_rays, 2] + step * slope < highest + soft
            )
            open_rays = open_rays[keep]
            if len(open_rays) == 0:
                break
        return seen


def light(
    surfels: Surfels, daylight: Daylight, shadows: ShadowGrid, openness: Float,
    lamps: Float | None = None,
) -> Surfels:
    """Return the elements with their colours lit; colours above one shine by themselves.

    Args:
        surfels: elements with albedo as colour.
        daylight: sun and sky.
        shadows: what casts shadows.
        openness: `[N]` part of the sky light that arrives (ambient occlusion), 0 to 1.
        lamps: `[N, 3]` light of street lamps, if they are lit.
    """
    facing = np.clip(surfels.normals @ daylight.sun, 0.0, None)
    lit = np.flatnonzero(facing > 0.0)
    seen = np.zeros(len(surfels))
    start = surfels.points[lit] + 0.05 * surfels.normals[lit]
    seen[lit] = shadows.shade(start, daylight.sun)
    # A vertical wall sees half the sky and half the sunlit ground.
    upward = 0.74 + 0.26 * surfels.normals[:, 2]
    ambient = (upward * openness)[:, None] * daylight.sky_colour
    total = ambient + (facing * seen)[:, None] * daylight.sun_colour
    if lamps is not None:
        total += lamps
    shining = surfels.colours.max(axis=1, keepdims=True) > 1.0
    colours = np.where(shining, surfels.colours - SHINE, surfels.colours * total)
    return surfels.with_colours(np.clip(colours, 0.0, 1.0))


def wall_openness(
    building: NDArray[np.bool_], origin: Float, resolution: float, xy: Float
) -> Float:
    """Return how open `[N]` the sky is above ground points `[N, 2]` beside walls, 0.55 to 1."""
    gap = ndimage.distance_transform_edt(~building) * resolution
    cell = np.floor((xy - origin) / resolution).astype(np.int64)
    limit = np.array(building.shape[::-1]) - 1
    cell = np.clip(cell, 0, limit)
    distance = gap[cell[:, 1], cell[:, 0]]
    return np.asarray(1.0 - 0.3 * np.exp(-distance / 0.5) - 0.15 * np.exp(-distance / 2.5))
