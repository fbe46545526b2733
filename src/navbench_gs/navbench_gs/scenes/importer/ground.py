"""The ground that shows: depth drawn straight down, from below canopies and ceilings.

Gaussians under a path's surface carry much of a reduced capture's matter, and small detail lies
askew: averages over level gaussians are 0.1 to 0.4 m too low in places, where the pavement itself
then stands out as an obstacle that no camera sees. What is drawn is what a robot meets.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.render import RenderCamera, View, make_renderer
from navbench_gs.scenes.importer.floor import filled
from navbench_gs.scenes.importer.grid import FineGrid
from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]

EYE = 1.3
"""Height of the cameras over the coarse floor, metres: above the robot, below most canopies."""
TILE = 1.0
"""Edge of the ground that one camera looks at, metres: rays are at most 29 degrees askew."""
PIXEL = 0.05
"""Ground that a pixel covers, metres."""
BATCH = 64
"""Views in one call of the renderer."""
REACH = 0.45
"""What shows farther from the coarse floor is none, metres; where it was thin, that lay 0.35 m
off."""
GAP = 0.9
"""Window in which three quarters must lie below the floor, metres: between sparse gaussians one
sees through the ground, but not over so much of it."""
BUMP = 1.5
"""Raised ground narrower than this stands on the floor (a low table) and is none, metres."""
TOLERANCE = 0.12
"""What shows farther from the floor so found is left out of its height, metres."""
SMOOTHING = 0.2
"""Standard deviation of the final mean, metres."""


def seen_from_above(cloud: GaussianCloud, grid: FineGrid) -> Float:
    """Return the mean z of what shows in each cell, NaN where nothing does. `[R, C]`

    Args:
        cloud: The capture, metres, z up.
        grid: Where to look: around the coarse floor.
    """
    renderer = make_renderer(cloud)
    total, count = np.zeros(grid.guess.size), np.zeros(grid.guess.size)
    tiles = _tiles(grid)
    pixels = round(TILE / PIXEL)
    # Twice the tile, of which the middle is used: gaussians are drawn whole at its edges.
    size = 2 * pixels
    focal = EYE / PIXEL
    across = 2.0 * math.atan(0.5 * size / focal)
    steps = (np.arange(pixels) + 0.5 - 0.5 * pixels) / focal
    right, down = np.meshgrid(steps, steps)
    inner = slice(pixels // 2, pixels // 2 + pixels)
    for start in range(0, len(tiles), BATCH):
        eyes = tiles[start:start + BATCH]
        views = [View(RenderCamera.from_fov(size, size, across, _downward(eye))) for eye in eyes]
        for eye, frame in zip(eyes, renderer.render_many(views), strict=True):
            depth = frame.depth[inner, inner].astype(np.float64)
            shown = np.isfinite(depth)
            points = np.stack([right * depth, -down * depth, -depth], axis=-1)[shown] + eye
            place, inside = grid.cells(points)
            total += np.bincount(place, points[inside, 2], grid.guess.size)
            count += np.bincount(place, minlength=grid.guess.size)
    with np.errstate(invalid='ignore'):
        return np.asarray((total / count).reshape(grid.guess.shape))


def ground_height(seen: Float, grid: FineGrid) -> Float:
    """Return the z of the floor everywhere. `[R, C]`

    Args:
        seen: What shows from above, NaN where nothing does. `[R, C]`
        grid: The coarse floor.
    """
    near = np.abs(seen - grid.guess) < REACH
    if not near.any():
        return grid.guess
    nearest = ndimage.distance_transform_edt(~near, return_distances=False, return_indices=True)
    top = ndimage.percentile_filter(seen[tuple(nearest)], 75.0, size=grid.count(GAP))
    base = ndimage.grey_opening(top, size=grid.count(BUMP))
    floor = near & (np.abs(seen - base) < TOLERANCE)
    sigma = SMOOTHING / grid.resolution
    offset = ndimage.gaussian_filter(np.where(floor, seen - grid.guess, 0.0), sigma)
    share = ndimage.gaussian_filter(floor.astype(np.float64), sigma)
    lift = np.where(share > 0.02, offset / np.maximum(share, 1e-9), np.nan)
    if not np.isfinite(lift).any():
        return grid.guess
    whole = filled(lift, 0.3 / grid.resolution)
    return np.asarray(grid.guess + ndimage.gaussian_filter(whole, 0.5 * sigma))


def _tiles(grid: FineGrid) -> Float:
    """Return where cameras hang, over tiles in which the floor was seen. `[K, 3]`"""
    step = max(1, round(TILE / grid.resolution))
    rows, columns = grid.guess.shape
    eyes = []
    for row in range(0, rows, step):
        for column in range(0, columns, step):
            part = np.s_[row:row + step, column:column + step]
            if grid.known[part].any():
                x, y = grid.origin + (np.array([column, row]) + 0.5 * step) * grid.resolution
                eyes.append((x, y, float(np.median(grid.guess[part])) + EYE))
    return np.array(eyes).reshape(-1, 3)


def _downward(eye: Float) -> Float:
    """Return a pose that looks straight down, x to the right. `[4, 4]`"""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = eye
    return pose
