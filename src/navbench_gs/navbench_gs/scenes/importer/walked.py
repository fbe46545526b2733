"""The ground that whoever took the photos walked on: floor, and free, whatever the splats show.

A capture of few photos draws its ground with a few wide gaussians and leaves haze over it. Where
the photos were taken somebody stood, at a height that the user knows.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer.grid import FineGrid
from navbench_gs.scenes.importer.samples import Elements

Float = NDArray[np.float64]

HALF_WIDTH = 0.7
"""Metres to each side: a person's shoulders and sway; a robot of 0.3 m radius finds 0.8 m."""
SPACING = 0.3
"""Metres between the discs that stand for the ground."""
DISC = 0.25
"""Standard deviation of a disc, metres: neighbours overlap, and it counts as seen from near."""
GAP = 15.0
"""Photos farther apart than this, metres, are not joined: nobody knows the way between them."""
BODY = 2.2
"""Height over walked ground, metres, in which matter can only be haze."""


def walked_line(positions: Float, height: float) -> Float:
    """Return points on the ground along the way of the camera.

    Args:
        positions: Where the photos were taken, in their order, scene frame. `[N, 3]`
        height: Of the camera over the ground, metres.

    Returns:
        `[P, 3]`, at most `SPACING` apart where photos are joined.

    Raises:
        SceneError: No two photos in a row are near each other.
    """
    parts = []
    for one, other in itertools.pairwise(positions):
        length = float(np.linalg.norm(other - one))
        if length <= GAP:
            share = np.linspace(0.0, 1.0, int(np.ceil(length / SPACING)) + 1)[:, None]
            parts.append(one + share * (other - one))
    if not parts:
        raise SceneError(
            f'walked: photos in a row must be at most {GAP} m apart, no two are; is the scale '
            'right?'
        )
    return np.asarray(np.concatenate(parts) - [0.0, 0.0, height])


def with_walked(matter: Elements, line: Float) -> Elements:
    """Clear the way of haze and lay ground under it.

    Args:
        matter: What was captured, scene frame.
        line: Points on the ground, from `walked_line`. `[P, 3]`
    """
    from scipy.spatial import KDTree

    distance, nearest = KDTree(line[:, :2]).query(
        matter.means[:, :2], distance_upper_bound=HALF_WIDTH
    )
    near = np.isfinite(distance)
    above = np.zeros(len(near))
    above[near] = matter.means[near, 2] - line[nearest[near], 2]
    kept = matter.select(~(near & (above > -0.5) & (above < BODY)))
    ground = _ground(line)
    return Elements(*(
        np.concatenate([getattr(kept, name), getattr(ground, name)])
        for name in ('means', 'normals', 'axes', 'weights')
    ))


def with_walked_ground(seen: Float, line: Float, grid: FineGrid) -> Float:
    """Return what shows from above, with the walked ground in place of whatever shows there.

    Args:
        seen: z of what shows in each cell, NaN where nothing does. `[R, C]`
        line: Points on the ground, from `walked_line`. `[P, 3]`
        grid: The cells.
    """
    ground = _ground(line)
    steps = np.arange(-0.5 * SPACING, 0.5 * SPACING, grid.resolution) + 0.5 * grid.resolution
    square = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    points = np.repeat(ground.means, len(square), axis=0)
    points[:, :2] += np.tile(square, (len(ground.means), 1))
    place, inside = grid.cells(points)
    walked = seen.ravel().copy()
    walked[place] = points[inside, 2]
    return walked.reshape(seen.shape)


def _ground(line: Float) -> Elements:
    """Cover a band around the line with level discs, one in each square of the spacing."""
    steps = np.arange(-HALF_WIDTH, HALF_WIDTH + 0.01, SPACING)
    across = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    across = across[np.hypot(*across.T) <= HALF_WIDTH]
    spots = np.repeat(line, len(across), axis=0)
    spots[:, :2] += np.tile(across, (len(line), 1))
    _, first = np.unique(np.floor(spots[:, :2] / SPACING), axis=0, return_index=True)
    means = spots[first]
    count = len(means)
    axes = np.zeros((count, 2, 3))
    axes[:, 0, 0] = axes[:, 1, 1] = DISC
    return Elements(
        means, np.tile([0.0, 0.0, 1.0], (count, 1)), axes, np.full(count, np.pi * DISC**2)
    )
