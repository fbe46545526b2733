"""Finding the ground a robot can reach: levels of surface joined by small steps."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.importer.evidence import Evidence

COARSE = 0.25
"""Edge of the cells in which levels are looked for, metres: wide enough that a sparse capture
leaves few of them empty."""
LAYER = 0.1
"""Height of one layer, metres."""
SURFACE = 0.5
"""Weight in a layer of a cell that counts as a surface: half an opaque gaussian."""
CANDIDATES = 4
"""Levels kept in each column."""


@dataclass(frozen=True)
class Floor:
    """Height of the ground, on a fine grid, and where it was seen."""

    origin: NDArray[np.float64]
    """xy of the outer corner of cell (0, 0). [2]"""
    resolution: float
    """Edge of a cell, metres."""
    height: NDArray[np.float32]
    """Floor z, filled everywhere. [R, C]"""
    reached: NDArray[np.bool_]
    """Where ground was seen that joins the rest by small steps. [R, C]"""


def find_floor(evidence: Evidence, resolution: float, clear: float, step: float) -> Floor:
    """Grow the connected ground that most of the scene stands on.

    Each coarse column offers the layers that hold a surface with `clear` metres of nearly empty
    space above. Layers of neighbouring columns join where they differ by no more than a robot
    climbs. The ground is the set of the largest area times the share of the scene above it: roofs
    and hedge tops form sets of their own, and the upper side of a ceiling has nothing above.

    Args:
        evidence: Samples of solid surfaces.
        resolution: Edge of the fine grid, metres.
        clear: Free height needed above the ground, metres.
        step: Highest step between neighbouring columns, metres.
    """
    origin, density, low = _columns(evidence)
    levels = _candidate_levels(density, max(1, round(clear / LAYER)))
    heights = _refine(evidence, origin, low, levels, density.shape)
    labels = _join(levels, heights, step + 0.04)
    coarse = _ground(labels, heights, evidence)
    factor = COARSE / resolution
    shape = tuple(round(n * factor) for n in coarse.shape)
    rows = np.minimum((np.arange(shape[0]) / factor).astype(int), coarse.shape[0] - 1)
    columns = np.minimum((np.arange(shape[1]) / factor).astype(int), coarse.shape[1] - 1)
    seen = ndimage.binary_closing(np.isfinite(coarse), np.ones((3, 3)), border_value=0)
    filled = _fill(coarse)
    height = _resample(filled, shape, factor)
    return Floor(origin, resolution, height, seen[np.ix_(rows, columns)])


def _columns(
    evidence: Evidence,
) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
    """Sum weights into columns of layers. Returns origin [2], density [R, C, L], lowest z."""
    points = evidence.points
    low, high = np.quantile(points[::7], 0.001, axis=0), np.quantile(points[::7], 0.999, axis=0)
    origin = np.floor(low[:2] / COARSE) * COARSE
    # The ground lies in the lower part: 20 m above the lowest surface bounds the memory.
    top = min(float(high[2]), float(low[2]) + 20.0)
    size = np.ceil((high[:2] - origin) / COARSE).astype(int) + 1
    layers = int(np.ceil((top - low[2]) / LAYER)) + 1
    cell = np.floor((points[:, :2] - origin) / COARSE).astype(np.int64)
    layer = np.floor((points[:, 2] - low[2]) / LAYER).astype(np.int64)
    keep = ((cell >= 0) & (cell < size)).all(axis=1) & (layer >= 0) & (layer < layers)
    flat = (cell[keep, 1] * size[0] + cell[keep, 0]) * layers + layer[keep]
    density = np.bincount(flat, evidence.weights[keep], minlength=size[0] * size[1] * layers)
    shaped = density.reshape(size[1], size[0], layers).astype(np.float32)
    return origin.astype(np.float64), shaped, float(low[2])


@numba.njit(cache=True)
def _candidate_levels(density: NDArray[np.float32], clear: int) -> NDArray[np.int32]:
    """Pick up to four standable layers per column, lowest first, -1 for none. [R, C, 4]"""
    rows, columns, layers = density.shape
    out = np.full((rows, columns, CANDIDATES), -1, np.int32)
    for r in range(rows):
        for c in range(columns):
            found = 0
            layer = 0
            while layer < layers and found < CANDIDATES:
                if density[r, c, layer] < SURFACE:
                    layer += 1
                    continue
                top = layer
                while top + 1 < layers and density[r, c, top + 1] >= SURFACE:
                    top += 1
                above = 0.0
                for k in range(top + 2, min(top + 2 + clear, layers)):
                    above += density[r, c, k]
                # A few stray gaussians above a path do not block it; obstacles do (see SURFACE).
                if above < 2.0 * SURFACE:
                    out[r, c, found] = top
                    found += 1
                layer = top + 1
    return out


def _refine(
    evidence: Evidence,
    origin: NDArray[np.float64],
    low: float,
    levels: NDArray[np.int32],
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """Return the weighted mean z of the samples in each level's top two layers. [R, C, 4]"""
    points, rows, columns = evidence.points, shape[0], shape[1]
    cell = np.floor((points[:, :2] - origin) / COARSE).astype(np.int64)
    layer = np.floor((points[:, 2] - low) / LAYER).astype(np.int64)
    keep = ((cell >= 0) & (cell < (columns, rows))).all(axis=1)
    flat = cell[keep, 1] * columns + cell[keep, 0]
    z, weight, layer = points[keep, 2], evidence.weights[keep], layer[keep]
    heights = np.full((rows * columns, CANDIDATES), np.nan, np.float32)
    for k in range(CANDIDATES):
        level = levels.reshape(-1, CANDIDATES)[:, k]
        near = (layer <= level[flat]) & (layer >= level[flat] - 1) & (level[flat] >= 0)
        mass = np.bincount(flat[near], weight[near], minlength=rows * columns)
        moment = np.bincount(flat[near], weight[near] * z[near], minlength=rows * columns)
        good = mass > 0
        heights[good, k] = moment[good] / mass[good]
    return heights.reshape(rows, columns, CANDIDATES)


