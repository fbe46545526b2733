"""The definition of a picture, by hand."""

import numpy as np
import pytest
from transforms3d.euler import euler2mat

from navbench_gs.errors import RenderError
from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.render.camera import rigid
from navbench_gs.render.constants import MAX_ALPHA
from navbench_gs.render.reference import footprints
from navbench_gs.splats import GaussianCloud, harmonics


def _camera(width=32, height=24, focal=20.0, pose=None):
    pose = np.eye(4) if pose is None else pose
    return RenderCamera(width, height, focal, focal, width / 2, height / 2, pose)


def _ball(x, y, z, sigma, opacity, colour):
    return GaussianCloud.from_rgb([[x, y, z]], [[1, 0, 0, 0]], [[sigma] * 3], [opacity], [colour])


def test_one_ball_by_hand():
    # Focal 20, centre (16, 12). A ball at depth 2 on the axis of the pixel centre (16.5, 12.5):
    # x = 0.5 * 2 / 20 = 0.05, likewise y. sigma = 0.2 m -> 20 * 0.2 / 2 = 2 pixels along y and
    # nearly so along x (tangent 0.025 adds its square, 6e-4). With the filter: 4 + 0.3.
    ball = _ball(0.05, 0.05, 2.0, 0.2, 0.8, (1.0, 0.5, 0.0))
    frame = make_renderer(ball, backend='reference', background=(0.0, 0.0, 0.0)).render(_camera())
    assert frame.alpha[12, 16] == pytest.approx(0.8, abs=1e-6)
    np.testing.assert_array_equal(frame.rgb[12, 16], [204, 102, 0])
    assert frame.depth[12, 16] == pytest.approx(2.0)
    # Two pixels to the right: 0.8 exp(-0.5 * 4 / 4.3006) = 0.502; still over one half.
    assert frame.alpha[12, 18] == pytest.approx(0.8 * np.exp(-2.0 / 4.3), abs=2e-3)
    assert frame.depth[12, 18] == pytest.approx(2.0)
    # Three: 0.8 exp(-4.5 / 4.3) = 0.281: no depth.
    assert frame.depth[12, 19] == np.inf


def test_two_layers_by_hand():
    # Half red in front of 0.6 blue, seen at both centres: red 0.5, blue 0.5 * 0.6 = 0.3, and
    # 0.5 * 0.4 = 0.2 of the 0.9 grey background: (0.68, 0.18, 0.48) * 255 = 173.4, 45.9, 122.4.
    # Light falls to 0.5 at the first: depth 1.
    front = _ball(0.025, 0.025, 1.0, 0.1, 0.5, (1, 0, 0))
    back = _ball(0.05, 0.05, 2.0, 0.2, 0.6, (0, 0, 1))
    cloud = GaussianCloud.concatenate([back, front])
    frame = make_renderer(cloud, backend='reference', background=(0.9, 0.9, 0.9)).render(_camera())
    np.testing.assert_array_equal(frame.rgb[12, 16], [173, 46, 122])
    assert frame.alpha[12, 16] == pytest.approx(0.8, abs=1e-6)
    assert frame.depth[12, 16] == pytest.approx(1.0)


def test_light_is_never_cut_below_the_limit():
    # Three opaque layers: 0.999 leaves 1e-3; the next would leave 1e-6 <= 1e-4 and is not drawn.
    layers = [_ball(0.025 * z, 0.025 * z, z, 0.1, 1.0, (1, 1, 1)) for z in (1.0, 2.0, 3.0)]
    cloud = GaussianCloud.concatenate(layers)
    frame = make_renderer(cloud, backend='reference').render(_camera())
    assert frame.alpha[12, 16] == pytest.approx(MAX_ALPHA, abs=1e-6)


