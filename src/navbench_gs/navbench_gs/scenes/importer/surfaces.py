"""Occupancy and free space of a capture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer.grid import FineGrid
from navbench_gs.scenes.importer.options import ImportOptions
from navbench_gs.scenes.importer.samples import Elements, spread

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLUR = 0.4
"""Gaussians with a larger standard deviation show ground that nobody came near, metres."""
SHARP = 0.3
"""Part of the floor that smaller ones must make up, within about 1 m."""
THIN = 0.3
"""Smoothed surface per area of ground from which thin matter counts, if much stands together."""
THIN_TOTAL = 0.15
"""Least surface of such a group, m2."""
STEEP = 0.35
"""Rise over run at which the floor counts as an obstacle."""


@dataclass(frozen=True)
class Surfaces:
    """Grids of one capture."""

    origin: Float
    """`[2]` corner of cell (0, 0), metres."""
    height: NDArray[np.float32]
    """`[R, C]` floor z."""
    occupancy: Mask
    """`[R, C]` obstacle, steep or unknown."""
    matter: Mask
    """`[R, C]` obstacle only."""
    main: Mask
    """`[R, C]` centres that the robot's disc can reach: the largest connected part."""


def build_surfaces(
    matter: Elements, grid: FineGrid, height: Float, options: ImportOptions
) -> Surfaces:
    """Mark what a robot would hit.

    Args:
        matter: What the capture shows.
        grid: Where to look.
        height: `[R, C]` z of the floor.
        options: Measures of the robot.

    Raises:
        SceneError: no free space is large enough for the robot.
    """
    origin, shape = grid.origin, grid.guess.shape
    low = matter.select(_near(matter, grid, 0.8, options.robot_height + 0.8))
    samples = spread(low)
    place, inside = grid.cells(samples.points)
    samples = samples.select(inside)
    above = samples.points[:, 2] - height.ravel()[place]
    cell_area = options.resolution**2
    on_floor = np.abs(above + 0.1) < 0.25
    floor_mass = _sum(samples.weights * on_floor, place, shape)
    sharp_mass = _sum(samples.weights * (on_floor & (samples.width < BLUR)), place, shape)
    body = (above > options.step) & (above <= options.robot_height)
    body_mass = _sum(samples.weights * body, place, shape)
    # 0.012 m2 is a tenth of a wall's area in a cell, and less than a 3 cm pole shows.
    obstacle = _without_specks(body_mass > 1.2 * cell_area, body_mass, cell_area)
    obstacle |= _thin(body_mass, obstacle, cell_area)
    seen = floor_mass > 0.2 * cell_area
    sigma = 0.5 / options.resolution
    seen &= ndimage.gaussian_filter(sharp_mass, sigma) > SHARP * ndimage.gaussian_filter(
        floor_mass, sigma
    )
    disc = _disc(int(round(0.3 / options.resolution)))
    seen = ndimage.binary_closing(seen, structure=disc) | seen
    steep = _steep(height, options.resolution)
    occupancy = obstacle | steep | ~seen
    distance = ndimage.distance_transform_edt(np.pad(~occupancy, 1))[1:-1, 1:-1]
    roomy = (distance - 0.5) * options.resolution >= options.robot_radius
    main = largest(roomy)
    if main.sum() * cell_area < 4.0:
        raise SceneError(
            f'free ground for a robot of radius {options.robot_radius} m must cover 4 m2, got '
            f'{main.sum() * cell_area:.1f} m2: is the up axis or the scale right? '
            '(options up, scale)'
        )
    return Surfaces(origin, height.astype(np.float32), occupancy, obstacle | steep, main)


def largest(mask: Mask) -> Mask:
    """Return the largest connected part of a mask (empty stays empty)."""
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    return np.asarray(parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:])))


def _near(matter: Elements, grid: FineGrid, below: float, above: float) -> Mask:
    """Return which elements lie in the slab around the coarse floor."""
    place, inside = grid.cells(matter.means)
    keep = np.zeros(len(matter.means), dtype=bool)
    offset = matter.means[inside, 2] - grid.guess.ravel()[place]
    keep[np.flatnonzero(inside)[(offset > -below) & (offset < above)]] = True
    return keep


def _sum(values: Float, place: NDArray[np.int64], shape: tuple[int, int]) -> Float:
    """Add values up per cell."""
    total = np.bincount(place, values, shape[0] * shape[1])
    return total.astype(np.float64).reshape(shape)


def _steep(height: Float, resolution: float) -> Mask:
    """Return where the floor rises too fast to drive."""
    slope_y, slope_x = np.gradient(height, resolution)
    return np.asarray(np.hypot(slope_x, slope_y) > STEEP)


def _without_specks(mask: Mask, mass: Float, cell_area: float) -> Mask:
    """Drop clusters of at most six cells that carry little: floaters over the path.

    A pole 6 cm wide shows twice the kept weight (0.12 m2) between step and robot height.
    """
    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if count == 0:
        return mask
    size = np.bincount(parts.ravel(), minlength=count + 1)
    weight = np.bincount(parts.ravel(), mass.ravel(), count + 1)
    keep = (size > 6) | (weight > 12.0 * cell_area)
    keep[0] = False
    return np.asarray(keep[parts])


def _thin(mass: Float, obstacle: Mask, cell_area: float) -> Mask:
    """Return where much thin matter stands together: chairs of slats, lattices, wire baskets.

    A reduced capture's wicker chair has 0.002 to 0.009 m2 in each of 60 cells, and 0.25 m2 in all.
    """
    # The blur beside walls is no lattice: counted, it would close doors.
    alone = np.where(ndimage.binary_dilation(obstacle, iterations=2), 0.0, mass)
    mean = ndimage.gaussian_filter(alone, 1.0)
    parts, count = ndimage.label((mean > THIN * cell_area) & (alone > 0.0))
    if count == 0:
        return np.zeros(mass.shape, dtype=bool)
    weight = np.bincount(parts.ravel(), alone.ravel(), count + 1)
    keep = weight > THIN_TOTAL
    keep[0] = False
    return np.asarray(keep[parts])


def _disc(radius: int) -> Mask:
    """Return a disc as a structuring element."""
    axis = np.arange(-radius, radius + 1)
    return np.asarray(axis[:, None] ** 2 + axis**2 <= radius**2)
