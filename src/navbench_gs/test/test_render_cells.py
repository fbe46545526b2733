"""Mode `fast`: what it leaves out does not show, and what lies on disk is checked."""

from functools import partial

import numpy as np
import pytest
from level_camera import level_camera

from navbench_gs.errors import RenderError
from navbench_gs.render import DynamicGroup, View, make_renderer
from navbench_gs.render.cells.grid import ViewGrid
from navbench_gs.render.cells.renderer import CellRenderer
from navbench_gs.render.cells.store import NodeStore
from navbench_gs.render.cells.survey import visible_from
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import BLOCK, prepare, take
from navbench_gs.splats import GaussianCloud, find_environment, load


def _walls(count=4000, seed=0):
    """Return an opaque wall of gaussians 3 m ahead (+x) and as many behind it at 5 m."""
    rng = np.random.default_rng(seed)
    means = rng.uniform([0.0, -4.0, -3.0], [0.0, 4.0, 3.0], (2 * count, 3))
    means[:count, 0], means[count:, 0] = 3.0, 5.0
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (2 * count, 1))
    scales = np.tile([0.02, 0.2, 0.2], (2 * count, 1))
    colours = rng.uniform(-1.0, 1.0, (2 * count, 1, 3))
    return GaussianCloud(
        means=means.astype(np.float32),
        quats=quats.astype(np.float32),
        scales=scales.astype(np.float32),
        opacities=np.full(2 * count, 0.99, dtype=np.float32),
        sh=colours.astype(np.float32),
    )


_camera = partial(level_camera, degrees=70.0)


def _decibels(one, other):
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return 10.0 * np.log10(255.0**2 / max(error, 1e-9))


def test_corners_surround_the_camera_at_the_nearest_layer():
    grid = ViewGrid(spacing=2.0, layer=0.8)
    # x = 3.1 lies between 1 * 2 and 2 * 2, y = -0.5 between -1 * 2 and 0; z = 1.3 is nearest to
    # 2 * 0.8 = 1.6 (0.3 away; 1 * 0.8 is 0.5 away).
    nodes = grid.corners(np.array([3.1, -0.5, 1.3]))
    assert nodes == ((1, -1, 2), (2, -1, 2), (1, 0, 2), (2, 0, 2))
    assert grid.position((1, -1, 2)) == pytest.approx([2.0, -2.0, 1.6])


def test_a_wall_hides_what_is_behind_it():
    cloud = prepare(_walls())
    seen = visible_from(Pipeline(1, np.zeros(3, np.float32)), cloud, np.zeros(3), 192, 0.008, 0.05)
    depth = cloud.means[0, seen]
    in_front = (depth < 4.0).sum()
    assert in_front > 1000
    # The wall's margin, where few gaussians overlap, lets some light through.
    middle = (np.abs(cloud.means[1, seen]) < 3.0) & (np.abs(cloud.means[2, seen]) < 2.0)
    assert (depth[middle] > 4.0).sum() == 0
    assert (np.diff(seen) > 0).all()


def test_all_directions_are_surveyed(random_cloud):
    """A gaussian alone in each of 26 directions is seen, wherever faces meet."""
    directions = np.array(
        [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z],
        dtype=np.float32,
    )
    count = len(directions)
    cloud = GaussianCloud(
        means=4.0 * directions / np.linalg.norm(directions, axis=1, keepdims=True),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        scales=np.full((count, 3), 0.1, dtype=np.float32),
        opacities=np.full(count, 0.8, dtype=np.float32),
        sh=np.zeros((count, 1, 3), dtype=np.float32),
    )
    pipeline = Pipeline(1, np.zeros(3, np.float32))
    seen = visible_from(pipeline, prepare(cloud), np.zeros(3), 192, 0.5, 0.05)
    assert len(seen) == count


def test_the_picture_stays_and_the_hidden_wall_goes():
    cloud = _walls()
    exact, fast = make_renderer(cloud, threads=1), make_renderer(cloud, threads=1, mode='fast')
    for position, yaw in (([0.2, 0.3, 0.1], 0.0), ([-0.7, 0.9, -0.2], 0.3)):
        camera = _camera(position, yaw=yaw)
        one, other = exact.render(camera), fast.render(camera)
        assert _decibels(one.rgb, other.rgb) > 45.0
        both = np.isfinite(one.depth)
        near = np.abs(one.depth[both] - other.depth[both]) <= 0.02 * one.depth[both]
        assert near.mean() > 0.99
    kept = fast._static(_camera([0.2, 0.3, 0.1])).means.shape[1]
    assert kept < 0.7 * len(cloud.means)


def test_same_bytes_in_any_order_and_at_any_thread_count():
    cloud = _walls(1500)
    cameras = [_camera([x, 0.4, 0.0], yaw=0.2 * x) for x in (-3.0, 0.1, 1.2)]
    forward = make_renderer(cloud, threads=1, mode='fast')
    backward = make_renderer(cloud, threads=3, mode='fast')
    first = [forward.render(camera).rgb for camera in cameras]
    second = [backward.render(camera).rgb for camera in reversed(cameras)][::-1]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


