"""Open-loop measures, baselines and anchors, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from s2e_training.errors import TrainingError
from s2e_training.models.agdm import LossConfig, agdm_loss, assign
from s2e_training.models.anchor_picture import draw_anchors
from s2e_training.models.anchors import choose_anchors, cluster_anchors, fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import Mixture, S2EModel
from s2e_training.pretrain.metrics import (
    baseline_errors,
    calibration_error,
    constant_velocity,
    coverage,
    score_entropy,
)


def test_constant_velocity_goes_straight_and_around() -> None:
    """1 m/s without turning: 0.2 m a step. With pi/2 rad/s: a quarter of a circle in 1 s.

    Its radius is v / w = 2 / pi; after 1 s the robot stands at (r, r), after 2 s at (0, 2 r).
    """
    path = constant_velocity(torch.tensor([[1.0, 0.0], [1.0, math.pi / 2]]))
    np.testing.assert_allclose(path[0, :, 0], 0.2 * np.arange(1, 11), atol=1e-6)
    assert path[0, :, 1].abs().max() == 0
    radius = 2 / math.pi
    np.testing.assert_allclose(path[1, 4], [radius, radius], atol=1e-5)
    np.testing.assert_allclose(path[1, 9], [0.0, 2 * radius], atol=1e-5)


def test_baseline_errors_by_hand() -> None:
    """Driving at 1 m/s where the plan is 2 m/s: 0.2 m more off at each step.

    At 0.4 s: errors 0.2, 0.4: ADE 0.3, FDE 0.4. At 2 s: ADE 0.2 x 5.5 = 1.1, FDE 2.
    """
    steps = torch.arange(1, 11)[None, :, None] * torch.tensor([0.2, 0.0])
    found = baseline_errors('x', steps, 2 * steps)
    for key, value in {'ade_0.4': 0.3, 'fde_0.4': 0.4, 'ade_2.0': 1.1, 'fde_2.0': 2.0}.items():
        assert found[f'x_{key}'].item() == pytest.approx(value, abs=1e-6)
    assert found['x_direction'].item() == 0.0


def test_entropy_of_equal_scores_is_the_logarithm_of_their_number() -> None:
    """ln 4 = 1.386294; one certain mode has none."""
    assert score_entropy(torch.zeros(1, 4)).item() == pytest.approx(1.386294, abs=1e-5)
    assert score_entropy(torch.tensor([[50.0, 0.0, 0.0]])).item() == pytest.approx(0, abs=1e-5)


def test_calibration_error_by_hand() -> None:
    """Scores (0.8, 0.2), and the first mode is right in one of two samples.

    Bin 0.8: said 1.6, happened 1; bin 0.2: said 0.4, happened 1: (0.6 + 0.6) / 2.0 = 0.6.
    """
    scores = torch.tensor([[0.8, 0.2], [0.8, 0.2]])
    assert calibration_error(scores, torch.tensor([0, 1])) == pytest.approx(0.6, abs=1e-6)
    honest = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    assert calibration_error(honest, torch.tensor([0, 1])) == pytest.approx(0.0, abs=1e-6)


def mixture(mean: torch.Tensor, sigma: float) -> Mixture:
    """One mode with equal spread."""
    size = len(mean)
    return Mixture(
        torch.zeros(size, 1), mean[:, None], torch.full((size, 1, 10, 2), math.log(sigma)),
        torch.zeros(size, 1, 10), torch.ones(size, 1),
    )


def test_coverage_by_hand() -> None:
    """Half of a 2-D Gaussian lies within sqrt(2 ln 2) = 1.177 sigma, 90 % within 2.146."""
    plan = torch.zeros(4, 10, 2)
    mean = torch.zeros(4, 10, 2)
    mean[:, -1, 0] = torch.tensor([1.16, 1.19, 2.13, 2.16]) * 0.3
    found = coverage(mixture(mean, 0.3), plan, torch.zeros(4, dtype=torch.long))
    assert found['inside_50'].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found['inside_90'].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_a_unimodal_network_has_one_mode_that_everything_belongs_to() -> None:
    """Turning, standing, reversing: mode 0, a score loss of zero, finite gradients."""
    config = ModelConfig(frames=2, image_size=32, dim=16, heads=2, feed_forward=16,
                         fusion_layers=1, decoder_layers=1, anchors=1)
    anchors = torch.from_numpy(cluster_anchors(np.zeros((5, 10, 2)), 1, 0))
    model = S2EModel(config, anchors)
    plan = torch.randn(6, 10, 2)
    assert assign(anchors, plan).tolist() == [0] * 6
    shape = (6, 2, model.encoder.channels, 2, 2)
    said = model(torch.randn(shape), torch.zeros(6, 3), torch.ones(6, 1))
    assert said.mean.shape == (6, 1, 10, 2)
    terms = agdm_loss(said, anchors, plan, LossConfig())
    assert terms['score'].item() == 0.0 and terms['accuracy'].item() == 1.0
    terms['total'].backward()
    trained = [p.grad for p in model.regression.parameters()]
    assert all(grad is not None and torch.isfinite(grad).all() for grad in trained)


def test_anchors_come_from_data_a_fan_or_a_file(tmp_path: Path) -> None:
    """Each source gives as many as asked; a file of another size or content is refused."""
    rng = np.random.default_rng(0)
    paths = np.cumsum(rng.normal([0.2, 0.0], 0.05, (200, 10, 2)), axis=1)
    made = choose_anchors('data', 5, paths, 0)
    np.testing.assert_array_equal(made, cluster_anchors(paths, 5, 0))
    np.testing.assert_array_equal(choose_anchors('fan', 5, paths, 0), fan_anchors(5, 1.2))
    file = tmp_path / 'anchors.npy'
    np.save(file, made)
    np.testing.assert_array_equal(choose_anchors(str(file), 5, paths, 0), made)
    with pytest.raises(TrainingError, match=r'must be \(6, 2\), got \(5, 2\)'):
        choose_anchors(str(file), 6, paths, 0)
    np.save(file, np.full((5, 2), np.nan))
    with pytest.raises(TrainingError, match='finite'):
        choose_anchors(str(file), 5, paths, 0)
    file.write_bytes(b'cos\nsystem\n(S"echo"\ntR.')
    with pytest.raises(TrainingError, match='not a file of anchors'):
        choose_anchors(str(file), 5, paths, 0)


def test_the_picture_shows_every_anchor() -> None:
    """The stop anchor is red at the robot's place, the others are blue where they lie."""
    paths = np.arange(1, 11)[None, :, None] * np.array([[[0.2, 0.0]], [[0.1, 0.1]]])
    anchors = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0]])
    image = draw_anchors(anchors, paths)
    assert image.shape == (900, 900, 3)
    scale = 900 / 3.5  # the farthest end is 2 m ahead; half a metre behind it, one around
    for (x, y), colour in zip(anchors, [(200, 40, 40), (30, 90, 200), (30, 90, 200)], strict=True):
        row, column = 900 - 0.5 * scale - x * scale, 450 - y * scale
        assert tuple(image[int(round(row)), int(round(column))]) == colour
