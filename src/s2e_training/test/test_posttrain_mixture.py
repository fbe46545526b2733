"""The density that PPO needs: worked out by hand, and against many samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from s2e_training.errors import TrainingError
from s2e_training.models.policy import Mixture
from s2e_training.posttrain.config import ExplorationConfig
from s2e_training.posttrain.entropy import FORMS, bhattacharyya, entropy
from s2e_training.posttrain.exploration import Exploration
from s2e_training.posttrain.mixture import (
    ActionMixture,
    component_entropy,
    cut,
    sample,
)
from s2e_training.posttrain.noise import Noise


def mixture_of(
    weights: list[float], means: list[list[float]], sigma: list[list[float]], rho: list[float]
) -> ActionMixture:
    """One row."""
    return ActionMixture(
        torch.log(torch.tensor([weights])) + 3.0, torch.tensor([means])[:, :, None],
        torch.log(torch.tensor([sigma]))[:, :, None], torch.tensor([rho])[:, :, None],
    )


def spread(seed: int = 0, modes: int = 4, apart: float = 0.5) -> ActionMixture:
    """A mixture whose modes overlap in part."""
    g = torch.Generator().manual_seed(seed)
    return ActionMixture(
        torch.randn(1, modes, generator=g), apart * torch.randn(1, modes, 1, 2, generator=g),
        -1.5 + 0.3 * torch.randn(1, modes, 1, 2, generator=g),
        0.4 * torch.tanh(torch.randn(1, modes, 1, generator=g)),
    )


def reference(mixture: ActionMixture) -> MixtureSameFamily:
    """The same by torch's own distributions."""
    sigma, rho = torch.exp(mixture.log_sigma[0, :, 0]), mixture.rho[0, :, 0]
    off = rho * sigma[:, 0] * sigma[:, 1]
    covariance = torch.stack([
        torch.stack([sigma[:, 0] ** 2, off], -1), torch.stack([off, sigma[:, 1] ** 2], -1)
    ], -2)
    modes = MultivariateNormal(mixture.mean[0, :, 0], covariance)
    return MixtureSameFamily(Categorical(logits=mixture.logits[0]), modes)


def fresh_noise(mixture: Mixture, seed: int) -> Noise:
    rows, modes = mixture.logits.shape
    return Noise.draw(rows, modes, torch.Generator().manual_seed(seed))


def test_log_probability_by_hand() -> None:
    # At (1, 0). Mode 1: weight 1/4, mean there, sigma 0.5 and 0.2, rho 0:
    #   density 1 / (2 pi 0.5 0.2) = 1.5915494
    # Mode 2: weight 3/4, mean (0, 0), sigma 1 and 1, rho 0.6: z = (1, 0),
    #   exponent -(1 / (1 - 0.36)) / 2 = -0.78125, factor 1 / (2 pi 0.8) = 0.1989437,
    #   density 0.1989437 * 0.4578333 = 0.0910830
    # log(0.3978874 + 0.0683123) = log 0.4661997
    mixture = mixture_of([0.25, 0.75], [[1, 0], [0, 0]], [[0.5, 0.2], [1, 1]], [0.0, 0.6])
    got = mixture.log_prob(torch.tensor([[[1.0, 0.0]]]))
    assert float(got) == pytest.approx(math.log(0.4661997), abs=1e-6)


def test_log_probability_agrees_with_torch() -> None:
    for seed in range(5):
        mixture = spread(seed)
        actions = torch.randn(50, 2, generator=torch.Generator().manual_seed(seed))
        wide = ActionMixture(*(part.expand(50, *part.shape[1:]) for part in mixture))
        expected = reference(mixture).log_prob(actions)
        torch.testing.assert_close(
            wide.log_prob(actions[:, None]), expected, rtol=1e-4, atol=1e-4
        )


def test_a_product_over_waypoints_by_hand() -> None:
    # One mode, two waypoints of unit sigma at 0, action (1, 0) and (0, 2):
    # -2 ln(2 pi) - 1 / 2 - 4 / 2 = -6.1757541; entropies add: 2 * 2.8378771.
    mixture = ActionMixture(
        torch.zeros(1, 1), torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2)
    )
    got = mixture.log_prob(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
    assert float(got) == pytest.approx(-6.1757541, abs=1e-5)
    assert float(component_entropy(mixture)) == pytest.approx(5.6757541, abs=1e-5)
    # Two such modes 2 m apart at both waypoints: 2 * 4 / 8 = 1.
    pair = ActionMixture(
        torch.zeros(1, 2), torch.tensor([0.0, 2.0])[None, :, None, None] * torch.tensor([1.0, 0.0])
        + torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2),
    )
    assert float(bhattacharyya(pair)[0, 0, 1]) == pytest.approx(1.0, abs=1e-5)


