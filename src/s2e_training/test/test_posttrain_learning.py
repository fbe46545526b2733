"""PPO in a tiny world: it learns, it resumes, it stops at numbers that are none."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from goal_reaching import LIMIT, ROBOT, GoalReaching

from s2e_core.follower import FollowerConfig
from s2e_core.navigator import NavigatorConfig
from s2e_training.errors import TrainingError
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.advantages import ReturnScale
from s2e_training.posttrain.config import (
    EnvironmentConfig,
    EvaluationConfig,
    ExplorationConfig,
    PosttrainConfig,
    PPOConfig,
)
from s2e_training.posttrain.curriculum import CurriculumConfig, Stage
from s2e_training.posttrain.environment import Steps
from s2e_training.posttrain.guard import DUMP
from s2e_training.posttrain.learner import Reinforcement
from s2e_training.posttrain.mixture import cut
from s2e_training.posttrain.rollout import Driver, Driving
from s2e_training.posttrain.trainer import Trainer
from s2e_training.pretrain.checkpoint import LAST, load_checkpoint, restore_model
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import Parent

TINY = ModelConfig(
    frames=2, image_size=32, token_channels=2, dim=32, heads=2, feed_forward=64, fusion_layers=1,
    decoder_layers=1, anchors=5, dropout=0.0, free_space=False,
)
COUNT = 16


def make_model(parent: Path | None = None) -> S2EModel:
    """An untrained network, or what another run ended with."""
    if parent is not None:
        return restore_model(load_checkpoint(parent / LAST))[0]
    torch.manual_seed(0)
    return S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0))).eval()


def settings(**changes: object) -> PosttrainConfig:
    values: dict[str, object] = {
        'name': 'tiny', 'initial': 'none', 'steps': 12 * 32 * COUNT, 'rollout': 32, 'segment': 2,
        'environment': EnvironmentConfig(count=COUNT), 'threads': 1, 'checkpoint_minutes': 0.0,
        'ppo': PPOConfig(gamma=0.9, minibatch=128, rate=3e-3, rate_high=1e-2, target_kl=0.03,
                         value_warmup=1, value_rate=3e-3),
        'curriculum': CurriculumConfig((Stage(),)), 'evaluation': EvaluationConfig(every=4),
        'exploration': ExplorationConfig(start=0.5),
    }
    values.update(changes)
    return PosttrainConfig(**values)  # type: ignore[arg-type]


def make_trainer(
    folder: Path, start: Path | None, world: GoalReaching | None = None, **changes: object
) -> Trainer:
    config, model = settings(**changes), make_model(start)
    parent = Parent(model, PretrainConfig('tiny', ('a',), ('b',), model=TINY), 7)
    actor = Actor(model, config.mode, config.exploration, config.seed)
    learner = Reinforcement(config, actor, lambda stage: world or GoalReaching(COUNT), ROBOT)
    return Trainer(config, folder, parent, actor, learner, None, itertools.count().__next__)


def rows(folder: Path) -> list[dict[str, float]]:
    with (folder / 'log.csv').open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope='module')
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that has learnt a little with all its weights."""
    folder = tmp_path_factory.mktemp('start')
    ppo = PPOConfig(gamma=0.9, minibatch=128, rate=1e-3, rate_high=5e-3, target_kl=0.03,
                    value_warmup=1, value_rate=3e-3)
    make_trainer(folder, None, mode='full', ppo=ppo, steps=6 * 32 * COUNT).run()
    return folder


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory: pytest.TempPathFactory, start: Path) -> Path:
    folder = tmp_path_factory.mktemp('unbroken')
    make_trainer(folder, start).run()
    return folder


def test_returns_improve_with_all_weights(start: Path) -> None:
    reward = [row['reward'] for row in rows(start)]
    assert reward[-1] > 3 * max(reward[:3])


def test_returns_improve_with_the_branch_alone(unbroken: Path) -> None:
    reward = [row['reward'] for row in rows(unbroken)]
    assert min(reward[-3:]) > 1.2 * max(reward[:3])


def test_the_log_holds_every_term_and_measure(unbroken: Path) -> None:
    row = rows(unbroken)[-1]
    assert row['reward'] == pytest.approx(row['reward_progress'] + row['reward_arrive'], abs=1e-4)
    for name in ('kl', 'clip_fraction', 'entropy', 'explained_variance', 'learning_rate'):
        assert np.isfinite(row[name])
    assert row['step'] == 12 * 32 * COUNT


