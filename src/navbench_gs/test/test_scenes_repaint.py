"""Painted scenes: other colours, the same shapes, patterns that stay on their surfaces."""

from __future__ import annotations

import numpy as np
import pytest

from navbench_gs.scenes.repaint import PATCHES, TABLE, PaintConfig, repaint
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.harmonics import C0


def cloud(means: np.ndarray, grey: float = 0.4) -> GaussianCloud:
    count = len(means)
    return GaussianCloud.from_rgb(
        means, np.tile([1.0, 0, 0, 0], (count, 1)), np.full((count, 3), 0.05),
        np.full(count, 0.9), np.full((count, 3), grey),
    )


def colours(scene: GaussianCloud) -> np.ndarray:
    return 0.5 + C0 * scene.sh[:, 0]


def test_shapes_stay_and_equal_seeds_paint_alike() -> None:
    scene = cloud(np.random.default_rng(0).uniform(-5, 5, (500, 3)))
    config = PaintConfig(hue=1.0, grain=0.5, patches=0.5)
    one, same, other = (repaint(scene, config, np.random.default_rng(k)) for k in (1, 1, 2))
    for name in ('means', 'quats', 'scales', 'opacities'):
        assert np.array_equal(getattr(one, name), getattr(scene, name))
    assert np.array_equal(one.sh, same.sh)
    assert np.abs(colours(one) - colours(other)).mean() > 0.02
    assert colours(one).min() >= -1e-6
    assert colours(one).max() <= 1.0 + 1e-6


def test_a_patch_has_one_colour_and_its_neighbour_another() -> None:
    # Ten points in one cell of 0.2 m, ten 5 m away: no common cell of any size.
    near = np.full((10, 3), 0.1) + np.random.default_rng(0).uniform(-0.05, 0.05, (10, 3))
    scene = cloud(np.concatenate([near, near + [5.0, 0.0, 0.0]]))
    painted = colours(repaint(scene, PaintConfig(patches=1.0), np.random.default_rng(0)))
    assert np.ptp(painted[:10], axis=0).max() < 1e-5
    assert np.abs(painted[0] - painted[10]).max() > 0.02


def test_the_sky_keeps_its_colours_and_grey_has_no_hue() -> None:
    ground = np.random.default_rng(0).uniform(-5, 5, (50, 3))
    scene = cloud(np.concatenate([ground, [[0.0, 0.0, 500.0]]]))
    painted = colours(repaint(scene, PaintConfig(hue=3.0, grain=1.0), np.random.default_rng(0)))
    np.testing.assert_allclose(painted[-1], 0.4, atol=1e-6)
    turned = colours(repaint(scene, PaintConfig(hue=3.0), np.random.default_rng(0)))
    np.testing.assert_allclose(turned, 0.4, atol=1e-6)


def test_grain_is_as_strong_as_it_says() -> None:
    scene = cloud(np.random.default_rng(0).uniform(-5, 5, (20_000, 3)), grey=0.1)
    rng = np.random.default_rng(3)
    painted = colours(repaint(scene, PaintConfig(grain=0.4), rng))
    rng = np.random.default_rng(3)
    rng.uniform()  # the hue
    for _ in PATCHES:
        rng.uniform()
        rng.standard_normal((TABLE, 1 + 3))
    strength = rng.uniform(0.0, 0.4)
    # Brightness and channel are independent: variance s^2 (1 + 0.2^2).
    spread = np.log(painted / 0.1)[painted < 0.999].std()
    assert spread == pytest.approx(strength * np.sqrt(1.04), rel=0.05)


def test_nothing_is_active_by_itself() -> None:
    assert not PaintConfig().active
    assert PaintConfig(hue=0.1).active
