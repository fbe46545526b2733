"""Supervised fine-tuning in the same loop: it learns its clips and resumes like the rest."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest
import torch
from arc_clips import SIZE, make_clip

from s2e_training.data.features import FeatureEncoder
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import EnvironmentConfig, PosttrainConfig, SFTConfig
from s2e_training.posttrain.learner import Supervised
from s2e_training.posttrain.sft import load_windows
from s2e_training.posttrain.trainer import Trainer
from s2e_training.pretrain.checkpoint import LAST, load_checkpoint
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import Parent

TINY = ModelConfig(
    frames=3, image_size=SIZE, token_channels=4, dim=16, heads=2, feed_forward=32,
    fusion_layers=1, decoder_layers=1, anchors=4, dropout=0.1,
)


@pytest.fixture(scope='module')
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('clips')
    for seed in range(2):
        make_clip(root / f'{seed}', seed)
    return root


def make_trainer(clips: Path, folder: Path) -> Trainer:
    # A rollout of 4 x 16 steps: 64 samples, 4 batches.
    config = PosttrainConfig(
        'sft', 'none', mode='sft', steps=4 * 64, rollout=16, segment=1, threads=1,
        environment=EnvironmentConfig(count=4), checkpoint_minutes=0.0,
        sft=SFTConfig((str(clips),), batch=16, learning_rate=3e-3),
    )
    torch.manual_seed(0)
    model = S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0)))
    parent = Parent(model, PretrainConfig('x', ('a',), ('b',), model=TINY), 0)
    actor = Actor(model, 'sft', config.exploration)
    windows = load_windows(config.sft, model, FeatureEncoder(model.encoder, TINY.image_size))
    learner = Supervised(config, actor, windows, parent.pretrain.loss)
    return Trainer(config, folder, parent, actor, learner, None, itertools.count().__next__)


def test_the_loss_falls_and_a_killed_run_goes_on_to_the_same_numbers(
    clips: Path, tmp_path: Path
) -> None:
    make_trainer(clips, tmp_path / 'a').run()
    with (tmp_path / 'a' / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row['step']) for row in rows] == [64, 128, 192, 256]
    assert float(rows[-1]['total']) < float(rows[0]['total'])
    make_trainer(clips, tmp_path / 'b').run(stop_at=3)
    again = make_trainer(clips, tmp_path / 'b')
    assert again.rollout == 2
    again.run()
    a, b = (load_checkpoint(tmp_path / name / LAST)['model'] for name in 'ab')
    assert all(torch.equal(value, b[name]) for name, value in a.items())
    assert (tmp_path / 'a/log.csv').read_text() == (tmp_path / 'b/log.csv').read_text()
    fresh = FeatureEncoder(make_trainer(clips, tmp_path / 'c')._actor.model.encoder, 32)
    trained = FeatureEncoder(again._actor.model.encoder, 32)
    assert fresh.key == trained.key
