"""The judge of boundary cases: hand-computed pixels, and pictures that it must refuse."""

from dataclasses import replace

import numpy as np
import pytest
from parity import assert_same, doubtful_pixels
from roundings import Roundings

from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.splats import GaussianCloud

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
SKY = np.array([0.62, 0.71, 0.82])
# Pixel (10, 8) looks along the axis, where a gaussian's coverage is its opacity.
CAMERA = RenderCamera(21, 17, 20.0, 20.0, 10.5, 8.5, np.eye(4))


def _splats(*splats):
    """Return gaussians on the axis from their depth, opacity and colour."""
    depths, opacities, colours = zip(*splats, strict=True)
    return GaussianCloud.from_rgb(
        [[0.0, 0.0, depth] for depth in depths],
        [[1.0, 0.0, 0.0, 0.0]] * len(splats),
        [[0.1] * 3] * len(splats),
        opacities,
        colours,
    )


def _outcomes(*splats):
    return Roundings(_splats(*splats), CAMERA).outcomes(10, 8)


def test_one_outcome_where_nothing_is_near_a_boundary():
    (outcome,) = _outcomes((2.0, 0.25, RED), (3.0, 0.75, BLUE))
    # 0.25 red, 0.75 * 0.75 blue, 0.1875 sky; half of the light is gone at the second.
    expected = 0.25 * np.array(RED) + 0.5625 * np.array(BLUE) + 0.1875 * SKY
    assert outcome.colour == pytest.approx(expected, abs=1e-6)
    assert outcome.alpha == pytest.approx(0.8125)
    assert outcome.depth == 3.0


def test_equal_depths_may_lie_either_way():
    step = 2.0 * (1.0 + 1e-7)
    found = _outcomes((2.0, 0.6, RED), (step, 0.25, BLUE))
    # Red first: 0.6 red, 0.4 * 0.25 blue; blue first: 0.25 blue, 0.75 * 0.6 red. 0.3 sky.
    reds = sorted(outcome.colour[0] - 0.3 * SKY[0] for outcome in found)
    assert reds == pytest.approx([0.45, 0.6], abs=1e-6)
    assert len(_outcomes((2.0, 0.6, RED), (2.001, 0.25, BLUE))) == 1


def test_a_coverage_at_the_limit_may_be_drawn_or_not():
    found = _outcomes((2.0, 1.0 / 255.0, RED))
    assert sorted(outcome.alpha for outcome in found) == pytest.approx([0.0, 1.0 / 255.0])
    assert [outcome.alpha for outcome in _outcomes((2.0, 1.001 / 255.0, RED))] != [0.0]
    assert [outcome.alpha for outcome in _outcomes((2.0, 0.999 / 255.0, RED))] == [0.0]
    assert len(_outcomes((2.0, 1.001 / 255.0, RED))) == 1


def test_a_gaussian_that_leaves_the_least_light_may_end_the_pixel_or_not():
    # 1 - 0.999 (the cap), then a tenth of it: 0.0001.
    found = _outcomes((2.0, 1.0, RED), (3.0, 0.9, BLUE))
    assert sorted(outcome.alpha for outcome in found) == pytest.approx([0.999, 0.9999])
    assert len(_outcomes((2.0, 1.0, RED), (3.0, 0.89, BLUE))) == 1


def test_half_of_the_light_may_be_gone_or_not():
    assert {outcome.depth for outcome in _outcomes((2.0, 0.5, RED))} == {2.0, np.inf}
    found = _outcomes((2.0, 0.5, RED), (3.0, 0.25, BLUE))
    assert {outcome.depth for outcome in found} == {2.0, 3.0}
    assert {outcome.depth for outcome in _outcomes((2.0, 0.501, RED))} == {2.0}


def test_a_wrong_pixel_is_refused_however_few_they_are(random_cloud):
    cloud = random_cloud(400, 1, seed=3)
    pose = np.eye(4)
    pose[2, 3] = -4.0
    camera = RenderCamera(60, 40, 40.0, 40.0, 30.0, 20.0, pose)
    exact = make_renderer(cloud, backend='reference').render(camera)
    assert_same(exact, exact, cloud, camera)
    row, column = np.unravel_index(np.argmax(exact.alpha), exact.alpha.shape)
    faults = {'rgb': 3, 'alpha': -2e-3, 'depth': 0.001}
    for name, change in faults.items():
        values = getattr(exact, name).copy()
        values[row, column] = values[row, column] + change
        wrong = replace(exact, **{name: values})
        assert doubtful_pixels(exact, wrong).sum() == 1
        with pytest.raises(AssertionError, match=f'pixel \\({column}, {row}\\) is no boundary'):
            assert_same(exact, wrong, cloud, camera)


def test_the_other_order_of_equal_depths_is_taken_and_of_different_depths_refused():
    for gap, same in ((0.0, True), (1e-3, False)):
        cloud = _splats((2.0, 0.6, RED), (2.0 + gap, 0.25, BLUE))
        turned = _splats((2.0, 0.25, BLUE), (2.0 + gap, 0.6, RED))
        camera = RenderCamera(1, 1, 20.0, 20.0, 0.5, 0.5, np.eye(4))
        exact = make_renderer(cloud, backend='reference').render(camera)
        other = make_renderer(turned, backend='reference').render(camera)
        levels = np.abs(exact.rgb.astype(float) - other.rgb).mean()
        # 0.15 of 255 in red and in blue, whichever of the two lies in front.
        assert levels == pytest.approx(2 * 0.15 * 255 / 3, abs=1.0)
        # Among empty pixels: a picture of boundary cases alone is refused for their number.
        frames = [_in_a_corner(frame) for frame in (exact, other)]
        wide = RenderCamera(40, 40, 20.0, 20.0, 0.5, 0.5, np.eye(4))
        if same:
            assert_same(*frames, cloud, wide)
        else:
            with pytest.raises(AssertionError, match='no boundary case'):
                assert_same(*frames, cloud, wide)


def _in_a_corner(frame):
    """Return a 40x40 frame that is empty but for its first pixel."""
    rgb, depth = np.zeros((40, 40, 3), np.uint8), np.full((40, 40), np.inf, np.float32)
    alpha = np.zeros((40, 40), np.float32)
    rgb[0, 0], depth[0, 0], alpha[0, 0] = frame.rgb[0, 0], frame.depth[0, 0], frame.alpha[0, 0]
    return replace(frame, rgb=rgb, depth=depth, alpha=alpha)