@numba.njit(cache=True)
def _join(
    levels: NDArray[np.int32], heights: NDArray[np.float32], step: float
) -> NDArray[np.int32]:
    """Label sets of levels that are joined by steps no higher than `step`. [R, C, 4]"""
    rows, columns, _ = levels.shape
    labels = np.full(levels.shape, -1, np.int32)
    stack = np.empty((rows * columns * CANDIDATES, 3), np.int32)
    label = 0
    for r in range(rows):
        for c in range(columns):
            for k in range(CANDIDATES):
                if labels[r, c, k] >= 0 or np.isnan(heights[r, c, k]):
                    continue
                labels[r, c, k] = label
                stack[0] = (r, c, k)
                count = 1
                while count:
                    count -= 1
                    y, x, m = stack[count]
                    for dy in (-1, 0, 1):
                        for dx in (-1, 0, 1):
                            v, u = y + dy, x + dx
                            if v < 0 or u < 0 or v >= rows or u >= columns:
                                continue
                            for n in range(CANDIDATES):
                                if labels[v, u, n] >= 0 or np.isnan(heights[v, u, n]):
                                    continue
                                if abs(heights[v, u, n] - heights[y, x, m]) <= step:
                                    labels[v, u, n] = label
                                    stack[count] = (v, u, n)
                                    count += 1
                label += 1
    return labels


def _ground(
    labels: NDArray[np.int32], heights: NDArray[np.float32], evidence: Evidence
) -> NDArray[np.float64]:
    """Return the height of the set that is the ground, NaN elsewhere. [R, C]"""
    used = labels >= 0
    if not used.any():
        return np.full(labels.shape[:2], np.nan)
    area = np.bincount(labels[used])
    level = np.bincount(labels[used], heights[used]) / np.maximum(area, 1)
    z = np.sort(evidence.points[::11, 2])
    above = 1.0 - np.searchsorted(z, level) / len(z)
    chosen = labels == int((area * above).argmax())
    # Where the ground has two levels in one column (a step under a table) the lower one is it.
    with np.errstate(all='ignore'):
        return np.fmin.reduce(np.where(chosen, heights, np.nan).astype(np.float64), axis=2)


def _fill(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth by a 3 x 3 median, and extend to where nothing was seen."""
    known = np.isfinite(height)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = ndimage.median_filter(height[tuple(nearest)], 3)
    blurred = ndimage.gaussian_filter(filled, 2.0)
    return np.where(known, ndimage.gaussian_filter(filled, 0.7), blurred)


def _resample(
    height: NDArray[np.float64], shape: tuple[int, ...], factor: float
) -> NDArray[np.float32]:
    """Interpolate cell centres of the coarse grid at cell centres of the fine one."""
    grids = np.meshgrid(*((np.arange(n) + 0.5) / factor - 0.5 for n in shape), indexing='ij')
    return ndimage.map_coordinates(height, grids, order=1, mode='nearest').astype(np.float32)