def test_groups_are_drawn_whole(random_cloud):
    """A group in front of the wall is as in mode exact: groups are never left out."""
    cloud, group = _walls(), random_cloud(300, 0, seed=4)
    pose = np.eye(4)
    pose[:3, 3] = [2.0, 0.0, 0.0]
    camera, dynamic = _camera([0.0, 0.0, 0.0]), [DynamicGroup(group, pose)]
    one = make_renderer(cloud, threads=1).render(camera, dynamic)
    other = make_renderer(cloud, threads=1, mode='fast').render(camera, dynamic)
    assert _decibels(one.rgb, other.rgb) > 45.0


def test_surveys_are_kept_and_damaged_ones_made_again(tmp_path):
    cloud, camera = _walls(1500), _camera([0.2, 0.3, 0.1])
    renderer = CellRenderer(cloud, threads=2, cache=tmp_path)
    seen = []
    assert renderer.survey([camera], lambda done, total: seen.append((done, total))) == 4
    assert seen == [(2, 4), (4, 4)]
    assert renderer.survey([camera]) == 0
    files = sorted(path for path in tmp_path.rglob('*') if path.is_file())
    assert len(files) == 4
    again = CellRenderer(cloud, threads=1, cache=tmp_path)
    assert again.survey([camera]) == 0
    assert np.array_equal(again.render(camera).rgb, renderer.render(camera).rgb)
    files[0].write_bytes(files[0].read_bytes()[:-3])
    files[1].write_bytes(b'nonsense')
    assert CellRenderer(cloud, threads=1, cache=tmp_path).survey([camera]) == 2
    other = CellRenderer(_walls(1500, seed=1), threads=1, cache=tmp_path)
    assert other.survey([camera]) == 4


def test_a_stored_set_must_fit_its_cloud(tmp_path):
    indices = np.array([0, 3, 4, 99], dtype=np.int32)
    NodeStore(tmp_path, 'a', 100).save(192, (0, 0, 0), indices)
    assert np.array_equal(NodeStore(tmp_path, 'a', 100).load(192, (0, 0, 0)), indices)
    assert NodeStore(tmp_path, 'a', 99).load(192, (0, 0, 0)) is None
    assert NodeStore(tmp_path, 'a', 3).load(192, (0, 0, 0)) is None
    assert NodeStore(None, 'a', 100).load(192, (0, 0, 0)) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    blocker = tmp_path / 'file'
    blocker.write_text('not a folder')
    store = NodeStore(blocker, 'a', 10)
    store.save(192, (0, 0, 0), np.array([1], dtype=np.int32))
    assert store.load(192, (0, 0, 0)) is None


@pytest.mark.parametrize('count', [0, 1, BLOCK, BLOCK + 1])
def test_taking_all_draws_the_same(random_cloud, count):
    cloud = prepare(random_cloud(300, 1, seed=2))
    part = take(cloud, np.arange(count))
    assert part.means.shape[1] == -(-count // BLOCK) * BLOCK
    assert (part.reach[:count] == cloud.reach[:count]).all()
    assert (part.reach[count:] == -1.0).all()
    assert part.sh.shape[0] == part.means.shape[1]


def test_views_side_by_side_equal_views_one_by_one(random_cloud):
    cloud, group = _walls(800), random_cloud(200, 0, seed=5)
    views = [
        View(_camera([0.1 * step, 0.0, 0.0]), [DynamicGroup(group, np.eye(4))] * (step % 2))
        for step in range(5)
    ]
    for mode in ('exact', 'fast'):
        single = make_renderer(cloud, threads=1, mode=mode)
        several = make_renderer(cloud, threads=3, mode=mode).render_many(views)
        assert len(several) == len(views)
        for view, frame in zip(views, several, strict=True):
            alone = single.render(view.camera, view.dynamic)
            assert np.array_equal(alone.rgb, frame.rgb)
            assert np.array_equal(alone.depth, frame.depth)


def test_unknown_modes_are_refused(random_cloud):
    cloud = random_cloud(10, 0, seed=0)
    with pytest.raises(RenderError, match="'exact', 'fast' or 'coarse', got 'quick'"):
        make_renderer(cloud, mode='quick')
    with pytest.raises(RenderError, match="needs the back end 'cpu'"):
        make_renderer(cloud, mode='fast', backend='reference')


def test_a_real_garden_keeps_its_picture(real_data):
    """Bounds of mode fast at 128x128: 38 dB, and 99 % of depths within 2 %."""
    folder = real_data('splats/scenes/headquarter_garden')
    assert find_environment(folder) is not None
    cloud = GaussianCloud.concatenate([load(folder), load(folder, environment=True)])
    exact, fast = make_renderer(cloud, threads=2), make_renderer(cloud, threads=2, mode='fast')
    for y, yaw in ((4.7, -1.4), (-1.3, -1.8)):
        camera = _camera([3.0, y, -0.4], size=128, yaw=yaw)
        one, other = exact.render(camera), fast.render(camera)
        assert _decibels(one.rgb, other.rgb) >= 38.0
        with np.errstate(invalid='ignore'):
            close = np.abs(one.depth - other.depth) <= 0.02 * one.depth
        assert (close | (np.isinf(one.depth) & np.isinf(other.depth))).mean() >= 0.99