def network_answer(rows: int, seed: int = 0, modes: int = 3) -> Mixture:
    """The same random mixture over trajectories in every row."""
    g = torch.Generator().manual_seed(seed)

    def same(*shape: int) -> torch.Tensor:
        return torch.randn(1, *shape, generator=g).expand(rows, *shape)

    return Mixture(
        same(modes), same(modes, 10, 2), -1.0 + 0.2 * same(modes, 10, 2),
        0.5 * torch.tanh(same(modes, 10)), torch.ones(rows, modes),
    )


def test_samples_follow_the_density_they_are_judged_by() -> None:
    rows = 40_000
    mixture = network_answer(rows)
    drawn = sample(mixture, mixture.log_sigma, fresh_noise(mixture, 1))
    policy = cut(mixture, mixture.log_sigma, slice(2, 3))
    one = ActionMixture(*(part[:1] for part in policy))
    expected = reference(one)
    action = drawn[:, 2]
    # Four standard errors of the mean: spread / 200 each.
    error = action.std(dim=0) / math.sqrt(rows)
    assert ((action.mean(dim=0) - expected.mean).abs() < 4 * error).all()
    torch.testing.assert_close(action.var(dim=0), expected.variance, rtol=0.03, atol=0.0)
    covariance = float(torch.cov(action.T)[0, 1])
    # Cov = sum q (rho sx sy + mu mu') - mean mean'.
    q, mu = torch.softmax(one.logits[0], 0), one.mean[0, :, 0]
    s = torch.exp(one.log_sigma[0, :, 0])
    inner = one.rho[0, :, 0] * s[:, 0] * s[:, 1] + mu[:, 0] * mu[:, 1]
    wanted = float((q * inner).sum() - expected.mean.prod())
    assert covariance == pytest.approx(wanted, abs=0.02)


def test_one_normal_moves_the_whole_trajectory() -> None:
    # With rho 0 the normalised deviation is the same at every waypoint.
    mixture = network_answer(50)._replace(rho=torch.zeros(50, 3, 10))
    drawn = sample(mixture, mixture.log_sigma, fresh_noise(mixture, 2))
    z = (drawn[:, None] - mixture.mean) * torch.exp(-mixture.log_sigma)
    apart = (z - z[:, :, :1]).abs().amax(dim=(2, 3))
    assert (apart.amin(dim=1) < 1e-4).all()
    assert not (z[:, 0, 0, 0] - z[0, 0, 0, 0]).abs().max() < 0.1


def test_entropy_of_one_gaussian_by_hand() -> None:
    # ln(2 pi e) = 2.8378771, ln 0.5 + ln 0.2 = -2.3025851, ln(1 - 0.36) / 2 = -0.2231436
    mixture = mixture_of([1.0], [[1, 0]], [[0.5, 0.2]], [0.6])
    for form in ('upper', 'lower', 'pairwise'):
        got = entropy(form, mixture, torch.zeros(1), torch.ones(1))
        assert float(got) == pytest.approx(0.3121484, abs=1e-5), form
    assert float(component_entropy(mixture)[0, 0]) == pytest.approx(0.3121484, abs=1e-5)


def test_entropy_of_far_modes_by_hand() -> None:
    # Two equal Gaussians 100 sigma apart: the mode is seen in the action, so ln 2 is added.
    mixture = mixture_of([0.5, 0.5], [[0, 0], [10, 0]], [[0.1, 0.1]] * 2, [0.0, 0.0])
    alone = 2.8378771 + 2 * math.log(0.1)
    got = {f: float(entropy(f, mixture, torch.zeros(1), torch.ones(1))) for f in FORMS[:3]}
    assert got['lower'] == pytest.approx(alone, abs=1e-5)
    assert got['upper'] == pytest.approx(alone + math.log(2), abs=1e-5)
    assert got['pairwise'] == pytest.approx(alone + math.log(2), abs=1e-5)


def test_entropy_of_equal_modes_is_not_paid_for_their_number() -> None:
    mixture = mixture_of([0.5, 0.5], [[0, 0], [0, 0]], [[0.1, 0.1]] * 2, [0.0, 0.0])
    alone = 2.8378771 + 2 * math.log(0.1)
    pairwise = entropy('pairwise', mixture, torch.zeros(1), torch.ones(1))
    assert float(pairwise) == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize('apart', [0.05, 0.3, 2.0])
