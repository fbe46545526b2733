"""Generated gardens: ways that join, hedges that are where they are drawn, lawns open or not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from navbench_gs.scenes.city.furnish import Furniture
from navbench_gs.scenes.city.gardens import GARDEN_SEEDS, HEDGE_CELL, Garden, _joined, make_garden
from navbench_gs.scenes.city.generate import LAYOUT_VERSION, generate_city
from navbench_gs.scenes.city.plan import BED, LAWN, PLAZA, RESOLUTION
from navbench_gs.scenes.city.planting import furnish_garden
from navbench_gs.scenes.city.terrain import road_height

SEEDS = range(8)


def garden(seed: int) -> Garden:
    """One plan."""
    return make_garden(np.random.default_rng(seed))


def furnished(made: Garden) -> Furniture:
    """What stands in it."""
    return furnish_garden(made, road_height(made.plan), np.random.default_rng(1))


def test_ways_join_all_places_with_a_tree_and_some_more() -> None:
    """Of 3 x 3 places: 12 ways in all, at least the 8 of a tree, and one can go everywhere."""
    counts = []
    for seed in range(30):
        kept = _joined(3, np.random.default_rng(seed))
        counts.append(len(kept))
        reached = {(0, 0)}
        for _ in range(9):
            reached |= {b for a, b in kept if a in reached} | {a for a, b in kept if b in reached}
        assert len(reached) == 9
    assert min(counts) >= 8 and max(counts) <= 12
    # Four ways are left beside the tree, of which each is kept with 0.35: 9.4 on average.
    assert np.mean(counts) == pytest.approx(9.4, abs=0.5)


@pytest.mark.parametrize('seed', SEEDS)
def test_paths_are_one_piece_and_free_of_hedges(seed: int) -> None:
    """From any path to any other, without a hedge, bed or house on the way."""
    made = garden(seed)
    path = made.plan.labels == PLAZA
    parts, count = ndimage.label(path, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    assert count >= 1 and sizes.max() > 0.97 * path.sum()
    assert (made.hedges[path] == 0.0).all()
    assert path.sum() * RESOLUTION**2 > 250.0


def test_hedges_are_drawn_where_they_stand_and_as_high() -> None:
    """Every hedge has leaves to its top, a box, and occupied cells; nothing grows on paths."""
    made = garden(1)
    placed = furnished(made)
    assert (made.hedges > 0.0).sum() * RESOLUTION**2 > 20.0
    assert placed.occupancy[made.hedges > 0.0].all()
    points = placed.surfels.points
    cell = np.floor((points[:, :2] - made.plan.origin) / RESOLUTION).astype(int)
    cell = np.clip(cell, 0, len(made.hedges) - 1)
    top = np.zeros_like(made.hedges, dtype=np.float64)
    np.maximum.at(top, (cell[:, 1], cell[:, 0]), points[:, 2])
    hedge = made.hedges > 0.0
    # The uppermost leaves lie 0.03 m below the top and are displaced by at most 0.05 m.
    assert (top[hedge] > made.hedges[hedge] - 0.1).mean() > 0.95
    boxes = placed.boxes.astype(np.float64)
    level = boxes[(boxes[:, 6] == 0.0)]
    assert np.isclose(level[:, 2] + level[:, 5], made.hedges.max(), atol=1e-5).any()


def test_hedges_and_beds_are_cut_on_their_grid() -> None:
    """Blocks of two by two cells are hedge or not as a whole, except beside paths and houses."""
    made = garden(2)
    hedge = made.hedges > 0.0
    rows = hedge.shape[0] // HEDGE_CELL * HEDGE_CELL
    blocks = hedge[:rows, :rows].reshape(rows // 2, 2, rows // 2, 2).mean(axis=(1, 3))
    whole = (blocks == 0.0) | (blocks == 1.0)
    assert whole.mean() > 0.98


def test_lawns_are_open_in_some_gardens_only() -> None:
    """Where they are, one may walk on them; beds never."""
    found = {}
    for seed in GARDEN_SEEDS:
        layout = np.random.SeedSequence([seed, LAYOUT_VERSION]).spawn(4)[0]
        plan = make_garden(np.random.default_rng(layout)).plan
        if plan.open_lawns not in found and (plan.labels == BED).any():
            found[plan.open_lawns] = seed, plan
        if len(found) == 2:
            break
    assert len(found) == 2
    for open_lawns, (seed, plan) in found.items():
        _, collision, notes = generate_city(seed)
        assert notes['layout'] == 'garden'
        assert collision.walkable[plan.labels == LAWN].any() == open_lawns
        assert not collision.walkable[plan.labels == BED].any()
