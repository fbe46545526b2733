"""The paper's size as config/training/paper.yaml sets it: one step on a processor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from arc_clips import make_clip
from safetensors.torch import save_file

from s2e_core.config import from_yaml
from s2e_core.paths import find_config
from s2e_training.errors import TrainingError
from s2e_training.models.dino import REGISTERS, WEIGHTS_FILE, DinoSmall
from s2e_training.pretrain.checkpoint import BEST, load_checkpoint
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.setup import make_trainer

SIZE = 256


@pytest.fixture(scope='module')
def encoder() -> DinoSmall:
    torch.manual_seed(0)
    return DinoSmall()


@pytest.fixture(scope='module')
def weights(encoder: DinoSmall, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the authors publish theirs, with random weights."""
    folder = tmp_path_factory.mktemp('dino')
    save_file(encoder.network.state_dict(), folder / WEIGHTS_FILE)
    return folder


def test_one_step(weights: Path, tmp_path: Path) -> None:
    for part, seed in (('train', 0), ('validation', 1)):
        make_clip(tmp_path / part / '0', seed, count=12, size=SIZE)
    config = replace(
        from_yaml(PretrainConfig, find_config('training/paper.yaml')), steps=1, batch=2,
        anchors='fan', clips=(str(tmp_path / 'train'),),
        validation=(str(tmp_path / 'validation'),), encoder_weights=str(weights),
        validation_samples=8, precision='float32',
    )
    trainer = make_trainer(config, tmp_path / 'run', clock=lambda: 0.0)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.run()
    after = trainer.model.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert not any(name.startswith('encoder.') for name in changed)
    assert any(name.startswith('fusion.5.') for name in changed)
    assert 80e6 < sum(p.numel() for p in trainer.model.parameters()) < 110e6
    assert load_checkpoint(tmp_path / 'run' / BEST)['step'] == 1


def test_maps_are_the_patches_in_their_places(encoder: DinoSmall) -> None:
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        out = encoder(image)
        tokens = encoder.network(encoder.normalised(image)).last_hidden_state
    assert out.shape == (1, 384, 4, 4)
    # Row 2, column 1 is patch 2 * 4 + 1 = 9, after one class and four register tokens.
    torch.testing.assert_close(out[0, :, 2, 1], tokens[0, 1 + REGISTERS + 9])


def test_it_never_leaves_evaluation_mode(encoder: DinoSmall) -> None:
    assert not encoder.train().network.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_weights_are_taken_over_and_others_refused(
    encoder: DinoSmall, weights: Path, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    other = DinoSmall()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(other(image), encoder(image))
        other.load_pretrained(str(weights))
        torch.testing.assert_close(other(image), encoder(image))
    torch.manual_seed(2)
    drawn = DinoSmall()
    other.load_pretrained('random')
    drawn.load_pretrained('random')
    torch.testing.assert_close(other(image), drawn(image))
    with pytest.raises(TrainingError, match='needs encoder_weights'):
        other.load_pretrained()
    with pytest.raises(TrainingError, match='is not a DINOv3'):
        other.load_pretrained(str(tmp_path))
    damaged = tmp_path / WEIGHTS_FILE
    damaged.write_bytes(b'\x80\x04' + bytes(64))  # begins as a pickle does
    with pytest.raises(TrainingError, match='is not a DINOv3'):
        other.load_pretrained(str(damaged))
    save_file({'class_token': torch.zeros(1, 1, 384)}, damaged)
    with pytest.raises(TrainingError, match='is not a DINOv3'):
        other.load_pretrained(str(damaged))
