"""Draws that resemble those before them, each alone like an independent one."""

from __future__ import annotations

import math

import pytest
import torch

from s2e_training.posttrain.noise import Noise

ROWS = 20_000


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_gumbel_numbers_by_hand() -> None:
    # Phi(0) = 1/2: -ln(-ln 0.5) = -ln 0.6931472 = 0.3665129.
    # Phi(1.2815516) = 0.9: -ln(0.1053605) = 2.2503673.
    noise = Noise(torch.tensor([[0.0, 1.2815516]]), torch.zeros(1, 2))
    torch.testing.assert_close(noise.gumbel, torch.tensor([[0.3665129, 2.2503673]]))
    assert torch.isfinite(Noise(torch.tensor([[-40.0, 40.0]]), torch.zeros(1, 2)).gumbel).all()


@pytest.mark.parametrize('memory', [0.0, 0.8])
def test_each_step_draws_modes_by_their_scores(memory: float) -> None:
    scores = torch.tensor([0.6, 0.3, 0.1]).log()
    g = generator()
    noise = Noise.draw(ROWS, 3, g)
    for _ in range(5):
        noise = noise.following((memory, memory), torch.zeros(ROWS, dtype=torch.bool), g)
    share = torch.bincount((scores + noise.gumbel).argmax(1), minlength=3) / ROWS
    # Four standard errors: 4 sqrt(0.6 * 0.4 / 20000) = 0.0139.
    torch.testing.assert_close(share, torch.tensor([0.6, 0.3, 0.1]), atol=0.014, rtol=0.0)
    assert float(noise.normal.std()) == pytest.approx(1.0, abs=0.02)


def test_neighbouring_steps_correlate_as_told() -> None:
    g = generator()
    first = Noise.draw(ROWS, 4, g)
    then, none = first, torch.zeros(ROWS, dtype=torch.bool)
    for lag in (1, 2):
        then = then.following((0.8, 0.3), none, g)
        # Correlation r^lag, its standard error below 1 / sqrt(20000) = 0.007.
        for part, r in (('modes', 0.8), ('normal', 0.3)):
            both = torch.stack([getattr(first, part)[:, 0], getattr(then, part)[:, 0]])
            assert float(torch.corrcoef(both)[0, 1]) == pytest.approx(r**lag, abs=0.03)


def test_a_new_episode_remembers_nothing() -> None:
    g = generator()
    first = Noise(torch.full((2, 3), 5.0), torch.full((2, 2), 5.0))
    then = first.following((0.99, 0.99), torch.tensor([False, True]), g)
    # 0.99 * 5 = 4.95, and sqrt(1 - 0.9801) = 0.141 of a normal number beside it.
    assert (then.normal[0] - 4.95).abs().max() < 5 * math.sqrt(1 - 0.99**2)
    assert then.normal[1].abs().max() < 4.9 and then.modes[1].abs().max() < 4.9
