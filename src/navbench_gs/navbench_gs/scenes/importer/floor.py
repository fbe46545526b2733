"""The floor of a capture as a heightmap that may climb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer.samples import Elements, Samples, spread

Float = NDArray[np.float64]

COARSE = 0.4
"""Edge of the cells in which floor layers are found, metres."""
LAYER = 0.1
"""Thickness of a layer, metres."""
CLIMB = 0.08
"""Largest step between neighbouring coarse cells, metres: a slope of 20 %; a kerb or stair of
0.15 m separates two floors unless a ramp joins them."""
NO_FLOOR = (
    'free ground for a robot must be found, got no level surface: is the up axis or the scale '
    'right? (options up, scale)'
)
MAX_CELLS = 4_000_000
"""Coarse cells at most: 800 x 800 m."""


@dataclass(frozen=True)
class CoarseFloor:
    """The largest connected floor on the coarse grid."""

    origin: Float
    """`[2]` corner of cell (0, 0), metres."""
    height: Float
    """`[R, C]` z, NaN where the floor was not seen."""


def find_floor(matter: Elements) -> CoarseFloor:
    """Find the connected layer of level surface that carries the most of the scene.

    Each coarse cell may have several level layers (floor, table, hedge top, ceiling). Layers of
    neighbouring cells join where they differ by less than `CLIMB`. The floor is the joined
    surface with the most gaussians up to 2 m above it: whoever captured the scene walked there,
    so detail is dense; a ceiling or roof has nothing above, far ground has little detail.

    Raises:
        SceneError: nothing level was found, or the capture is too wide.
    """
    level = matter.select(np.abs(matter.normals[:, 2]) > 0.8)
    if len(level.means) == 0:
        raise SceneError(NO_FLOOR)
    samples = spread(level)
    low = np.percentile(samples.points[:, :2], 0.3, axis=0) - 1.0
    high = np.percentile(samples.points[:, :2], 99.7, axis=0) + 1.0
    columns, rows = (int(n) for n in np.ceil((high - low) / COARSE))
    if rows * columns > MAX_CELLS:
        raise SceneError(
            f'the capture covers {rows * columns} cells of {COARSE} m, more than {MAX_CELLS}: '
            'is its scale right? (option scale)'
        )
    nodes = _layers(samples, low, rows, columns)
    if len(nodes) == 0:
        raise SceneError(NO_FLOOR)
    labels, count = _join(nodes, columns)
    detail = np.bincount(labels, _detail(matter, nodes, low, rows, columns), count)
    chosen = int(np.argmax(detail))
    height = np.full((rows, columns), np.nan)
    for row, column, z in nodes[labels == chosen][::-1]:
        height[int(row), int(column)] = z
    return CoarseFloor(low, height)


def _layers(samples: Samples, low: Float, rows: int, columns: int) -> Float:
    """Return `[K, 3]` row, column, z of every level layer, sorted by cell, then z."""
    cell = np.floor((samples.points[:, :2] - low) / COARSE).astype(np.int64)
    inside = ((cell >= 0) & (cell < (columns, rows))).all(axis=1)
    cell, z, weight = cell[inside], samples.points[inside, 2], samples.weights[inside]
    bottom, top = np.percentile(z, [0.2, 99.0])
    kept = (z >= bottom - LAYER) & (z <= top + LAYER)
    cell, z, weight = cell[kept], z[kept], weight[kept]
    layer = np.floor((z - bottom + LAYER) / LAYER).astype(np.int64)
    layers = int(layer.max()) + 1
    key = (cell[:, 1] * columns + cell[:, 0]) * layers + layer
    keys, inverse = np.unique(key, return_inverse=True)
    mass = np.bincount(inverse, weight)
    middle = np.bincount(inverse, weight * z) / mass
    # A layer cut by a bin's edge appears twice: both halves count with their neighbour's mass.
    follows = np.diff(keys, prepend=-2) == 1
    joint = mass.copy()
    joint[1:] += np.where(follows[1:], mass[:-1], 0.0)
    joint[:-1] += np.where(follows[1:], mass[1:], 0.0)
    # A quarter of the cell covered is enough: captures leave holes.
    solid = (joint >= 0.25 * COARSE**2) & (mass >= 0.08 * COARSE**2)
    place = keys[solid] // layers
    return np.column_stack([place // columns, place % columns, middle[solid]])


def _detail(matter: Elements, nodes: Float, low: Float, rows: int, columns: int) -> Float:
    """Return how many gaussians `[K]` lie from 0.2 m below to 2 m above each layer."""
    cell = np.floor((matter.means[:, :2] - low) / COARSE).astype(np.int64)
    bottom = float(nodes[:, 2].min()) - 1.0
    bins = int((float(nodes[:, 2].max()) + 3.0 - bottom) / 0.2) + 1
    level = np.floor((matter.means[:, 2] - bottom) / 0.2).astype(np.int64)
    inside = ((cell >= 0) & (cell < (columns, rows))).all(axis=1) & (level >= 0) & (level < bins)
    keys = np.sort((cell[inside, 1] * columns + cell[inside, 0]) * bins + level[inside])
    place = (nodes[:, 0] * columns + nodes[:, 1]).astype(np.int64) * bins
    layer = np.floor((nodes[:, 2] - bottom) / 0.2).astype(np.int64)
    first = np.searchsorted(keys, place + layer - 1)
    last = np.searchsorted(keys, place + layer + 10)
    return (last - first).astype(np.float64)


def _join(nodes: Float, columns: int) -> tuple[NDArray[np.int64], int]:
    """Label the layers that connect within `CLIMB`."""
    place = (nodes[:, 0] * columns + nodes[:, 1]).astype(np.int64)
    most = 8
    left, right = [], []
    for offset in (0, 1, columns, columns + 1, columns - 1):
        target = place + offset
        first = np.searchsorted(place, target)
        for k in range(most):
            other = first + k
            ok = other < len(place)
            ok[ok] = place[other[ok]] == target[ok]
            here = np.flatnonzero(ok)
            near = np.abs(nodes[other[ok], 2] - nodes[here, 2]) <= CLIMB
            left.append(here[near])
            right.append(other[ok][near])
    a, b = np.concatenate(left), np.concatenate(right)
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(len(place), len(place)))
    count, labels = csgraph.connected_components(graph, directed=False)
    return labels.astype(np.int64), int(count)


def filled(height: Float, sigma: float) -> Float:
    """Fill the NaN cells of a heightmap from their nearest neighbours, smoothed by `sigma` cells.

    Known cells keep their value up to the smoothing of the map as a whole.
    """
    known = np.isfinite(height)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    whole = height[tuple(nearest)]
    smooth = ndimage.gaussian_filter(whole, sigma)
    return np.where(known, height, smooth)