def test_bounds_enclose_the_entropy(apart: float) -> None:
    for seed in range(3):
        mixture = spread(seed, apart=apart)
        true = reference(mixture)
        torch.manual_seed(seed)
        drawn = true.sample((20_000,))
        log_prob = true.log_prob(drawn)
        truth, error = -float(log_prob.mean()), float(log_prob.std()) / math.sqrt(20_000)
        got = {f: float(entropy(f, mixture, torch.zeros(1), torch.ones(1))) for f in FORMS[:3]}
        assert got['lower'] <= got['pairwise'] + 1e-5
        assert got['pairwise'] <= truth + 4 * error
        assert truth - 4 * error <= got['upper']
        sampled = entropy('sampled', mixture, log_prob, torch.ones(20_000)).mean()
        assert float(sampled) == pytest.approx(truth, abs=1e-5)


def test_gradient_of_the_sampled_entropy_is_that_of_the_entropy() -> None:
    # One Gaussian: dH / d log sigma = 1 for each axis.
    log_sigma = torch.full((1, 1, 1, 2), -1.0, requires_grad=True)
    rows = 100_000
    z = torch.randn(rows, 2, generator=torch.Generator().manual_seed(0))
    actions = z * math.exp(-1.0)
    mixture = ActionMixture(
        torch.zeros(rows, 1), torch.zeros(rows, 1, 1, 2), log_sigma.expand(rows, 1, 1, 2),
        torch.zeros(rows, 1, 1),
    )
    log_prob = mixture.log_prob(actions[:, None])
    ratio = (log_prob - log_prob.detach()).exp()
    entropy('sampled', mixture, log_prob, ratio).mean().backward()
    assert log_sigma.grad is not None
    np.testing.assert_allclose(log_sigma.grad.numpy().ravel(), [1.0, 1.0], atol=0.03)


def test_distance_of_two_gaussians_by_hand() -> None:
    # sigma 1 and 1 at (0, 0); 2 and 1 at (2, 0). Mean covariance diag(2.5, 1):
    # 4 / 2.5 / 8 + ln(2.5 / sqrt(1 * 4)) / 2 = 0.2 + 0.1115718
    mixture = mixture_of([0.5, 0.5], [[0, 0], [2, 0]], [[1, 1], [2, 1]], [0.0, 0.0])
    distance = bhattacharyya(mixture)[0]
    assert distance[0, 1] == pytest.approx(0.3115718, abs=1e-6)
    assert distance[1, 0] == distance[0, 1]
    assert distance.diagonal().abs().max() < 1e-6


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(TrainingError, match='entropy must be one of'):
        entropy('guess', spread(), torch.zeros(1), torch.ones(1))


def test_exploring_sigma_has_a_floor_and_leaves_the_head_alone() -> None:
    mixture = network_answer(1)
    head = torch.full((1, 3, 10, 2), math.log(0.05), requires_grad=True)
    mixture = mixture._replace(log_sigma=head)
    widen = Exploration(ExplorationConfig(floor=0.03, start=0.0))
    # 0.03 + 0.05
    assert float(widen(mixture).detach()[0, 0, 0, 0].exp()) == pytest.approx(0.08, abs=1e-6)
    widen(mixture).sum().backward()
    assert head.grad is None
    assert widen.offset.grad is not None and bool(widen.offset.grad.all())
    through = Exploration(ExplorationConfig(head_gradient=True))
    through(mixture).sum().backward()
    assert head.grad is not None
    # The term is held within its limits: 0.03 + 0.05 e.
    with torch.no_grad():
        widen.offset.fill_(9.0)
    sigma = float(widen(mixture).detach()[0, 0, 0, 0].exp())
    assert sigma == pytest.approx(0.03 + 0.05 * math.e, abs=1e-5)


def test_temperature_by_hand() -> None:
    """Scores ln 3 and 0 are 0.75 and 0.25; at 0.5 they are 9 and 1 tenths, and order stays."""
    mixture = network_answer(1)._replace(logits=torch.tensor([[math.log(3.0), 0.0]]))
    half = Exploration(ExplorationConfig(temperature=0.5)).tempered(mixture)
    assert torch.softmax(half.logits, -1)[0].tolist() == pytest.approx([0.9, 0.1])
    plain = Exploration(ExplorationConfig()).tempered(mixture)
    assert torch.softmax(plain.logits, -1)[0].tolist() == pytest.approx([0.75, 0.25])
