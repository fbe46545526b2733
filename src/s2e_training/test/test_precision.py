"""Bundles in float16 and int8: they load, agree with float32 and say by how much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from s2e_core.contract import Observation
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import load_bundle
from s2e_policy.runtime import OnnxPolicy
from s2e_training.errors import TrainingError
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.export.precision import convert_bundle
from s2e_training.export.random import random_bundle
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel


@pytest.fixture(scope='module')
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float32 bundle with random weights."""
    config = ModelConfig(frames=2, image_size=32, dim=64, heads=2, feed_forward=64,
                         fusion_layers=1, decoder_layers=1, anchors=5)
    torch.manual_seed(0)
    model = S2EModel(config, torch.from_numpy(fan_anchors(5, 1.0)))
    folder = tmp_path_factory.mktemp('bundles') / 'original'
    return export_bundle(model, folder, ExportInfo('tiny', 'A test.', WHOLE_VIEWS)).root


def best_end(root: Path) -> np.ndarray:
    """Return the end points of all modes for a fixed observation."""
    images = np.random.default_rng(3).integers(0, 256, (2, 32, 32, 3), np.uint8)
    stamps = np.array([0, 200_000_000])
    here = Odometry(200_000_000, Pose2(0.0, 0.0, 0.0))
    seen = Observation(images, stamps, np.array([6.0, 1.0]), here)
    return OnnxPolicy(load_bundle(root)).infer(seen).modes[:, -1]


@pytest.mark.parametrize(('precision', 'limit'), [('float16', 0.02), ('int8', 0.1)])
def test_a_converted_bundle_answers_almost_alike(
    original: Path, tmp_path: Path, precision: str, limit: float
) -> None:
    """End points move by less than the limit; both graphs are smaller; the card says it."""
    bundle = convert_bundle(original, tmp_path / precision, precision)  # type: ignore[arg-type]
    assert np.abs(best_end(bundle.root) - best_end(original)).max() < limit
    before, after = load_bundle(original).manifest, bundle.manifest
    assert after.files['policy.weights'].bytes < before.files['policy.weights'].bytes
    assert after.precision == precision and after.name == f'tiny-{precision}'
    stated = after.metrics['against_float32']
    assert 0 < stated['largest_change_trajectories'] < limit
    card = (bundle.root / 'MODEL_CARD.md').read_text()
    assert str(stated['largest_change_trajectories']) in card
    with pytest.raises(TrainingError, match=f'only float32 bundles are converted.*{precision}'):
        convert_bundle(bundle.root, tmp_path / 'again', 'int8')


def test_random_bundles_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    """An unknown size is named."""
    bundle = random_bundle('small', tmp_path)
    assert bundle.manifest.images.width == 128 and bundle.manifest.output.modes == 33
    with pytest.raises(TrainingError, match=r"\['small', 'paper'\], got 'huge'"):
        random_bundle('huge', tmp_path)
