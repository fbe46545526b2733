"""Gardens: winding paths between hedges, lawns and beds, for seeds of their own.

Streets lack what a park is full of: leaves at the height of the camera, ground that is neither
paving nor asphalt, and ways without a straight edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from navbench_gs.scenes.city.ground import smooth_noise
from navbench_gs.scenes.city.layouts import tenth
from navbench_gs.scenes.city.plan import BED, BUILDING, LAWN, PLAZA, RESOLUTION, WATER, Plan

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

GARDEN_SEEDS = range(5000, 6000)
"""Seeds of gardens, for training."""
HEDGE_CELL = 2
"""Hedges and beds are cut on a grid of so many plan cells, 0.2 m: half as many physics boxes."""
RAISED = 0.12
"""Height of beds and pond rims over the paths, metres: a step, as a kerb is."""
SMALL = 6.0
"""Regions under this area are planted all over, square metres."""
JOINED = 0.35
"""Share of the ways beside those that join all places."""


@dataclass(frozen=True)
class Garden:
    """A plan and its hedges."""

    plan: Plan
    hedges: NDArray[np.float32]
    """`[R, C]` height of the hedge over each cell, metres; zero where there is none."""


def make_garden(rng: np.random.Generator) -> Garden:
    """Draw places, the ways between them, and what grows in between."""
    plan = Plan(half=tenth(rng.uniform(26.0, 32.0)), layout='garden')
    plan.open_lawns = bool(rng.random() < 0.75)
    rim = tenth(plan.half - rng.uniform(2.5, 5.0))
    plan.fill((-rim, -rim, rim, rim), LAWN)
    plan.plazas.append((-rim, -rim, rim, rim))
    paths = _paths(plan, rim, rng)
    plan.fill_where(paths, PLAZA, (LAWN,))
    hedges = np.zeros(plan.labels.shape, np.float32)
    apart = ndimage.distance_transform_edt(~paths) * RESOLUTION
    regions, count = ndimage.label(plan.labels == LAWN)
    for number in range(1, count + 1):
        _plant(plan, regions == number, apart, hedges, rng)
    if rng.random() < 0.6:
        _enclose(plan, rim, hedges, rng)
    _houses(plan, hedges, paths, rng)
    hedges[plan.labels == PLAZA] = 0.0
    return Garden(plan, hedges)


def _paths(plan: Plan, rim: float, rng: np.random.Generator) -> Mask:
    """Return where paths run `[R, C]`: bent ways along a loose grid, wider at some places."""
    count = int(rng.integers(3, 6))
    pitch = 2.0 * rim / count
    axis = (np.arange(count) + 0.5) * pitch - rim
    places = np.stack(np.meshgrid(axis, axis), axis=-1)
    places += rng.uniform(-0.25, 0.25, places.shape) * pitch
    points, widths = [], []
    for a, b in _joined(count, rng):
        start, end = places[a], places[b]
        side = np.array([start[1] - end[1], end[0] - start[0]])
        bend = 0.5 * (start + end) + rng.uniform(-0.35, 0.35) * side
        t = np.linspace(0.0, 1.0, 60)[:, None]
        line = (1 - t) ** 2 * start + 2.0 * t * (1 - t) * bend + t**2 * end
        points.append(line)
        widths.append(np.full(len(line), rng.uniform(1.1, 2.6)))
    for place in places.reshape(-1, 2):
        if rng.random() < 0.35:
            points.append(place[None])
            widths.append(np.array([rng.uniform(2.4, 4.5)]))
    return _near(plan, np.concatenate(points), np.concatenate(widths), rim)


def _near(plan: Plan, points: Float, widths: Float, rim: float) -> Mask:
    """Return the cells `[R, C]` within each point's own width, 1.2 m inside the rim."""
    x, y = plan.grid()
    cells = np.stack([x, y], axis=-1)
    found = np.zeros(x.shape, dtype=bool)
    for width in np.unique(widths):
        tree = cKDTree(points[widths == width])
        gap, _ = tree.query(cells.reshape(-1, 2), distance_upper_bound=width)
        found |= np.isfinite(gap).reshape(x.shape)
    return np.asarray(found & (np.abs(cells).max(axis=-1) < rim - 1.2))


