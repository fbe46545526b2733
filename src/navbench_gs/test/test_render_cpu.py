"""The CPU renderer: equal to itself at any thread count, groups, workers, arguments."""

import importlib.util
import multiprocessing

import numpy as np
import pytest
from transforms3d.euler import euler2mat

from navbench_gs.errors import RenderError
from navbench_gs.render import DynamicGroup, RenderCamera, make_renderer
from navbench_gs.render.cpu import jit
from navbench_gs.render.cpu.prepare import BLOCK, prepare
from navbench_gs.splats import GaussianCloud

ARRAYS = ('rgb', 'depth', 'alpha')


def _pose(position, angles=(0.0, 0.0, 0.0)):
    pose = np.eye(4)
    pose[:3, :3] = euler2mat(*angles)
    pose[:3, 3] = position
    return pose


def _camera(width=100, height=70, focal=60.0, pose=None, **lens):
    centre = {'cx': width / 2, 'cy': height / 2} | lens
    pose = _pose([0, 0, -4]) if pose is None else pose
    return RenderCamera(width, height, focal, focal, pose=pose, **centre)


def test_same_bytes_at_any_thread_count(random_cloud):
    cloud = random_cloud(6000, 1, seed=5)
    camera = _camera(200, 150, 120.0)
    group = DynamicGroup(random_cloud(500, seed=6, spread=0.3), _pose([0.4, 0.0, -1.0]))
    one = make_renderer(cloud, threads=1).render(camera, [group])
    for threads in (2, 3, 7):
        many = make_renderer(cloud, threads=threads).render(camera, [group])
        for name in ARRAYS:
            assert getattr(one, name).tobytes() == getattr(many, name).tobytes()


def test_equal_depths_keep_the_order_of_the_cloud():
    # Two gaussians in the same place: the first in the cloud lies in front, at any thread count.
    red_blue = GaussianCloud.from_rgb(
        [[0, 0, 0]] * 2, [[1, 0, 0, 0]] * 2, [[0.5] * 3] * 2, [0.9] * 2, [[1, 0, 0], [0, 0, 1]]
    )
    frame = make_renderer(red_blue).render(_camera())
    red, _, blue = frame.rgb[35, 50].astype(int)
    assert red > 3 * blue


def test_a_group_in_front_hides_and_a_group_behind_is_hidden():
    wall = GaussianCloud.from_rgb(
        [[0, 0, 0]], [[1, 0, 0, 0]], [[9.0, 9.0, 0.01]], [1.0], [[0, 1, 0]]
    )
    ball = GaussianCloud.from_rgb([[0, 0, 0]], [[1, 0, 0, 0]], [[0.3] * 3], [1.0], [[1, 0, 0]])
    renderer = make_renderer(wall, threads=1)
    front = renderer.render(_camera(), [DynamicGroup(ball, _pose([0, 0, -1]))])
    behind = renderer.render(_camera(), [DynamicGroup(ball, _pose([0, 0, 1]))])
    assert front.rgb[35, 50, 0] > 250
    assert front.depth[35, 50] == pytest.approx(3.0)
    assert behind.rgb[35, 50, 0] < 5
    assert behind.depth[35, 50] == pytest.approx(4.0)


def test_a_group_moves_without_leaving_a_trace(random_cloud):
    world = random_cloud(500, seed=1)
    person = random_cloud(200, seed=2, spread=0.2)
    renderer = make_renderer(world, threads=1)
    first = renderer.render(_camera())
    for x in (-1.0, 0.0, 1.0):
        renderer.render(_camera(), [DynamicGroup(person, _pose([x, 0, -1]))])
    again = renderer.render(_camera())
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_prepared_groups_are_forgotten_with_their_clouds(random_cloud):
    renderer = make_renderer(random_cloud(100), threads=1)
    for seed in range(5):
        renderer.render(_camera(), [DynamicGroup(random_cloud(50, seed=seed), np.eye(4))])
    assert len(renderer._prepared) <= 2


def test_a_group_that_scales_is_refused(random_cloud):
    with pytest.raises(RenderError, match='pose of a group must only rotate'):
        DynamicGroup(random_cloud(3), np.diag([2.0, 2.0, 2.0, 1.0]))


