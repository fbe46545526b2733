"""What stands on the ground: cells whose column holds something a robot would hit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.importer.evidence import Evidence
from navbench_gs.scenes.importer.floor import Floor

BLOCKING = 0.35
"""Weight in a 0.1 m column that is an obstacle: a third of an opaque gaussian. A stray splat of
a tree's crown weighs 0.04 to 0.11, a lamp post several."""


def blocked_cells(
    evidence: Evidence, floor: Floor, robot_height: float, step: float
) -> NDArray[np.bool_]:
    """Return the cells in which something rises between a step and the robot's height. [R, C]"""
    rows, columns = floor.height.shape
    cell = np.floor((evidence.points[:, :2] - floor.origin) / floor.resolution).astype(np.int64)
    keep = ((cell >= 0) & (cell < (columns, rows))).all(axis=1)
    cell, z, weight = cell[keep], evidence.points[keep, 2], evidence.weights[keep]
    above = z - floor.height[cell[:, 1], cell[:, 0]]
    # The floor of a real capture is a layer of a few centimetres: begin above its noise.
    hits = (above > step + 0.06) & (above < robot_height)
    flat = cell[hits, 1] * columns + cell[hits, 0]
    mass = np.bincount(flat, weight[hits], minlength=rows * columns).reshape(rows, columns)
    solid = mass >= BLOCKING
    # A lone cell without weight around it is a floater that survived.
    around = ndimage.uniform_filter(mass.astype(np.float64), 3, mode='constant') * 9.0
    return np.asarray(solid & (around >= 2.0 * BLOCKING))


def connected_free(
    floor: Floor, blocked: NDArray[np.bool_], radius: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the free cells, and the largest part a disc of `radius` metres can roam.

    Returns:
        **free**: Ground was seen and nothing stands there. [R, C]
        **roam**: Centres of the disc, one connected component. [R, C]
    """
    free = floor.reached & ~blocked
    padded = np.pad(free, 1)
    distance = ndimage.distance_transform_edt(padded)[1:-1, 1:-1] * floor.resolution
    labels, count = ndimage.label(distance >= radius + 0.5 * floor.resolution)
    if count == 0:
        return free, np.zeros_like(free)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return free, np.asarray(labels == sizes.argmax())
