"""The loss, with likelihoods and assignments computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from s2e_training.models.agdm import (
    LossConfig,
    agdm_loss,
    assign,
    mean_speed,
    negative_log_likelihood,
)
from s2e_training.models.anchors import cluster_anchors, fan_anchors
from s2e_training.models.policy import Mixture

ANCHORS = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [0.0, -3.0], [1.0, 0.0]])


def line(x: float, y: float) -> torch.Tensor:
    """Ten equal steps to an end point. [1, 10, 2]"""
    steps = torch.arange(1, 11)[:, None] / 10
    return (steps * torch.tensor([[x, y]]))[None]


def nll(mean, log_sigma, rho, target) -> float:
    shape = [torch.tensor([[v]]) for v in (mean, log_sigma, target)]
    return float(negative_log_likelihood(shape[0], shape[1], torch.tensor([[rho]]), shape[2]))


def test_likelihood_at_the_mean() -> None:
    # log(2 pi sx sy sqrt(1 - r^2)) with sx = 1, sy = 2, r = 0: 1.8379 + 0.6931
    got = nll([0.0, 0.0], [0.0, math.log(2.0)], 0.0, [0.0, 0.0])
    assert got == pytest.approx(1.837877 + 0.693147, abs=1e-5)


def test_likelihood_one_sigma_away() -> None:
    # z = (1, 1): adds (1 + 1) / 2 = 1
    got = nll([0.0, 0.0], [0.0, math.log(2.0)], 0.0, [1.0, 2.0])
    assert got == pytest.approx(1.837877 + 0.693147 + 1.0, abs=1e-5)


def test_likelihood_with_correlation() -> None:
    # r = 0.5, z = (1, 1): (1 + 1 - 2 * 0.5) / (2 * 0.75) = 0.66667; 0.5 log 0.75 = -0.14384
    got = nll([0.0, 0.0], [0.0, 0.0], 0.5, [1.0, 1.0])
    assert got == pytest.approx(1.837877 + 0.666667 - 0.143841, abs=1e-5)
    # z = (1, -1): (1 + 1 + 1) / 1.5 = 2: against the correlation is less likely
    got = nll([0.0, 0.0], [0.0, 0.0], 0.5, [1.0, -1.0])
    assert got == pytest.approx(1.837877 + 2.0 - 0.143841, abs=1e-5)


def test_likelihood_is_a_density_in_metres() -> None:
    """It integrates to one over the plane, so that it can be compared between models."""
    axis = torch.linspace(-6, 6, 241)
    grid = torch.cartesian_prod(axis, axis)
    log_sigma = torch.log(torch.tensor([[0.7, 0.5]])).expand(len(grid), 2)
    value = negative_log_likelihood(
        torch.tensor([[0.2, -0.1]]).expand(len(grid), 2), log_sigma, torch.full((len(grid),), 0.4),
        grid,
    )
    assert float(torch.exp(-value).sum() * 0.05**2) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ('end', 'mode'),
    [
        ((2.0, 0.1), 1),  # nearly ahead: both forward anchors fit, reach 2 is 1 m from each; first
        ((0.9, 0.0), 4),  # ahead and short
        ((0.1, 1.0), 2),  # left
        ((0.1, -1.0), 3),  # right
        ((0.1, 0.1), 0),  # 0.14 m in 2 s: stands still
        ((-1.0, -0.9), 3),  # behind: -138 deg is nearest to -90
    ],
)
def test_assignment_by_direction(end: tuple[float, float], mode: int) -> None:
    assert int(assign(ANCHORS, line(*end))) == mode


def test_assignment_by_distance_differs() -> None:
    # (2.4, 0.9) lies 1.08 m from (3, 0) and 1.66 m from (1, 0); (0.4, 0.7): 0.92 m from (1, 0),
    # and 60 deg, nearer to the left anchor's 90 than to 0.
    trajectory = line(0.4, 0.7)
    assert int(assign(ANCHORS, trajectory, 'distance')) == 4
    assert int(assign(ANCHORS, trajectory, 'direction')) == 2


def test_mean_speed_is_path_length_over_time() -> None:
    assert float(mean_speed(line(3.0, 0.0))) == pytest.approx(1.5)  # 3 m in 2 s
    there_and_back = torch.cat([line(1.0, 0.0)[:, :5], line(1.0, 0.0)[:, :5].flip(1)], dim=1)
    # 0.5 m out, then 0 and four steps of 0.1 m back: 0.9 m in 2 s
    assert float(mean_speed(there_and_back)) == pytest.approx(0.45, abs=1e-6)


def mixture(mean: torch.Tensor, log_sigma: float, rho: float) -> Mixture:
    m = len(ANCHORS)
    means = mean[:, None].expand(-1, m, -1, -1).clone().requires_grad_()
    return Mixture(
        torch.zeros(1, m, requires_grad=True), means, torch.full((1, m, 10, 2), log_sigma),
        torch.full((1, m, 10), rho), torch.ones(1, m, requires_grad=True),
    )


def test_loss_adds_up() -> None:
    target = line(3.0, 0.0)
    loss = agdm_loss(mixture(target, 0.0, 0.0), ANCHORS, target, LossConfig())
    # score: log 5; speed: (1 - 1.5)^2; likelihood: log 2 pi per waypoint, ten of them by 0.1
    assert float(loss['score'].detach()) == pytest.approx(math.log(5))
    assert float(loss['speed'].detach()) == pytest.approx(0.25)
    expected = math.log(5) + 0.5 * 0.25 + 1.837877
    assert float(loss['total'].detach()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('log_sigma', [-3.0, 1.1])
@pytest.mark.parametrize('rho', [-0.5, 0.5])
def test_gradients_are_finite_at_the_clamps(log_sigma: float, rho: float) -> None:
    answer = mixture(line(3.0, 0.0), log_sigma, rho)
    loss = agdm_loss(answer, ANCHORS, line(-2.0, 2.0), LossConfig())['total']
    loss.backward()
    assert answer.mean.grad is not None
    assert torch.isfinite(answer.mean.grad).all()
    assert torch.isfinite(loss)


def test_anchors_from_data() -> None:
    rng = np.random.default_rng(0)
    ends = np.concatenate([rng.normal((3, 0), 0.05, (50, 2)), rng.normal((2, 2), 0.05, (50, 2))])
    trajectories = ends[:, None] * (np.arange(1, 11) / 10)[None, :, None]
    anchors = cluster_anchors(trajectories, 4, seed=0)
    assert anchors[0].tolist() == [0.0, 0.0]
    # The data is mirrored: left, ahead, right.
    np.testing.assert_allclose(anchors[1:], [[2, 2], [3, 0], [2, -2]], atol=0.05)
    assert np.array_equal(anchors, cluster_anchors(trajectories, 4, seed=0))


def test_fan_is_symmetric_and_as_long_as_the_drive() -> None:
    fan = fan_anchors(8, 1.0)
    np.testing.assert_allclose(fan[1:, 1], -fan[:0:-1, 1], atol=1e-6)
    # The middle arc is straight: 1 m/s for 2 s.
    np.testing.assert_allclose(fan[4], [2.0, 0.0], atol=1e-6)