def _render_in_child(renderer, camera, queue):
    queue.put(renderer.render(camera).rgb.tobytes())


@pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')
def test_a_forked_worker_can_go_on_drawing(random_cloud):
    # Threads do not survive a fork: a worker that waits for the parent's would never return.
    renderer = make_renderer(random_cloud(2000), threads=2)
    expected = renderer.render(_camera()).rgb.tobytes()
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    worker = context.Process(target=_render_in_child, args=(renderer, _camera(), queue))
    worker.start()
    try:
        assert queue.get(timeout=60.0) == expected
    finally:
        worker.kill()
        worker.join()


def test_stored_machine_code_is_tied_to_every_source(tmp_path, monkeypatch):
    source = tmp_path / 'sample.py'
    source.write_text(
        'from navbench_gs.render.cpu.jit import kernel\n\n\n'
        '@kernel\ndef double(x):\n    return 2 * x\n'
    )

    def hits(digest):
        monkeypatch.setattr(jit, '_DIGEST', digest)
        spec = importlib.util.spec_from_file_location('sample', source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.double(21) == 42
        return sum(module.double.stats.cache_hits.values())

    assert [hits('a'), hits('a'), hits('b'), hits('b')] == [0, 1, 0, 1]


def test_an_empty_world_is_background():
    frame = make_renderer(GaussianCloud.concatenate([]), background=(0.0, 0.5, 1.0)).render(
        _camera()
    )
    np.testing.assert_array_equal(np.unique(frame.rgb.reshape(-1, 3), axis=0), [[0, 128, 255]])
    assert np.isinf(frame.depth).all()
    assert (frame.alpha == 0.0).all()


def test_looking_away_shows_background(random_cloud):
    camera = _camera(pose=_pose([0, 0, -8], (np.pi, 0, 0)))
    assert make_renderer(random_cloud(100)).render(camera).alpha.max() == 0.0


def test_shapes_and_types(random_cloud):
    frame = make_renderer(random_cloud(100)).render(_camera(37, 21))
    assert frame.rgb.shape == (21, 37, 3)
    assert frame.rgb.dtype == np.uint8
    assert frame.depth.shape == frame.alpha.shape == (21, 37)
    assert frame.depth.dtype == frame.alpha.dtype == np.float32


def test_preparing_drops_what_cannot_be_seen(random_cloud):
    cloud = random_cloud(700, seed=1)
    opacities = cloud.opacities.copy()
    opacities[::2] = 0.003
    prepared = prepare(GaussianCloud(cloud.means, cloud.quats, cloud.scales, opacities, cloud.sh))
    kept = np.sort(prepared.source_index[prepared.source_index >= 0])
    np.testing.assert_array_equal(kept, np.arange(1, 700, 2))
    assert prepared.means.shape[1] % BLOCK == 0


def test_bad_arguments_are_refused(random_cloud):
    cloud = random_cloud(10)
    with pytest.raises(RenderError, match=r'threads must lie in 1\.\.256, got 0'):
        make_renderer(cloud, threads=0)
    with pytest.raises(RenderError, match='background'):
        make_renderer(cloud, background=(0.0, 2.0, 0.0))
    with pytest.raises(RenderError, match="got 'metal'"):
        make_renderer(cloud, backend='metal')


def test_cuda_needs_a_gpu_and_says_so(random_cloud):
    torch = pytest.importorskip('torch', reason='torch is not installed')
    if torch.cuda.is_available():
        pytest.skip('this machine has a GPU')
    with pytest.raises(RenderError, match='backend cuda needs'):
        make_renderer(random_cloud(10), backend='cuda')


def test_cuda_parity(random_cloud):
    torch = pytest.importorskip('torch', reason='torch is not installed')
    pytest.importorskip('gsplat', reason='gsplat is not installed', exc_type=ImportError)
    if not torch.cuda.is_available():
        pytest.skip('no GPU that torch can use')
    cloud = random_cloud(1500, 2)
    ours = make_renderer(cloud, backend='reference').render(_camera())
    theirs = make_renderer(cloud, backend='cuda').render(_camera())
    difference = np.abs(ours.rgb.astype(int) - theirs.rgb.astype(int))
    assert difference.mean() <= 1.0
    assert (difference > 4).mean() <= 1e-2