def test_only_the_branch_has_moved(start: Path, unbroken: Path) -> None:
    stored, fresh = load_checkpoint(unbroken / LAST)['model'], make_model(start).state_dict()
    for name, value in fresh.items():
        assert torch.equal(stored[name], value), name
    assert any(stored[name].any() for name in stored if name.startswith('residual.leave'))
    model, _ = restore_model(load_checkpoint(unbroken / LAST))
    assert model.residual is not None


def test_a_killed_run_goes_on_to_the_same_numbers(
    start: Path, unbroken: Path, tmp_path: Path
) -> None:
    # Killed before its first checkpoint, then after the one at rollout 4 with one more lost.
    make_trainer(tmp_path, start, checkpoint_minutes=9.0).run(stop_at=1)
    assert not (tmp_path / LAST).exists()
    make_trainer(tmp_path, start).run(stop_at=5)
    assert load_checkpoint(tmp_path / LAST)['rollout'] == 4
    again = make_trainer(tmp_path, start)
    assert again.rollout == 4
    again.run()
    a, b = load_checkpoint(unbroken / LAST), load_checkpoint(tmp_path / LAST)
    for name, value in a['model'].items():
        assert torch.equal(value, b['model'][name]), name
    assert a['learner']['curriculum'] == b['learner']['curriculum']
    assert a['learner']['updater']['scale'] == b['learner']['updater']['scale']
    assert (unbroken / 'log.csv').read_text() == (tmp_path / 'log.csv').read_text()


def test_an_ended_run_can_be_made_longer(start: Path, unbroken: Path, tmp_path: Path) -> None:
    """8 of 12 rollouts, then all of them: the numbers of 12 in one run."""
    make_trainer(tmp_path, start, steps=8 * 32 * COUNT).run()
    longer = make_trainer(tmp_path, start)
    assert longer.rollout == 8
    longer.run()
    a, b = load_checkpoint(unbroken / LAST), load_checkpoint(tmp_path / LAST)
    for name, value in a['model'].items():
        assert torch.equal(value, b['model'][name]), name
    assert (unbroken / 'log.csv').read_text() == (tmp_path / 'log.csv').read_text()


def test_a_run_that_ended_inside_a_segment_cannot(start: Path, tmp_path: Path) -> None:
    make_trainer(tmp_path, start, steps=1 * 32 * COUNT).run()
    assert make_trainer(tmp_path, start, steps=1 * 32 * COUNT).rollout == 1
    with pytest.raises(TrainingError, match='after 1 rollouts, inside a segment of 2'):
        make_trainer(tmp_path, start)


def test_another_seed_takes_another_way(start: Path, unbroken: Path, tmp_path: Path) -> None:
    make_trainer(tmp_path, start, seed=1).run(stop_at=1)
    assert rows(tmp_path)[0]['reward'] != rows(unbroken)[0]['reward']


def test_a_run_may_go_on_with_more_processes(start: Path, unbroken: Path) -> None:
    environment = EnvironmentConfig(count=COUNT, workers=4)
    again = make_trainer(unbroken, start, environment=environment, checkpoint_minutes=9.0)
    assert again.rollout == 12


def test_runs_are_not_mixed(start: Path, unbroken: Path) -> None:
    with pytest.raises(TrainingError, match='other settings'):
        make_trainer(unbroken, start, seed=1)


@pytest.mark.parametrize('mode', ['decoder', 'full'])
def test_other_modes_move_what_they_name(mode: str, tmp_path: Path) -> None:
    ppo = PPOConfig(minibatch=128, value_warmup=1, density='trajectory', entropy='pairwise')
    trainer = make_trainer(tmp_path, None, mode=mode, ppo=ppo)
    trainer.run(stop_at=2)
    after, before = trainer._actor.model.state_dict(), make_model().state_dict()
    moved = {name for name in before if not torch.equal(after[name], before[name])}
    assert any(name.startswith('decoder.') for name in moved)
    assert any(name.startswith('fusion.') for name in moved) == (mode == 'full')
    assert not any(name.startswith('encoder.') for name in moved)


