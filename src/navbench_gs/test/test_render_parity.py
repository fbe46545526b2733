"""The CPU renderer draws what the reference draws: clouds, lenses, groups, anywhere."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parity import MOST_BOUNDARY, ComparedRenderer, assert_parity, doubtful_pixels
from transforms3d.axangles import axangle2mat
from transforms3d.euler import euler2mat

from navbench_gs.render import DynamicGroup, RenderCamera, make_renderer
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.lens import Lens
from navbench_gs.splats import GaussianCloud


def _pose(position, angles=(0.0, 0.0, 0.0)):
    pose = np.eye(4)
    pose[:3, :3] = euler2mat(*angles)
    pose[:3, 3] = position
    return pose


def _camera(width=100, height=70, focal=60.0, pose=None, **lens):
    centre = {'cx': width / 2, 'cy': height / 2} | lens
    pose = _pose([0, 0, -4]) if pose is None else pose
    return RenderCamera(width, height, focal, focal, pose=pose, **centre)


@pytest.mark.parametrize('degree', [0, 1, 2, 3])
def test_parity_on_random_clouds(random_cloud, degree):
    assert_parity(random_cloud(1500, degree, seed=degree), _camera())


@pytest.mark.parametrize(
    'camera',
    [
        _camera(128, 128, 64.0, _pose([0.2, 0.1, 0.0], (0.3, 0.2, -0.4))),
        _camera(33, 65, 40.0),
        _camera(1, 1, 5.0),
        _camera(90, 50, 45.0, cx=20.0, cy=60.0),
        RenderCamera(128, 128, 64.0, 85.333, 64.0, 64.0, _pose([0, 0, -3])),
        _camera(64, 48, 300.0),
        _camera(80, 60, 8.0, _pose([0.5, 0.0, 0.2])),
    ],
    ids=['inside', 'odd size', 'one pixel', 'off centre', 'squeezed', 'long lens', 'very wide'],
)
def test_parity_on_odd_cameras(random_cloud, camera):
    assert_parity(random_cloud(1200, 0, seed=7), camera)


def test_parity_on_needles_and_plates(random_cloud):
    cloud = random_cloud(800, 0, seed=11)
    rng = np.random.default_rng(0)
    scales = np.exp(rng.uniform(-9, 0.5, (800, 3)))
    extreme = GaussianCloud(cloud.means, cloud.quats, scales, cloud.opacities, cloud.sh)
    assert_parity(extreme, _camera())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10**6),
    position=st.tuples(*[st.floats(-2, 2)] * 3),
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    focal=st.floats(5, 200),
    centre=st.tuples(st.floats(-100, 150), st.floats(-100, 150)),
)
def test_nothing_that_the_reference_shows_is_culled(
    random_cloud, seed, position, angles, focal, centre
):
    # Many blocks, so that culling has something to get wrong.
    cloud = random_cloud(BLOCK * 3, 0, seed=seed)
    cx, cy = centre
    camera = _camera(48, 40, focal, _pose(position, angles), cx=cx, cy=cy)
    exact = make_renderer(cloud, backend='reference').render(camera)
    fast = make_renderer(cloud, threads=1).render(camera)
    assert (np.abs(exact.alpha - fast.alpha) > 0.02).mean() <= 2e-3


@pytest.mark.parametrize(
    'name', ['train-1000 0', 'train-1000 1', 'train-1000 2', 'garden 0', 'garden 1', 'garden 3']
)
def test_parity_on_real_points(render_view, name):
    assert_parity(*render_view(name))


@pytest.mark.parametrize(
    ('cx', 'cy'), [(-80.0, 35.0), (50.0, 200.0), (170.0, -60.0), (-150.0, -120.0)]
)
def test_parity_with_the_principal_point_outside_the_image(random_cloud, cx, cy):
    world, person = random_cloud(1500, 1, seed=3), random_cloud(300, 2, seed=4, spread=0.3)
    # Turned so that the ray through the image's middle meets the cloud, 4 m ahead.
    ray = np.array([(50.0 - cx) / 60.0, (35.0 - cy) / 60.0, 1.0])
    axis = np.cross(ray, [0.0, 0.0, 1.0])
    pose = np.eye(4)
    pose[:3, :3] = axangle2mat(axis, np.arccos(1.0 / np.linalg.norm(ray)))
    pose[2, 3] = -4.0
    camera = _camera(pose=pose, cx=cx, cy=cy)
    assert_parity(world, camera, [DynamicGroup(person, _pose([0.3, -0.2, 0.1], (0.4, 0.5, 0.6)))])


@pytest.mark.parametrize(
    ('model', 'coefficients', 'centre'),
    [
        ('plumb_bob', (-0.355, 0.102, -0.0016, -0.0012, 0.0), (50.0, 35.0)),
        ('plumb_bob', (0.1, -0.05, 0.01, -0.01), (-20.0, 80.0)),
        ('equidistant', (0.02, -0.01, 0.0, 0.0), (50.0, 75.0)),
    ],
    ids=['barrel', 'centre outside', 'fisheye'],
)
def test_parity_through_lenses_with_groups(random_cloud, model, coefficients, centre):
    """The lens asks for a larger pinhole picture, compared here, and bends both alike."""
    world, person = random_cloud(1500, 1, seed=8), random_cloud(300, 0, seed=9, spread=0.3)
    lens = Lens(100, 70, (70.0, 70.0), centre, model, coefficients)
    pose, group = _pose([0, 0, -3]), [DynamicGroup(person, _pose([0.3, -0.2, -1.0], (0, 0.5, 0)))]
    exact = lens.render(make_renderer(world, backend='reference'), pose, group)
    fast = lens.render(ComparedRenderer(world), pose, group)
    assert doubtful_pixels(exact, fast).mean() <= MOST_BOUNDARY


def test_a_group_is_drawn_as_if_it_were_part_of_the_world(random_cloud):
    world = random_cloud(800, 1, seed=1)
    person = random_cloud(300, 2, seed=2, spread=0.3)
    pose = _pose([0.3, -0.2, -1.0], (0.4, 0.5, 0.6))
    camera = _camera()
    apart = make_renderer(world, threads=1).render(camera, [DynamicGroup(person, pose)])
    joined = GaussianCloud.concatenate([world, person.transformed(pose)])
    together = make_renderer(joined, threads=1).render(camera)
    difference = np.abs(apart.rgb.astype(int) - together.rgb.astype(int))
    assert difference.mean() < 0.1
    assert (difference > 4).mean() <= 2e-3
    assert_parity(world, camera, [DynamicGroup(person, pose)])