def _joined(
    count: int, rng: np.random.Generator
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return ways of a grid of `count` by `count` places: a random tree, and some more."""
    edges = [((i, j), (i, j + 1)) for i in range(count) for j in range(count - 1)]
    edges += [((j, i), (j + 1, i)) for i in range(count) for j in range(count - 1)]
    group = {(i, j): (i, j) for i in range(count) for j in range(count)}
    kept = []
    for index in rng.permutation(len(edges)):
        a, b = edges[index]
        if group[a] != group[b]:
            old, new = group[a], group[b]
            group = {place: new if of == old else of for place, of in group.items()}
            kept.append(edges[index])
        elif rng.random() < JOINED:
            kept.append(edges[index])
    return kept


def _plant(
    plan: Plan, region: Mask, apart: Float, hedges: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Decide what a region between paths is: hedged, a bed, a pond, or a lawn to the edge."""
    kind = rng.random()
    if region.sum() * RESOLUTION**2 < SMALL:
        if kind < 0.5:
            plan.labels[_coarse(region)] = BED
        elif kind < 0.85:
            hedges[_coarse(region)] = rng.uniform(0.4, 1.5)
        return
    verge = rng.uniform(0.0, 0.35)
    if kind < 0.62:
        depth, height = rng.uniform(0.5, 1.1), rng.uniform(0.45, 1.8)
        band = region & (apart > verge) & (apart < verge + depth)
        if plan.open_lawns or rng.random() < 0.4:
            x, y = plan.grid()
            xy = np.stack([x[band], y[band]], axis=-1)
            # About a fifth of it is missing, in stretches of some metres.
            band[band] = smooth_noise(xy, 3.0, int(rng.integers(1 << 30))) < 0.72
        hedges[_coarse(band)] = height
    if 0.45 < kind < 0.85:
        bed = region & (apart > verge) & (apart < rng.uniform(1.0, 3.0))
        plan.labels[_coarse(bed) & region] = BED
    elif kind > 0.93:
        plan.labels[region & (apart > 0.8)] = WATER


def _enclose(
    plan: Plan, rim: float, hedges: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Grow a tall hedge along the rim, before the houses."""
    x, y = plan.grid()
    edge = np.maximum(np.abs(x), np.abs(y))
    band = (edge < rim) & (edge > rim - rng.uniform(0.6, 1.0))
    hedges[_coarse(band)] = rng.uniform(1.5, 2.4)


def _houses(
    plan: Plan, hedges: NDArray[np.float32], paths: Mask, rng: np.random.Generator
) -> None:
    """Set up to three pavilions where a rectangle lies clear of all paths."""
    gap = ndimage.distance_transform_edt(~paths) * RESOLUTION
    for _ in range(int(rng.integers(0, 4))):
        half = np.round(rng.uniform(1.5, 3.0, 2), 1)
        reach = float(np.hypot(*half)) + 0.6
        spots = np.argwhere((gap > reach) & (plan.labels != BUILDING))
        if len(spots) == 0:
            continue
        row, column = spots[rng.integers(len(spots))]
        middle = np.array([column, row]) * RESOLUTION + plan.origin
        rectangle = (*np.round(middle - half, 1), *np.round(middle + half, 1))
        plan.fill(rectangle, BUILDING)
        hedges[plan.labels == BUILDING] = 0.0


def _coarse(mask: Mask) -> Mask:
    """Return the cells of the hedge grid that a mask `[R, C]` covers by half or more."""
    rows, columns = (size // HEDGE_CELL * HEDGE_CELL for size in mask.shape)
    blocks = mask[:rows, :columns].reshape(
        rows // HEDGE_CELL, HEDGE_CELL, columns // HEDGE_CELL, HEDGE_CELL
    )
    full = blocks.mean(axis=(1, 3)) >= 0.5
    out = np.zeros_like(mask)
    out[:rows, :columns] = np.repeat(np.repeat(full, HEDGE_CELL, 0), HEDGE_CELL, 1)
    return out
