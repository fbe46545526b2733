"""The free-space head: likelihood, confidence and errors by hand, and its way through a graph."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from s2e_core.contract import Observation
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import load_bundle
from s2e_policy.runtime import OnnxPolicy
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.models.agdm import LossConfig, agdm_loss
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.free_space import (
    FreeSpace,
    FreeSpaceHead,
    answers,
    free_space_loss,
)
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.metrics import free_space_errors


def answer(distance: float, scale: float) -> FreeSpace:
    """Return one answer that is alike on all bearings."""
    return FreeSpace(
        torch.full((1, 48), math.log(distance)), torch.full((1, 48), math.log(scale))
    )


def test_likelihood_by_hand() -> None:
    """Laplace: |ln 4 - ln 2| / 0.5 + ln(2 x 0.5) = 0.693147 / 0.5 + 0 = 1.386294 nats."""
    loss = free_space_loss(answer(2.0, 0.5), torch.full((1, 48), 4.0))
    assert float(loss) == pytest.approx(1.386294, abs=1e-5)


def test_unknown_bearings_do_not_count() -> None:
    """Forty unknown bearings leave the mean of the eight known; none known is zero."""
    truth = torch.full((1, 48), torch.nan)
    truth[0, :8] = 4.0
    said = answer(2.0, 0.5)
    assert float(free_space_loss(said, truth)) == pytest.approx(1.386294, abs=1e-5)
    said.log_distance.requires_grad_()
    nothing = free_space_loss(said, torch.full((1, 48), torch.nan))
    nothing.backward()
    assert float(nothing.detach()) == 0.0 and torch.isfinite(said.log_distance.grad).all()


def test_confidence_by_hand() -> None:
    """Scale 0.2: 1 - exp(-ln 1.25 / 0.2) = 1 - exp(-1.115718) = 0.672320."""
    metres, confidence = answers(answer(3.0, 0.2))
    assert metres[0, 0].item() == pytest.approx(3.0, rel=1e-5)
    assert confidence[0, 0].item() == pytest.approx(0.672320, abs=1e-5)


def test_confidence_is_the_share_within_the_factor() -> None:
    """Truths drawn from the stated density lie within 1.25 as often as the head says."""
    scale, count = 0.3, 4000
    noise = torch.distributions.Laplace(0.0, scale)
    torch.manual_seed(0)
    truth = torch.exp(math.log(2.0) + noise.sample((count, 48)))
    said = FreeSpace(*(part.expand(count, 48) for part in answer(2.0, scale)))
    errors = free_space_errors(*answers(said), truth)
    assert errors['free_within'].mean().item() == pytest.approx(
        errors['free_confidence'].mean().item(), abs=0.005
    )


def test_errors_by_hand() -> None:
    """Said 2 m; half is 2.4 m (0.4 off, factor 1.2), half 5 m (3 off, factor 2.5)."""
    truth = torch.cat([torch.full((1, 24), 2.4), torch.full((1, 24), 5.0)], dim=1)
    errors = free_space_errors(*answers(answer(2.0, 0.2)), truth)
    assert errors['free_abs'].item() == pytest.approx(1.7, abs=1e-5)
    assert errors['free_abs_3m'].item() == pytest.approx(0.4, abs=1e-5)
    assert errors['free_within'].item() == pytest.approx(0.5)


def test_answers_stay_in_range_whatever_the_weights() -> None:
    """Distances in (0, 10], confidences in [0, 1], gradients finite at the limits."""
    head = FreeSpaceHead(16)
    for size in (1.0, 1e3, 1e6):
        said = head(torch.randn(4, 16) * size)
        metres, confidence = answers(said)
        assert ((metres >= 0) & (metres <= 10.0 + 1e-4)).all()
        assert ((confidence >= 0) & (confidence <= 1)).all()
        head.zero_grad()
        free_space_loss(said, torch.full((4, 48), 1.0)).backward()
        assert all(torch.isfinite(p.grad).all() for p in head.parameters())


def test_head_learns_and_moves_the_shared_layers() -> None:
    """The term lowers the loss and its gradient reaches fusion and frame tokens."""
    config = ModelConfig(frames=2, image_size=32, dim=16, heads=2, feed_forward=16,
                         fusion_layers=1, decoder_layers=1, anchors=3, dropout=0.0)
    torch.manual_seed(0)
    model = S2EModel(config, torch.from_numpy(fan_anchors(3, 1.0)))
    shape = (8, 2, model.encoder.channels, 2, 2)
    features, truth = torch.randn(shape), torch.rand(8, 48) * 9.0 + 0.5
    plan = torch.arange(1, 11)[None, :, None] * torch.tensor([0.2, 0.0]) * torch.ones(8, 1, 1)
    goal, mask = torch.zeros(8, 3), torch.ones(8, 1)
    weights = LossConfig(regression_weight=0.0, score_weight=0.0, speed_weight=0.0)
    optimiser = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), 3e-3)
    losses = []
    for _ in range(40):
        terms = agdm_loss(model(features, goal, mask), model.anchors, plan, weights, truth)
        optimiser.zero_grad()
        terms['total'].backward()
        optimiser.step()
        losses.append(float(terms['free_space'].detach()))
    assert losses[-1] < losses[0] - 0.5
    assert model.token.project.weight.grad.abs().max() > 0


def test_bundle_answers_free_space_only_where_the_network_does(tmp_path: Path) -> None:
    """With the head a policy states 48 distances and confidences, without it none."""
    for has_head in (True, False):
        config = ModelConfig(frames=2, image_size=32, dim=16, heads=2, feed_forward=16,
                             fusion_layers=1, decoder_layers=1, anchors=3, free_space=has_head)
        model = S2EModel(config, torch.from_numpy(fan_anchors(3, 1.0)))
        folder = tmp_path / str(has_head)
        export_bundle(model, folder, ExportInfo('tiny', 'A test.', WHOLE_VIEWS))
        policy = OnnxPolicy(load_bundle(folder))
        images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
        stamps = np.array([0, 200_000_000])
        seen = Observation(images, stamps, None, Odometry(200_000_000, Pose2(0.0, 0.0, 0.0)))
        output = policy.infer(seen)
        if has_head:
            assert output.free_space is not None and output.free_confidence is not None
            assert output.free_space.shape == output.free_confidence.shape == (48,)
            window = OnnxPolicy(load_bundle(folder), mode='window').infer(seen)
            np.testing.assert_allclose(output.free_space, window.free_space, atol=1e-4)
        else:
            assert output.free_space is None