def test_an_update_that_goes_too_far_is_taken_back(tmp_path: Path) -> None:
    """0.05 is too long a first step here: once taken, or at a third of it until it is not."""
    def first(folder: str, **changes: int) -> dict[str, float]:
        ppo = PPOConfig(minibatch=128, value_warmup=0, rate=0.05, rate_high=0.05, target_kl=0.01,
                        **changes)
        make_trainer(tmp_path / folder, None, mode='full', ppo=ppo).run(stop_at=1)
        return rows(tmp_path / folder)[0]

    far, near = first('far', retries=0), first('near', retries=9)
    assert far['kl'] > 0.04 and far['learning_rate'] == pytest.approx(0.05 / 1.5, abs=1e-5)
    assert near['kl'] <= 0.04 and near['epochs'] == 4
    thirds = np.log(0.05 / near['learning_rate']) / np.log(3.0)
    assert thirds > 0.9, 'the rate fell by thirds, then perhaps by a step of 1.5'


def test_what_is_taken_back_leaves_nothing_behind(tmp_path: Path) -> None:
    """Weights and Adam's moments are those before the update, to the bit."""
    trainer = make_trainer(tmp_path, None, mode='full')
    trainer.run(stop_at=2)
    updater = trainer._learner._updater  # type: ignore[attr-defined]
    kept = updater._keep()
    for group in updater._optimiser.param_groups:
        for weight in group['params']:
            weight.grad = torch.ones_like(weight)
    updater._optimiser.step()
    assert not torch.equal(updater._policy[0], kept[0][0])
    updater._take_back(kept)
    again = updater._keep()
    assert all(torch.equal(a, b) for a, b in zip(kept[0], again[0], strict=True))
    moments = [state['state'] for _, state in (kept, again)]
    for index, values in moments[0].items():
        assert torch.equal(values['exp_avg'], moments[1][index]['exp_avg'])
    assert again[1]['param_groups'][0]['lr'] == pytest.approx(kept[1]['param_groups'][0]['lr'] / 3)


class Breaking(GoalReaching):
    """Pays NaN from a certain step on."""

    steps = 0

    def step(self, velocity: np.ndarray) -> Steps:
        result = super().step(velocity)
        self.steps += 1
        if self.steps > 40:
            result.rewards[3] = np.nan
        return result


def test_numbers_that_are_none_stop_the_run_and_leave_a_dump(tmp_path: Path) -> None:
    world = Breaking(COUNT)
    with pytest.raises(TrainingError, match=r'reward must be finite, got nan at \[3\].*nonfinite'):
        make_trainer(tmp_path, None, world).run()
    found = torch.load(tmp_path / DUMP, weights_only=True)
    assert found['rollout'] == 1
    assert torch.isnan(found['tensors']['reward']).tolist() == [i == 3 for i in range(COUNT)]
    assert 'residual.leave.weight' in found['model']
    assert world.closed


def test_weights_that_are_none_stop_the_run(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, None)
    with torch.no_grad():
        trainer._actor.model.residual.leave.bias.fill_(float('nan'))
    with pytest.raises(TrainingError, match='the policy: mean must be finite'):
        trainer.run()


def driver_of(world: GoalReaching) -> tuple[Driver, Actor]:
    actor = Actor(make_model(), 'ram', ExplorationConfig())
    torch.manual_seed(1)
    torch.nn.init.normal_(actor.value.last.weight)
    driving = Driving(ROBOT, FollowerConfig(), NavigatorConfig())
    driver = Driver(actor, world, driving)
    driver.reset(0)
    return driver, actor


def test_time_outs_are_worth_what_the_last_state_is_and_arrivals_nothing_more() -> None:
    driver, actor = driver_of(GoalReaching(4))
    driven = driver.drive(3 * LIMIT, ReturnScale(), torch.Generator().manual_seed(0))
    timed_out = driven.done & ~driven.terminated
    assert timed_out.any()
    # Where nothing ended, the value of what came is the value that the next step starts from.
    inner = ~driven.done[:-1]
    assert torch.allclose(driven.following[:-1][inner], driven.values[1:][inner], atol=1e-5)
    # Where time ended it, it is not that of the new episode.
    apart = (driven.following[:-1] - driven.values[1:]).abs()
    assert (apart[timed_out[:-1]] > 1e-4).all()


def test_the_first_update_begins_at_ratio_one() -> None:
    driver, actor = driver_of(GoalReaching(4))
    driven = driver.drive(5, ReturnScale(), torch.Generator().manual_seed(0))
    mixture, _ = actor(driven.seen)
    again = cut(mixture, actor.exploration(mixture), slice(2, 3)).log_prob(driven.actions)
    torch.testing.assert_close(again.detach(), driven.log_prob, rtol=0, atol=1e-4)
