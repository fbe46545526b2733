"""The CPU renderer's lists: no more than gsplat's hold, and no less than what can be seen."""

import numpy as np
import pytest

from navbench_gs.render.constants import MIN_ALPHA
from navbench_gs.render.cpu import binning
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import prepare
from navbench_gs.render.reference import footprints
from navbench_gs.render.tiles import tile_lists

TILE = binning.TILE
VIEWS = [f'random {n}' for n in range(2)]
VIEWS += [f'train-1000 {n}' for n in range(3)]
VIEWS += [f'garden {n}' for n in range(4)]


class _Recorder(Pipeline):
    """Keeps the lists of the frame that it draws."""

    def _blend(self, camera, columns, starts, buckets):
        self.starts, self.buckets = starts.copy(), buckets
        self.keys = self._pairs[: starts[-1]].copy()
        self.heads = self._heads.view(np.int32).copy()
        return super()._blend(camera, columns, starts, buckets)


def _cpu_lists(cloud, camera, threads=1):
    """Return tile `[P]`, index in the cloud `[P]`, 4x4 squares `[P]` and depth `[P]`, in order."""
    prepared = prepare(cloud)
    pipeline = _Recorder(threads, np.zeros(3, np.float32))
    pipeline.draw(camera, [(prepared, np.eye(4))])
    # Within a bucket the renderer sorts by key before it blends.
    buckets = np.repeat(np.arange(len(pipeline.starts) - 1), np.diff(pipeline.starts))
    order = np.lexsort((pipeline.keys[:, 0], buckets))
    keys, squares = pipeline.keys[order, 0], pipeline.keys[order, 1]
    tiles = buckets[order] // pipeline.buckets
    item = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    depth = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    return tiles, prepared.source_index[pipeline.heads[item, 3]], squares, depth


def _coverage(prints, camera, tiles, members):
    """Return alpha `[P, TILE, TILE]`, by the formula in float64; 0 beyond the image."""
    columns = -(-camera.width // TILE)
    x = (tiles % columns * TILE)[:, None] + np.arange(TILE) + 0.5
    y = (tiles // columns * TILE)[:, None] + np.arange(TILE) + 0.5
    dx = (x - prints.centres[members, :1])[:, None, :]
    dy = (y - prints.centres[members, 1:])[:, :, None]
    (xx, xy), (_, yy) = prints.covariances[members].transpose(1, 2, 0)[..., None, None]
    q = (yy * dx**2 - 2.0 * xy * dx * dy + xx * dy**2) / (xx * yy - xy**2)
    alpha = prints.opacities[members, None, None] * np.exp(-0.5 * q)
    seen = (x < camera.width)[:, None, :] & (y < camera.height)[:, :, None]
    return np.where(seen, alpha, 0.0)


def _codes(tiles, members, count):
    return tiles.astype(np.int64) * count + members


@pytest.mark.parametrize('name', VIEWS)
def test_lists_lie_between_what_shows_and_gsplats(render_view, name):
    """gsplat's lists are those of `render.tiles`; test_render_gsplat.py shows it."""
    cloud, camera = render_view(name)
    tiles, indices, squares, depth = _cpu_lists(cloud, camera)
    prints = footprints(cloud, camera)
    rank = np.full(len(cloud), -1)
    rank[prints.indices] = np.arange(len(prints.indices))
    mine = _codes(tiles, rank[indices], len(cloud))
    assert len(np.unique(mine)) == len(mine) > 30
    classic = tile_lists(prints, camera, TILE).pairs()
    theirs = _codes(classic[:, 0], classic[:, 1], len(cloud))
    assert np.isin(mine, theirs).all()
    # What is left out shows nowhere in the tile.
    absent = classic[~np.isin(theirs, mine)]
    assert len(absent) > 0
    for part in np.array_split(absent, -(-len(absent) // 1000)):
        # float32 may place a footprint 1e-3 of a coverage step away.
        assert _coverage(prints, camera, *part.T).max() < MIN_ALPHA * 1.001
    # Lists run front to back.
    same = tiles[1:] == tiles[:-1]
    assert (depth[1:][same] >= depth[:-1][same]).all()
    np.testing.assert_allclose(depth, prints.depths[rank[indices]], rtol=2e-6)


@pytest.mark.parametrize('name', VIEWS)
def test_the_squares_of_a_pair_hold_all_that_shows(render_view, name):
    cloud, camera = render_view(name)
    tiles, indices, squares, _ = _cpu_lists(cloud, camera)
    prints = footprints(cloud, camera)
    rank = np.full(len(cloud), -1)
    rank[prints.indices] = np.arange(len(prints.indices))
    for part in np.array_split(np.arange(len(tiles)), -(-len(tiles) // 1000)):
        alpha = _coverage(prints, camera, tiles[part], rank[indices[part]])
        highest = alpha.reshape(-1, 8, 4, 8, 4).max(axis=(2, 4))
        bits = np.arange(64, dtype=np.uint64)
        flagged = (squares[part, None] >> bits & np.uint64(1)).astype(bool).reshape(-1, 8, 8)
        assert highest[~flagged].max(initial=0.0) < MIN_ALPHA * 1.001


@pytest.mark.parametrize('name', ['random 0', 'garden 3'])
def test_lists_do_not_depend_on_the_number_of_threads(render_view, name):
    cloud, camera = render_view(name)
    for one, many in zip(_cpu_lists(cloud, camera), _cpu_lists(cloud, camera, 3), strict=True):
        np.testing.assert_array_equal(one, many)