def test_a_principal_point_off_centre_shifts_the_picture():
    ball = _ball(0.05, 0.05, 2.0, 0.1, 0.9, (1, 1, 1))
    camera = RenderCamera(32, 24, 20.0, 20.0, 16.0 - 5.0, 12.0 + 4.0, np.eye(4))
    moved = make_renderer(ball, backend='reference').render(camera)
    plain = make_renderer(ball, backend='reference').render(_camera())
    np.testing.assert_allclose(moved.alpha[4:, :-5], plain.alpha[:-4, 5:], atol=2e-3)


def test_what_is_nearer_than_the_near_plane_is_not_drawn():
    cloud = GaussianCloud.concatenate(
        [_ball(0, 0, 0.04, 0.1, 1, (1, 0, 0)), _ball(0, 0, -2, 0.1, 1, (0, 1, 0))]
    )
    assert make_renderer(cloud, backend='reference').render(_camera()).alpha.max() == 0.0


def test_colours_follow_the_direction_of_sight():
    # Only the coefficient of z: colour = 0.5 + C1 * direction_z * 0.5 for red.
    sh = np.zeros((1, 4, 3))
    sh[0, 2, 0] = 0.5
    cloud = GaussianCloud([[0, 0, 2]], [[1, 0, 0, 0]], [[0.1] * 3], [1.0], sh)
    ahead = footprints(cloud, _camera()).colours[0]
    np.testing.assert_allclose(ahead, [0.5 + 0.5 * harmonics.C1, 0.5, 0.5], atol=1e-7)
    pose = np.eye(4)
    pose[:3, :3] = euler2mat(np.pi, 0.0, 0.0)
    pose[:3, 3] = [0, 0, 4]
    behind = footprints(cloud, _camera(pose=pose)).colours[0]
    np.testing.assert_allclose(behind, [0.5 - 0.5 * harmonics.C1, 0.5, 0.5], atol=1e-7)


def test_a_bad_camera_is_refused():
    with pytest.raises(RenderError, match=r'1\.\.16384'):
        RenderCamera(0, 10, 1, 1, 0, 0, np.eye(4))
    with pytest.raises(RenderError, match='positive and finite'):
        RenderCamera(10, 10, -1, 1, 0, 0, np.eye(4))
    with pytest.raises(RenderError, match='finite'):
        RenderCamera(10, 10, 1, 1, 0, 0, np.full((4, 4), np.nan))
    for matrix in (np.diag([2.0, 2, 2, 1]), np.diag([1.0, 1, -1, 1]), np.diag([1.0, 1.01, 1, 1])):
        with pytest.raises(RenderError, match='camera pose must only rotate and shift'):
            RenderCamera(10, 10, 1, 1, 0, 0, matrix)


def test_a_rigid_pose_is_known_by_hand():
    # Scaled by 1 + e along one axis, R R^T is off by 2 e + e^2: 1e-3 is exceeded from e = 5e-4 on.
    assert (rigid(np.diag([1.0004, 1, 1, 1]), 'it') == np.diag([1.0004, 1, 1, 1])).all()
    turned = np.eye(4, dtype=np.float32)
    turned[:3, :3] = euler2mat(0.3, -1.0, 2.0)
    turned[:3, 3] = 1e4, -2.0, 0.5
    pose = rigid(turned, 'it')
    assert pose.dtype == np.float64
    turned[0, 3] = 7.0  # what the caller does with it afterwards is theirs
    assert pose[0, 3] == 1e4
    shear = np.eye(4)
    shear[0, 1] = 0.002
    for wrong in (np.diag([1.0006, 1, 1, 1]), shear, np.diag([-1.0, 1, 1, 1]), np.eye(3)):
        with pytest.raises(RenderError, match='it must'):
            rigid(wrong, 'it')


def test_field_of_view():
    # 90 degrees over 128 pixels: focal 64.
    camera = RenderCamera.from_fov(128, 96, np.pi / 2, np.eye(4))
    assert camera.fx == pytest.approx(64.0)
    assert (camera.cx, camera.cy) == (64.0, 48.0)
