"""Leaving out what is hidden: the picture of the plain pipeline to the byte, and less work."""

import numpy as np
import pytest
from transforms3d.euler import euler2mat

from navbench_gs.render import DynamicGroup, RenderCamera, make_renderer
from navbench_gs.render.cpu import painter
from navbench_gs.render.cpu.binning import TILE, tile_squares
from navbench_gs.render.cpu.blend import BUFFER_SIZE
from navbench_gs.render.cpu.culling import visible
from navbench_gs.render.cpu.listing import BUCKETS, bucket_of, buckets_of
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import BLOCK, prepare
from navbench_gs.render.cpu.project import sort_few
from navbench_gs.render.cpu.sweep import reached
from navbench_gs.render.cpu.visibility import (
    LEVELS,
    block_rectangle,
    block_shows,
    find_open,
    open_columns,
    rectangle_open,
)
from navbench_gs.splats import GaussianCloud

ARRAYS = ('rgb', 'depth', 'alpha')
BLACK = np.zeros(3, np.float32)


def _pose(position, angles=(0.0, 0.0, 0.0)):
    pose = np.eye(4)
    pose[:3, :3] = euler2mat(*angles)
    pose[:3, 3] = position
    return pose


def _camera(width, height, focal, pose):
    return RenderCamera(width, height, focal, focal, width / 2, height / 2, pose)


def _wall(count, depth, seed, opacity=0.95):
    """Scatter discs over a wall of 8 x 6 m that stands across the view. `count` of them."""
    rng = np.random.default_rng(seed)
    means = np.column_stack([rng.uniform(-4, 4, count), rng.uniform(-3, 3, count),
                             depth + 0.02 * rng.normal(size=count)])
    scales = np.tile([0.15, 0.15, 0.004], (count, 1))
    return GaussianCloud.from_rgb(
        means, np.tile([1.0, 0, 0, 0], (count, 1)), scales, np.full(count, opacity),
        rng.uniform(0.1, 0.9, (count, 3)),
    )


def _street(random_cloud, degree=0):
    """Three walls with clutter between them, of which most is hidden."""
    parts = [_wall(4000, depth, seed) for seed, depth in enumerate((3.0, 6.0, 9.0))]
    clutter = random_cloud(6000, 0, seed=9, spread=3.0)
    world = GaussianCloud.concatenate([*parts, clutter])
    if degree == 0:
        return world
    rng = np.random.default_rng(1)
    sh = 0.2 * rng.normal(size=(len(world), (degree + 1) ** 2, 3))
    sh[:, 0] = world.sh[:, 0]
    return GaussianCloud(world.means, world.quats, world.scales, world.opacities, sh)


CAMERAS = [
    _camera(128, 128, 64.0, _pose([0.2, 0.1, 0.0], (0.05, 0.1, 0.2))),
    _camera(200, 150, 90.0, _pose([0.0, 0.0, 4.5], (0.0, 3.0, 0.0))),
    _camera(33, 65, 300.0, _pose([1.0, -1.0, -2.0])),
    _camera(1, 1, 5.0, _pose([0, 0, 0])),
    _camera(90, 50, 20.0, _pose([0.0, 2.0, 3.0], (-0.9, 0.3, 1.0))),
]


def _same(one, other):
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in ARRAYS)


@pytest.mark.parametrize('degree', [0, 2])
def test_the_bytes_are_those_of_the_plain_way(random_cloud, degree):
    world = _street(random_cloud, degree)
    person = random_cloud(800, degree, seed=6, spread=0.3)
    groups = [DynamicGroup(person, _pose([x, 0.0, z])) for x, z in ((-1.0, 2.0), (1.0, 7.0))]
    layers = [(prepare(world), np.eye(4)), *((prepare(g.cloud), g.pose) for g in groups)]
    renderer = make_renderer(world, background=(0, 0, 0), threads=1)
    for camera in CAMERAS:
        plain = Pipeline(1, BLACK).draw(camera, layers)
        assert _same(plain, renderer.render(camera, groups))


def test_the_bytes_do_not_depend_on_how_the_image_is_cut(random_cloud, monkeypatch):
    world = _street(random_cloud)
    plain = Pipeline(1, BLACK).draw(CAMERAS[1], [(prepare(world), np.eye(4))])
    for most, threads in ((1, 1), (6, 1), (512, 3)):
        monkeypatch.setattr(painter, 'MOST_TILES', most)
        assert max(np.prod(area[1::2] - area[::2] + 1) for area in
                   painter.areas(CAMERAS[1], threads)) <= most
        renderer = make_renderer(world, background=(0, 0, 0), threads=threads)
        assert _same(plain, renderer.render(CAMERAS[1]))


@pytest.mark.parametrize('columns', [1, 4, 7])
def test_areas_cover_every_tile_once(columns, monkeypatch):
    monkeypatch.setattr(painter, 'MOST_TILES', 3)
    camera = _camera(TILE * columns - 5, 5 * TILE, 50.0, np.eye(4))
    seen = np.zeros((5, columns), int)
    for left, right, top, bottom in painter.areas(camera, 2):
        seen[top : bottom + 1, left : right + 1] += 1
    assert (seen == 1).all()


def test_hidden_blocks_are_not_projected():
    # The wall in front finishes every pixel before the two behind it.
    walls = [_wall(30000, depth, seed) for seed, depth in enumerate((2.0, 5.0, 6.0))]
    camera = _camera(128, 128, 64.0, np.eye(4))
    layer = (prepare(GaussianCloud.concatenate(walls)), np.eye(4))
    plain, one = Pipeline(1, BLACK), painter.Painter(BLACK)
    frame = one.draw(camera, visible(camera, [layer]))
    depths = one._items[:, 9]
    hidden = (plain.project(camera, layer)[0][:, 9] > 4.0).sum()
    assert hidden > 40000
    # Blocks are taken by the dozen: some are looked at before the first wall has been blended.
    assert (depths > 4.0).sum() < 0.2 * hidden
    assert (depths > 0.0).sum() > 10000
    assert _same(frame, plain.draw(camera, [layer]))


