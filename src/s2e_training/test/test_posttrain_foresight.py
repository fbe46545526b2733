"""Learning the choice of modes from what each would have led to."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from goal_reaching import ROBOT, GoalReaching
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import (
    EnvironmentConfig,
    EvaluationConfig,
    ExplorationConfig,
    ForesightConfig,
    Mode,
    PosttrainConfig,
    PPOConfig,
)
from s2e_training.posttrain.curriculum import CurriculumConfig, Stage
from s2e_training.posttrain.foresight import improved, shortfall
from s2e_training.posttrain.learner import Reinforcement
from s2e_training.posttrain.trainer import Trainer
from s2e_training.pretrain.checkpoint import LAST, load_checkpoint
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import Parent

TINY = ModelConfig(
    frames=2, image_size=32, token_channels=2, dim=32, heads=2, feed_forward=64, fusion_layers=1,
    decoder_layers=1, anchors=9, dropout=0.0, free_space=False,
)
COUNT = 16


def make_trainer(folder: Path, mode: str = 'ram', **foresight: float) -> Trainer:
    config = PosttrainConfig(
        'tiny', 'none', mode=mode, steps=12 * 32 * COUNT, rollout=32, segment=2,
        environment=EnvironmentConfig(count=COUNT), threads=1, checkpoint_minutes=0.0,
        curriculum=CurriculumConfig((Stage(),)), evaluation=EvaluationConfig(every=4),
        exploration=ExplorationConfig(start=-2.0, temperature=0.1),
        # PPO trains the value head only: what is learned here comes from foresight.
        ppo=PPOConfig(epochs=1, value_warmup=1000),
        foresight=ForesightConfig(
            weight=1.0, rate=3e-3, minibatch=128, prior=0.0, temperature=0.3, **foresight
        ),
    )
    torch.manual_seed(0)
    model = S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0))).eval()
    with torch.no_grad():
        # Modes that fan out from -1.2 to 1.2 rad, so that there is something to choose from.
        for index, angle in enumerate(np.linspace(-1.2, 1.2, TINY.anchors)):
            model.anchors[index] = 2.0 * torch.tensor([math.cos(angle), math.sin(angle)])
    parent = Parent(model, PretrainConfig('tiny', ('a',), ('b',), model=TINY), 7)
    actor = Actor(model, config.mode, config.exploration, config.seed)
    learner = Reinforcement(config, actor, lambda stage: Fan(COUNT), ROBOT)
    return Trainer(config, folder, parent, actor, learner, None, itertools.count().__next__)


class Fan(GoalReaching):
    """Foretells what the modes are worth by their numbers: the more to the left, the cheaper."""

    def foresee(self, plans: np.ndarray) -> np.ndarray:
        return np.tile(np.arange(plans.shape[1])[::-1], (len(plans), 1)).astype(np.float32)


def rows(folder: Path) -> list[dict[str, float]]:
    with (folder / 'log.csv').open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_the_better_choice_by_hand() -> None:
    logits, cost = torch.zeros(1, 2), torch.tensor([[1.0, 1.0 + 0.5 * math.log(3.0)]])
    # Equal priors: weights 1 and exp(-0.5 ln 3 / 0.5) = 1/3, so 3/4 and 1/4.
    assert_close(improved(logits, cost, 0.5, 1.0).exp(), torch.tensor([[0.75, 0.25]]))
    # Twice the temperature: 1 and 3^(-1/2).
    total = 1.0 + 3.0 ** -0.5
    assert_close(improved(logits, cost, 1.0, 1.0).exp()[0, 0], torch.tensor(1.0 / total))
    # A prior of 1 to 3 undoes the difference; half of it, in logarithms, leaves 3^(1/2) to 1.
    prior = torch.tensor([[0.0, math.log(3.0)]])
    assert_close(improved(prior, cost, 0.5, 1.0).exp(), torch.tensor([[0.5, 0.5]]))
    ahead = 3.0 ** 0.5 / (3.0 ** 0.5 + 1.0)
    assert_close(improved(prior, cost, 0.5, 0.5).exp()[0, 0], torch.tensor(ahead))


@pytest.mark.parametrize('mode', ['ram', 'decoder', 'full'])
def test_the_parent_stays_what_it_was(mode: Mode) -> None:
    torch.manual_seed(0)
    model = S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0))).eval()
    actor = Actor(model, mode, ExplorationConfig())
    frames = torch.randn(3 * TINY.frames, 112, 2, 2, dtype=torch.float16)
    window = actor.perceive(frames).unflatten(0, (3, TINY.frames))
    seen = actor.observe(window, torch.randn(3, 3), torch.ones(3, 1), torch.zeros(3, 2),
                         torch.zeros(3, 0))
    before = actor.parent_scores(seen)
    assert_close(before, actor.answer(seen).logits.detach())
    with torch.no_grad():
        for parameter in actor.policy_parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    assert not torch.allclose(actor.answer(seen).logits, before, atol=0.01)
    assert torch.equal(actor.parent_scores(seen), before)


def test_the_divergence_by_hand() -> None:
    even, target = torch.zeros(1, 2), torch.tensor([[0.75, 0.25]]).log()
    # 2 (0.5 ln(0.5 / 0.75) + 0.5 ln(0.5 / 0.25)) = ln(2 / 3) + ln 2
    assert_close(shortfall(even, target, 2.0, 'reverse'), torch.tensor(math.log(4.0 / 3.0)))
    # 2 (0.75 ln(0.75 / 0.5) + 0.25 ln(0.25 / 0.5))
    forward = 1.5 * math.log(1.5) + 0.5 * math.log(0.5)
    assert_close(shortfall(even, target, 2.0, 'forward'), torch.tensor(forward))


@pytest.mark.parametrize(('divergence', 'chosen'), [('reverse', {2}), ('forward', {0, 1})])
def test_the_direction_decides_what_is_done_in_doubt(divergence: str, chosen: set[int]) -> None:
    """Two states look alike; left is free in one, right in the other, and slowly goes in both."""
    cost = torch.tensor([[0.0, 5.0, 1.0], [5.0, 0.0, 1.0]])
    target = improved(torch.zeros(2, 3), cost, 0.3, 0.0)
    logits = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.05)
    for _ in range(400):
        loss = shortfall(logits.expand(2, 3), target, 0.3, divergence)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert int(logits.argmax()) in chosen


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=4),
    st.lists(st.floats(0, 1e4), min_size=4, max_size=4),
    st.floats(0.05, 10.0), st.floats(0.0, 1.0),
)
def test_the_better_choice_costs_no_more(
    scores: list[float], costs: list[float], temperature: float, prior: float
) -> None:
    logits, cost = torch.tensor([scores]).double(), torch.tensor([costs]).double()
    better = improved(logits, cost, temperature, prior).exp()
    assert_close(better.sum(), torch.tensor(1.0).double())
    before = torch.softmax(prior * logits, -1)
    assert (better * cost).sum() <= (before * cost).sum() + 1e-6


def test_scores_learn_what_is_foretold_and_waypoints_stay(tmp_path: Path) -> None:
    make_trainer(tmp_path).run()
    log = rows(tmp_path)
    # Nine modes, costs 8 to 0, capped at 5 above the cheapest.
    assert log[0]['foresight_cost'] > 0.5 and log[0]['foresight_missed'] > 0.01
    assert log[-1]['foresight_cost'] < 0.1 and log[-1]['foresight_missed'] == 0.0
    assert log[-1]['foresight_loss'] < 0.2 * log[0]['foresight_loss']
    assert log[-1]['foresight_still'] == 0.0
    assert log[-1]['foresight_moved'] < 0.05


def test_waypoints_move_where_nothing_keeps_them(tmp_path: Path) -> None:
    make_trainer(tmp_path / 'kept', keep=1000.0).run(stop_at=6)
    make_trainer(tmp_path / 'free', keep=0.0).run(stop_at=6)
    kept, free = (rows(tmp_path / name)[-1]['foresight_moved'] for name in ('kept', 'free'))
    assert kept < 0.5 * free


@pytest.mark.parametrize('mode', ['decoder', 'full'])
def test_other_weights_learn_it_too(mode: str, tmp_path: Path) -> None:
    make_trainer(tmp_path, mode).run()
    assert rows(tmp_path)[-1]['foresight_cost'] < 0.1


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    make_trainer(tmp_path / 'whole').run(stop_at=6)
    make_trainer(tmp_path / 'parts').run(stop_at=5)
    assert load_checkpoint(tmp_path / 'parts' / LAST)['rollout'] == 4
    make_trainer(tmp_path / 'parts').run(stop_at=6)
    whole, parts = ((tmp_path / name / 'log.csv').read_text() for name in ('whole', 'parts'))
    assert whole == parts
