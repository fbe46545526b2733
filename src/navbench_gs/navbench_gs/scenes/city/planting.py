"""Placing what grows and stands in a garden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes import rectangles
from navbench_gs.scenes.city import plants, props
from navbench_gs.scenes.city.furnish import Furniture, Site
from navbench_gs.scenes.city.gardens import RAISED, Garden
from navbench_gs.scenes.city.plan import BED, LAWN, PLAZA, RESOLUTION, WATER

Float = NDArray[np.float64]


def furnish_garden(
    garden: Garden, height: NDArray[np.float32], rng: np.random.Generator, lit: bool = False
) -> Furniture:
    """Grow hedges, plant beds and lawns, and set benches and lamps beside the paths."""
    site = Site(garden.plan, height, rng, lit)
    site.occupancy |= garden.hedges > 0.0
    site.surfels.extend(plants.grow_hedges(garden.plan, garden.hedges, height, rng))
    _plant_beds(site)
    _plant_lawns(site)
    _line_paths(site)
    furniture = site.furniture()
    boxes, casters = _bodies(garden, height)
    return Furniture(
        furniture.surfels, furniture.occupancy, np.concatenate([furniture.boxes, boxes]),
        np.concatenate([furniture.casters, casters]), furniture.lamps,
    )


def _bodies(garden: Garden, floor: NDArray[np.float32]) -> tuple[NDArray[np.float32], Float]:
    """Return physics boxes `[B, 7]` of what is raised, and the hedges' shadows `[N, 3]`."""
    plan = garden.plan
    raised = rectangles.cover(np.isin(plan.labels, (BED, WATER)))
    parts = [rectangles.boxes(raised, plan.origin, RESOLUTION, -0.1, RAISED)]
    for top in np.unique(garden.hedges[garden.hedges > 0.0]):
        blocks = rectangles.cover(garden.hedges == top)
        parts.append(rectangles.boxes(blocks, plan.origin, RESOLUTION, -0.1, float(top)))
    rows, columns = np.nonzero(garden.hedges[::2, ::2] > 0.0)
    rows, columns = 2 * rows, 2 * columns
    xy = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + RESOLUTION
    top_z = floor[rows, columns] + garden.hedges[rows, columns]
    return np.concatenate(parts), np.column_stack([xy, top_z]).astype(np.float64)


def _spots(site: Site, label: int, per_square_metre: float) -> Float:
    """Return random places `[N, 2]` on cells of a label."""
    cells = np.argwhere((site.plan.labels == label) & ~site.occupancy)
    count = int(per_square_metre * len(cells) * RESOLUTION**2)
    if len(cells) == 0 or count == 0:
        return np.zeros((0, 2))
    chosen = cells[site.rng.integers(len(cells), size=count)]
    return np.asarray(chosen[:, ::-1] * RESOLUTION + site.plan.origin + 0.5 * RESOLUTION)


def _plant_beds(site: Site) -> None:
    """Fill beds: a few kinds of plant in each garden, close together."""
    rng = site.rng
    makes = [plants.shrub(rng) for _ in range(6)] + [plants.grass(rng) for _ in range(2)]
    for x, y in _spots(site, BED, 1.1):
        make = makes[int(rng.integers(len(makes)))]
        site.put(make, x, y, float(rng.uniform(0.0, 6.28)), (BED, LAWN), margin=-0.2)


def _plant_lawns(site: Site) -> None:
    """Scatter trees, shrubs, conifers and rocks over lawns."""
    rng = site.rng
    trees = [props.tree(rng) for _ in range(4)]
    others = [plants.shrub(rng) for _ in range(3)]
    others += [plants.conifer(rng), plants.conifer(rng), plants.rock(rng), plants.grass(rng)]
    density = rng.uniform(0.03, 0.12)
    for x, y in _spots(site, LAWN, density):
        makes = trees if rng.random() < 0.45 else others
        make = makes[int(rng.integers(len(makes)))]
        site.put(make, x, y, float(rng.uniform(0.0, 6.28)), (LAWN, BED), margin=0.3)


def _line_paths(site: Site) -> None:
    """Put benches, lamps, bins and bollards on lawns and beds along the paths."""
    rng = site.rng
    path = site.plan.labels == PLAZA
    gap = ndimage.distance_transform_edt(~path) * RESOLUTION
    slope_y, slope_x = np.gradient(gap)
    edge = np.argwhere((gap > 0.35) & (gap < 0.5) & ~site.occupancy)
    count = int(0.01 * len(edge) * rng.uniform(0.5, 1.5))
    for row, column in edge[rng.integers(len(edge), size=count)] if len(edge) else []:
        x = (column + 0.5) * RESOLUTION - site.plan.half
        y = (row + 0.5) * RESOLUTION - site.plan.half
        towards = float(np.arctan2(-slope_y[row, column], -slope_x[row, column]))
        kind = str(rng.choice(['lamp', 'bench', 'bin', 'bollard', 'planter', 'rock'],
                              p=[0.3, 0.15, 0.1, 0.2, 0.1, 0.15]))
        if kind == 'lamp':
            prop = props.lamp(rng, site.lit)
        elif kind == 'rock':
            prop = plants.rock(rng)
        else:
            prop = site.piece(kind)
        site.put(prop, x, y, towards, (LAWN, BED, PLAZA), margin=0.05)