@pytest.mark.parametrize('seed', range(6))
def test_a_blocks_rectangle_holds_its_items(random_cloud, seed):
    rng = np.random.default_rng(seed)
    cloud = prepare(random_cloud(5000, 0, seed=seed, spread=rng.uniform(0.3, 4.0)))
    pose = _pose([0.0, 0.0, 0.0], rng.uniform(-3, 3, 3))
    pose[:3, 3] = 0.2 * rng.normal(size=3) - rng.uniform(0.0, 6.0) * pose[:3, 2]
    camera = _camera(int(rng.integers(20, 400)), 90, rng.uniform(8.0, 150.0), pose)
    pipeline = Pipeline(1, BLACK)
    items, heads = pipeline.project(camera, (cloud, np.eye(4)))
    (job,) = visible(camera, [(cloud, np.eye(4))])
    blocks = heads[:, 3] // BLOCK
    assert len(items) > 50
    for number, first in zip(job.blocks, reached(job.nearest), strict=True):
        x0, x1, y0, y1 = block_rectangle(job.camera, cloud.bounds, number)
        own = items[blocks == number]
        if len(own):
            assert x0 <= own[:, 10].min()
            assert own[:, 11].max() <= x1 < camera.width
            assert y0 <= own[:, 12].min()
            assert own[:, 13].max() <= y1 < camera.height
            # What is blended before the block is taken lies in front of all of it.
            depths = np.ascontiguousarray(own[:, 9]).view(np.int32)
            assert first <= min(bucket_of(pattern) for pattern in depths)


def test_a_block_shows_where_one_square_under_it_is_open(random_cloud):
    cloud = prepare(random_cloud(BLOCK, seed=3, spread=0.1))
    camera = _camera(128, 128, 64.0, _pose([0, 0, -4]))
    (job,) = visible(camera, [(cloud, np.eye(4))])
    x0, x1, y0, y1 = block_rectangle(job.camera, cloud.bounds, 0)
    area, squares = np.array([0, 3, 0, 3]), np.zeros((4, 4), np.uint64)
    assert not block_shows(job.camera, cloud.bounds, 0, area, squares)
    for x, y, inside in ((x0, y0, True), (x1, y1, True), (x0 - 4, y0, False), (x1, y1 + 4, False)):
        squares[:] = 0
        u, v = x % TILE, y % TILE
        squares[y // TILE, x // TILE] = tile_squares(u, u, v, v)
        assert block_shows(job.camera, cloud.bounds, 0, area, squares) == inside


def test_open_pixels_and_squares(random_cloud):
    rng = np.random.default_rng(0)
    for share, height in ((0.0, 32), (0.02, 32), (0.3, 17), (1.0, 5)):
        light = np.where(rng.random((height, TILE)) < share, 0.5, -0.5).astype(np.float32)
        light[0, 0] = 0.0
        buffer = np.full(BUFFER_SIZE, -1.0, np.float32)
        buffer[: light.size] = light.ravel()
        levels = np.zeros((LEVELS, TILE), np.uint32)
        squares = int(find_open(buffer, height, levels))
        bits = (levels[0][:, None] >> np.arange(TILE, dtype=np.uint32)) & 1
        full = np.zeros((TILE, TILE), bool)
        full[:height] = light > 0
        np.testing.assert_array_equal(bits, full)
        expected = full.reshape(8, 4, 8, 4).any(axis=(1, 3)).ravel()
        np.testing.assert_array_equal([(squares >> k) & 1 for k in range(64)], expected)
        for _ in range(50):
            x0, y0 = rng.integers(-9, TILE, 2)
            x1, y1 = max(x0, 0) + rng.integers(0, 40), max(y0, 0) + rng.integers(0, 40)
            part = full[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1]
            assert rectangle_open(levels, x0, x1, y0, y1) == part.any()
            first, last = max(y0, 0), min(y1, TILE - 1)
            columns = int(open_columns(levels, first, last))
            expected = full[first : last + 1].any(axis=0)
            np.testing.assert_array_equal([(columns >> x) & 1 for x in range(TILE)], expected)


def test_buckets_of_depths_and_of_blocks():
    # 32 buckets an octave from 1/16 m on: 1 m is 4 octaves on, 2 m one more.
    depths = np.array([0.0, 0.0625, 1.0, 2.0, 1e9], np.float32)
    buckets = buckets_of(depths)
    np.testing.assert_array_equal(buckets, [0, 0, 128, 160, BUCKETS - 1])
    np.testing.assert_array_equal(buckets, [bucket_of(p) for p in depths.view(np.int32)])
    # Centres behind the camera may still reach before it: nothing in front of them is sure.
    np.testing.assert_array_equal(reached(np.array([-5.0, 0.0], np.float32)), [0, 0])


def test_few_blocks_are_sorted_as_many_are():
    rng = np.random.default_rng(2)
    for count in (0, 1, 2, 63):
        nearest = rng.integers(-3, 9, count).astype(np.float32)
        blocks = rng.permutation(count).astype(np.int32)
        order = np.argsort(nearest, kind='stable')
        expected = blocks[order], nearest[order]
        sort_few(blocks, nearest)
        np.testing.assert_array_equal(blocks, expected[0])
        np.testing.assert_array_equal(nearest, expected[1])
