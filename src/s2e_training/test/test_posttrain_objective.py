"""Advantages, clipping, divergence and step size, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from s2e_training.posttrain.advantages import (
    ReturnScale,
    advantages,
    explained_variance,
    normalised,
    returns_to_end,
)
from s2e_training.posttrain.config import PPOConfig
from s2e_training.posttrain.curriculum import Curriculum, CurriculumConfig, Stage
from s2e_training.posttrain.history import FrameHistory
from s2e_training.posttrain.objective import StepSize, clipped_objective, divergence
from s2e_training.posttrain.update import minibatches


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def flags(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.bool)[:, None]


def test_advantages_by_hand() -> None:
    # gamma 0.9, lambda 0.5, no end. Deltas: 1 + 0.9 * 2 - 1 = 1.8; 0 + 0.9 * 3 - 2 = 0.7;
    # 2 + 0.9 * 4 - 3 = 2.6. Backwards with 0.45: 2.6; 0.7 + 1.17 = 1.87; 1.8 + 0.8415 = 2.6415.
    got = advantages(
        column(1, 0, 2), column(1, 2, 3), column(2, 3, 4), flags(0, 0, 0), flags(0, 0, 0),
        0.9, 0.5,
    )
    assert got[:, 0].tolist() == pytest.approx([2.6415, 1.87, 2.6], abs=1e-5)


def test_an_end_is_worth_nothing_and_a_time_out_is_bootstrapped() -> None:
    # The middle step ends its episode; what it led to would be worth 10.
    rewards, values, following = column(1, 1, 1), column(0, 0, 0), column(0, 10, 0)
    ended = advantages(rewards, values, following, flags(0, 1, 0), flags(0, 1, 0), 0.9, 0.5)
    # Deltas 1, 1, 1: the last does not reach the middle. 1 + 0.45 = 1.45, 1, 1.
    assert ended[:, 0].tolist() == pytest.approx([1.45, 1.0, 1.0])
    timed_out = advantages(rewards, values, following, flags(0, 0, 0), flags(0, 1, 0), 0.9, 0.5)
    # Middle: 1 + 0.9 * 10 = 10. First: 1 + 0.45 * 10 = 5.5.
    assert timed_out[:, 0].tolist() == pytest.approx([5.5, 10.0, 1.0])


def test_lambda_one_gives_discounted_sums() -> None:
    # 1 + 0.5 * (2 + 0.5 * (4 + 0.5 * 8)) - 3 = 1 + 0.5 * 6 - 3 = 1
    got = advantages(
        column(1, 2, 4), column(3, 5, 7), column(5, 7, 8), flags(0, 0, 0), flags(0, 0, 0), 0.5, 1.0
    )
    assert float(got[0, 0]) == pytest.approx(1.0)


def test_clipping_by_hand() -> None:
    ratio = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1], requires_grad=True)
    advantage = torch.tensor([2.0, -2.0, 2.0, -2.0, 1.0])
    got = clipped_objective(ratio, advantage, 0.2)
    # min(3, 2.4), min(-3, -2.4), min(1, 1.6), min(-1, -1.6), 1.1
    assert got.tolist() == pytest.approx([2.4, -3.0, 1.0, -1.6, 1.1])
    got.sum().backward()
    # No gradient where moving on would only widen a gain that is already clipped.
    assert ratio.grad is not None
    assert ratio.grad.tolist() == pytest.approx([0.0, -2.0, 2.0, 0.0, 1.0])


def test_divergence_by_hand_and_against_the_closed_form() -> None:
    # r = 2 and 1/2: (2 - 1 - ln 2 + 0.5 - 1 + ln 2) / 2 = 0.25
    assert float(divergence(torch.tensor([math.log(2), -math.log(2)]))) == pytest.approx(0.25)
    # KL(N(0, 1) || N(0.3, 1)) = 0.3^2 / 2 = 0.045
    x = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    log_ratio = -0.5 * (x - 0.3) ** 2 + 0.5 * x**2
    assert float(divergence(log_ratio)) == pytest.approx(0.045, abs=0.001)
    assert (torch.expm1(log_ratio) - log_ratio >= 0).all()


def test_the_step_follows_the_divergence() -> None:
    config = PPOConfig(rate=1e-4, rate_low=9e-5, rate_high=1.2e-4, target_kl=0.01)
    step = StepSize(config, config.rate)
    assert step.update(0.015) == 1e-4
    assert step.update(0.021) == 9e-5  # 6.7e-5, held at the lower limit
    assert step.update(0.004) == 1.2e-4  # 1.35e-4, held at the upper


def test_return_scale_is_that_of_all_returns_together() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(5.0, 3.0, size) for size in (10, 200, 33)]
    scale = ReturnScale()
    for part in parts:
        scale.update(torch.from_numpy(part))
    everything = np.concatenate(parts)
    assert scale.mean == pytest.approx(everything.mean())
    assert scale.deviation == pytest.approx(everything.std())
    value = torch.tensor([4.0])
    assert float(scale.restore(scale.normalise(value))) == pytest.approx(4.0)
    again = ReturnScale()
    again.load(scale.state())
    assert (again.mean, again.variance, again.count) == (scale.mean, scale.variance, scale.count)


def test_normalised_advantages_and_explained_variance() -> None:
    # Mean 2, deviation sqrt(2 / 3)
    got = normalised(torch.tensor([1.0, 2.0, 3.0])).tolist()
    assert got == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)
    assert normalised(torch.ones(3)).tolist() == [0.0, 0.0, 0.0]
    returns = torch.tensor([0.0, 2.0])
    # Residuals 0 and 1: variance 0.25 of 1.
    assert explained_variance(torch.tensor([0.0, 1.0]), returns) == pytest.approx(0.75)
    assert math.isnan(explained_variance(returns, torch.ones(2)))


def test_returns_to_the_end_by_hand() -> None:
    # Two robots, three steps, gamma 0.5. The first drives on: 3 + 0.5 * 4 = 5, 2 + 0.5 * 5 = 4.5,
    # 1 + 0.5 * 4.5 = 3.25. The second is cut by time after the first step, in a state worth 8,
    # 1 + 0.5 * 8 = 5, and arrives in the last, which is worth nothing more: 3, 2 + 0.5 * 3 = 3.5.
    rewards = torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    following = torch.tensor([[9.0, 8.0], [9.0, 9.0], [4.0, 9.0]])
    terminated = torch.tensor([[False, False], [False, False], [False, True]])
    done = terminated | torch.tensor([[False, True], [False, False], [False, False]])
    got = returns_to_end(rewards, following, terminated, done, 0.5)
    torch.testing.assert_close(got, torch.tensor([[3.25, 5.0], [4.5, 3.5], [5.0, 3.0]]))


def test_every_state_is_used_once() -> None:
    parts = list(minibatches(1000, 300, torch.Generator().manual_seed(0)))
    assert [len(p) for p in parts] == [334, 333, 333]
    assert sorted(torch.cat(parts).tolist()) == list(range(1000))


def test_the_curriculum_advances_when_enough_episodes_succeed() -> None:
    config = CurriculumConfig((Stage(people=0), Stage(people=5)), success=0.75, episodes=4)
    path = Curriculum(config)
    path.add([True, True, True])
    assert not path.advance()  # three of four
    path.add([False])
    assert path.advance() and path.stage.people == 5
    path.add([True] * 4)
    assert not path.advance()  # the last
    again = Curriculum(config)
    again.load(path.state())
    assert again.stage.people == 5


def test_windows_repeat_the_first_frame_and_begin_anew() -> None:
    def maps(*values: float) -> torch.Tensor:
        return torch.tensor(values).reshape(-1, 1)

    history = FrameHistory(3)
    history.begin(maps(1, 10))
    assert history.windows[:, :, 0].tolist() == [[1, 1, 1], [10, 10, 10]]
    history.push(maps(2, 20), torch.tensor([False, False]))
    assert history.following(maps(3, 30))[:, :, 0].tolist() == [[1, 2, 3], [10, 20, 30]]
    assert history.following(maps(30), torch.tensor([1]))[:, :, 0].tolist() == [[10, 20, 30]]
    history.push(maps(3, 99), torch.tensor([False, True]))
    assert history.windows[:, :, 0].tolist() == [[1, 2, 3], [99, 99, 99]]
