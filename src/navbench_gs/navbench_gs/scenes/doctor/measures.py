"""The numbers behind the findings, each from a cloud and a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.splats.cloud import GaussianCloud

Mask = NDArray[np.bool_]
SOLID = 0.3
"""Opacity from which a gaussian counts as matter, as in the importer."""


@dataclass(frozen=True)
class Clutter:
    """Matter over free ground."""

    count: int
    """Gaussians from 0.2 to 1.2 m above free ground."""
    share: float
    """Of all matter in that layer."""


def _inside(cloud: GaussianCloud, grid: CollisionMap) -> NDArray[np.int64]:
    """Return the indices of matter inside the map's bounds."""
    within = grid.inside(cloud.means[:, :2].astype(np.float64))
    return np.flatnonzero(within & (cloud.opacities >= SOLID))


def floor_tilt(grid: CollisionMap, free: Mask) -> float:
    """Return the slope of the plane through the free floor, degrees."""
    rows, columns = np.nonzero(free)
    if len(rows) < 3:
        return 0.0
    xy = grid.centre(np.stack([rows, columns], axis=-1))
    plane = np.column_stack([xy, np.ones(len(xy))])
    slope = np.linalg.lstsq(plane, grid.height[rows, columns].astype(np.float64), rcond=None)[0]
    return float(np.degrees(np.arctan(np.hypot(slope[0], slope[1]))))


def floor_without_matter(cloud: GaussianCloud, bundle: SceneBundle, free: Mask) -> float:
    """Return the share of free floor, in cells of 0.5 m, with no matter within 0.25 m of it."""
    grid = bundle.collision
    chosen = _inside(cloud, grid)
    xy = cloud.means[chosen, :2].astype(np.float64)
    low = np.abs(cloud.means[chosen, 2] - grid.floor(xy)) < 0.25
    step = max(1, round(0.5 / grid.resolution))
    shape = tuple(-(-size // step) for size in grid.shape)
    seen = np.zeros(shape, dtype=bool)
    cell = grid.cell(xy[low]) // step
    # A wide gaussian covers its neighbours, too; those of a floor seldom exceed two cells.
    reach = np.minimum(cloud.scales[chosen][low].max(axis=1) / 0.5, 2.0)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            wide = reach >= 0.5 * max(abs(dx), abs(dy))
            place = cell[wide] + (dy, dx)
            good = ((place >= 0) & (place < shape)).all(axis=1)
            seen[place[good, 0], place[good, 1]] = True
    rows, columns = np.nonzero(free)
    if len(rows) == 0:
        return 1.0
    return float(1.0 - seen[rows // step, columns // step].mean())


def splat_size(
    cloud: GaussianCloud, grid: CollisionMap, route: NDArray[np.floating], reach: float = 3.0
) -> float:
    """Return the middle size of the matter a robot passes, metres.

    The size is the second largest standard deviation: the smaller one in a flat splat's plane.
    Weighted by area, since that is what fills the picture.
    """
    chosen = _inside(cloud, grid)
    if len(route) == 0 or len(chosen) == 0:
        return float('inf')
    points = cloud.means[chosen, :2].astype(np.float64)
    along = route[:: max(1, len(route) // 400)]
    near = np.zeros(len(points), dtype=bool)
    for start in range(0, len(along), 20):
        gap = np.linalg.norm(points[:, None] - along[None, start : start + 20], axis=2)
        near |= gap.min(axis=1) < reach
    above = cloud.means[chosen, 2] - grid.floor(points)
    near &= (above > -0.3) & (above < 2.0)
    if not near.any():
        return float('inf')
    scales = np.sort(cloud.scales[chosen[near]], axis=1)
    size, area = scales[:, 1], scales[:, 1] * scales[:, 2]
    order = np.argsort(size)
    share = np.cumsum(area[order])
    return float(size[order][np.searchsorted(share, 0.5 * share[-1])])


def free_space_clutter(cloud: GaussianCloud, grid: CollisionMap, free: Mask) -> Clutter:
    """Return the matter that hangs over ground where a robot's disc may be."""
    chosen = _inside(cloud, grid)
    xy = cloud.means[chosen, :2].astype(np.float64)
    above = cloud.means[chosen, 2] - grid.floor(xy)
    layer = (above > 0.2) & (above < 1.2)
    cell = grid.cell(xy[layer])
    over = int(free[cell[:, 0], cell[:, 1]].sum())
    return Clutter(over, over / max(int(layer.sum()), 1))


def ceiling_height(cloud: GaussianCloud, bundle: SceneBundle) -> float | None:
    """Return the height of a ceiling above the floor, metres; None under open sky.

    A scene has one when matter lies between 1.6 and 6 m above most places where robots start,
    half of it within a layer of 0.4 m.
    """
    grid = bundle.collision
    chosen = _inside(cloud, grid)
    points = cloud.means[chosen].astype(np.float64)
    spots = bundle.spawn[:: max(1, len(bundle.spawn) // 60)]
    tops = []
    for spot in spots:
        near = np.abs(points[:, :2] - spot).max(axis=1) < 0.35
        above = points[near, 2] - float(grid.floor(spot[None])[0])
        above = above[(above > 1.6) & (above < 6.0)]
        if len(above) >= 10:
            middle = float(np.median(above))
            if (np.abs(above - middle) < 0.2).mean() > 0.5:
                tops.append(middle)
    if len(tops) < 0.6 * len(spots):
        return None
    return float(np.median(tops))
