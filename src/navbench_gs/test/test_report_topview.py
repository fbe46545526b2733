"""The view from above and the ellipses of a film."""

from __future__ import annotations

import math

import numpy as np

from navbench_gs.report import ink
from navbench_gs.report.topview import TRUTH, draw_topview
from navbench_gs.report.uncertainty import ellipse
from s2e_core.contract import PolicyOutput


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a colour is, within 12 of 255."""
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 12).nonzero()


def test_half_of_a_gaussian_lies_inside() -> None:
    """Radius sqrt(2 ln 2) = 1.17741; of a million draws half are inside to 0.2 %."""
    outline = ellipse(np.array([3.0, -1.0]), np.array([1.0, 1.0]), 0.0)
    np.testing.assert_allclose(np.hypot(*(outline - (3.0, -1.0)).T), 1.17741, atol=1e-5)
    rng, rho, sigma = np.random.default_rng(0), 0.4, np.array([0.5, 0.2])
    covariance = [[0.25, rho * 0.1], [rho * 0.1, 0.04]]
    draws = rng.multivariate_normal([0, 0], covariance, 1_000_000)
    bearing = np.arctan2(*(ellipse(np.zeros(2), sigma, rho, 2000) / sigma).T[::-1])
    reach = np.hypot(*(ellipse(np.zeros(2), sigma, rho, 2000) / sigma).T)
    order = np.argsort(bearing)
    scaled = draws / sigma
    limit = np.interp(np.arctan2(scaled[:, 1], scaled[:, 0]), bearing[order], reach[order])
    assert abs((np.hypot(*scaled.T) < limit).mean() - 0.5) < 2e-3


def test_left_is_left_and_ahead_is_up() -> None:
    """The top mode goes ahead, the truth left, the goal lies right and out of view."""
    reach = 0.3 * np.arange(1, 11)
    ahead = np.stack([reach, 0 * reach], axis=1)
    left = np.stack([0 * reach, 0.3 * reach], axis=1)
    output = PolicyOutput(0, ahead[None], np.ones(1, np.float32))
    picture = draw_topview(output, 0, np.array([0.0, -50.0]), left, 200)
    rows, columns = has(picture, ink.CHOSEN)
    assert rows.min() < 40
    assert abs(columns.mean() - 100) < 5
    assert has(picture, TRUTH)[1].mean() < 95
    assert has(picture, ink.GOAL)[1].min() > 180


def test_wild_answers_are_drawn_without_a_word() -> None:
    modes = np.full((2, 10, 2), math.inf)
    modes[0] = 0.0
    output = PolicyOutput(0, modes, np.array([1.0, 0.0], np.float32))
    assert draw_topview(output, 0, None, None, 90).shape == (90, 90, 3)
