"""Distorted lenses: points of light land where OpenCV's own projection puts them."""

import cv2
import numpy as np
import pytest

from navbench_gs.errors import RenderError
from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.render.lens import Lens
from navbench_gs.splats import GaussianCloud

GO2 = (-0.355, 0.102, -0.0016, -0.0012, 0.0)
"""Measured distortion of a Unitree Go2's front camera (1280x720, fx 864.4, fy 863.7)."""


def _lights(points):
    """Return small bright white gaussians at optical-frame points (pose = identity)."""
    count = len(points)
    return GaussianCloud(
        means=np.asarray(points, np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        scales=np.full((count, 3), 0.004, np.float32),
        opacities=np.full(count, 0.95, np.float32),
        sh=np.full((count, 1, 3), 1.77, np.float32),
    )


def _brightest(rgb, near):
    """Return the centroid of the light around a pixel, x and y with centres at integers."""
    x, y = (round(float(value)) for value in near)
    patch = rgb[y - 3 : y + 4, x - 3 : x + 4].astype(float).sum(axis=2)
    rows, columns = np.mgrid[y - 3 : y + 4, x - 3 : x + 4]
    return np.array([(columns * patch).sum(), (rows * patch).sum()]) / patch.sum()


@pytest.mark.parametrize(
    ('model', 'coefficients'),
    [('plumb_bob', GO2), ('plumb_bob', (0.1, -0.05, 0.0, 0.0)), ('equidistant', (0.02, 0, 0, 0))],
)
def test_lights_land_where_opencv_projects_them(model, coefficients):
    width, height, focal, centre = 320, 180, (216.1, 215.9), (160.3, 93.6)
    tangents = [(x, y) for x in (-0.55, -0.2, 0.0, 0.4) for y in (-0.3, 0.0, 0.25)]
    points = np.array([[2.0 * x, 2.0 * y, 2.0] for x, y in tangents])
    lens = Lens(width, height, focal, centre, model, coefficients)
    renderer = make_renderer(_lights(points), threads=1, background=(0.0, 0.0, 0.0))
    frame = lens.render(renderer, np.eye(4))
    matrix = np.array(
        [[focal[0], 0, centre[0] - 0.5], [0, focal[1], centre[1] - 0.5], [0, 0, 1.0]]
    )
    project = cv2.fisheye.projectPoints if model == 'equidistant' else cv2.projectPoints
    expected, _ = project(
        points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), matrix, np.array(coefficients, float)
    )
    found = np.array([_brightest(frame.rgb, pixel) for pixel in expected.reshape(-1, 2)])
    assert np.abs(found - expected.reshape(-1, 2)).max() < 0.12
    assert frame.rgb.shape == (height, width, 3)


def test_without_distortion_it_is_the_pinhole_picture(random_cloud):
    renderer = make_renderer(random_cloud(400, 0, seed=3), threads=1)
    pose = np.eye(4)
    pose[2, 3] = -4.0
    lens = Lens(90, 60, (70.0, 71.0), (45.0, 30.0), 'plumb_bob', (0.0, 0.0, 0.0, 0.0))
    bent = lens.render(renderer, pose)
    plain = renderer.render(RenderCamera(90, 60, 70.0, 71.0, 45.0, 30.0, pose))
    # The tables are float32: the interpolation weights differ from 0 and 1 by 1e-5.
    assert np.abs(bent.rgb.astype(int) - plain.rgb.astype(int)).max() <= 1
    assert np.array_equal(bent.depth, plain.depth)


def test_a_barrel_moves_light_inwards():
    """Under k1 < 0 a light moves inwards, by r k1 r^2 = 0.5 * -0.2 * 0.25 tangents."""
    renderer = make_renderer(_lights([[1.0, 0.0, 2.0]]), threads=1, background=(0, 0, 0))
    lens = Lens(200, 100, (100.0, 100.0), (100.0, 50.0), 'plumb_bob', (-0.2, 0.0, 0.0, 0.0))
    frame = lens.render(renderer, np.eye(4))
    # 0.5 (1 - 0.2 * 0.25) = 0.475 -> pixel 99.5 + 47.5 = 147.0, row 49.5.
    assert _brightest(frame.rgb, (147.0, 49.5)) == pytest.approx([147.0, 49.5], abs=0.1)


def test_rays_beyond_the_fold_are_black():
    """With k1 = -0.4 the radius turns at 42.4 degrees; the corners of a wide image see none."""
    behind = _lights([[0.0, 0.0, -2.0]])
    renderer = make_renderer(behind, threads=1, background=(1.0, 1.0, 1.0))
    lens = Lens(160, 160, (80.0, 80.0), (80.0, 80.0), 'plumb_bob', (-0.4, 0.0, 0.0, 0.0))
    frame = lens.render(renderer, np.eye(4))
    assert (frame.rgb[0, 0] == 0).all()
    assert np.isinf(frame.depth[0, 0])
    assert frame.alpha[0, 0] == 0.0
    assert (frame.rgb[80, 80] == 255).all()


@pytest.mark.parametrize(
    ('model', 'coefficients', 'focal', 'message'),
    [
        ('rational', (0.0,) * 8, (80.0, 80.0), 'got rational with 8'),
        ('plumb_bob', (0.0,) * 3, (80.0, 80.0), 'got plumb_bob with 3'),
        ('plumb_bob', (0.0, np.nan, 0.0, 0.0), (80.0, 80.0), 'finite'),
        ('plumb_bob', (0.0,) * 4, (0.0, 80.0), 'positive focal'),
        ('plumb_bob', (0.0,) * 4, (8.0, 8.0), 'at most 76 degrees'),
    ],
)
def test_lenses_that_cannot_be_drawn_are_refused(model, coefficients, focal, message):
    with pytest.raises(RenderError, match=message):
        Lens(160, 120, focal, (80.0, 60.0), model, coefficients)
