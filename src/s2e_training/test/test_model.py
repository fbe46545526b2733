"""The network's parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from navbench_gs.sensors.jitter import JitterConfig, jitter_light, jitter_mount
from s2e_core.camera import SMALL_MOUNT
from s2e_core.errors import ConfigError
from s2e_core.records import Command
from s2e_training.data.noise import CommandNoise, NoiseConfig
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import PAPER, ModelConfig
from s2e_training.models.lite0 import Lite0
from s2e_training.models.policy import FrameToken, S2EModel, embed_anchor
from s2e_training.pretrain.metrics import direction_error, open_loop, straight_to_goal


@pytest.fixture(scope='module')
def model() -> S2EModel:
    torch.manual_seed(0)
    config = ModelConfig(dropout=0.0)
    return S2EModel(config, torch.from_numpy(fan_anchors(config.anchors, 1.0))).eval()


def test_shapes_and_bounds(model: S2EModel) -> None:
    with torch.no_grad():
        out = model(torch.randn(2, 11, 112, 8, 8) * 50, torch.randn(2, 3), torch.ones(2, 1))
    assert out.logits.shape == (2, 33)
    assert out.mean.shape == (2, 33, 10, 2)
    assert out.rho.abs().max() <= 0.5
    assert out.log_sigma.min() >= -3.0
    assert out.log_sigma.max() <= 1.1 + 1e-6
    assert out.speed.min() > 0


def test_the_mixing_layer_sees_neighbouring_cells_and_only_those() -> None:
    torch.manual_seed(0)
    token = FrameToken(112, 8, ModelConfig(token_mix=8, token_channels=2, dropout=0.0)).eval()
    assert token.mix is not None
    features = torch.randn(1, 112, 8, 8)
    touched = features.clone()
    touched[0, :, 3, 4] += 1.0
    with torch.no_grad():
        changed = (token.mix(features) != token.mix(touched)).any(dim=1)[0]
    # A 3x3 layer carries cell (3, 4) to rows 2-4 and columns 3-5.
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[2:5, 3:6] = True
    assert torch.equal(changed, expected)
    assert FrameToken(112, 8, ModelConfig(token_mix=0)).mix is None


def test_a_masked_goal_has_no_effect(model: S2EModel) -> None:
    features = torch.randn(1, 11, 112, 8, 8)
    none = torch.zeros(1, 1)
    with torch.no_grad():
        a = model(features, torch.tensor([[0.1, 1.0, 0.0]]), none)
        b = model(features, torch.tensor([[0.9, -1.0, 0.0]]), none)
        c = model(features, torch.tensor([[0.9, -1.0, 0.0]]), torch.ones(1, 1))
    assert torch.equal(a.mean, b.mean)
    assert not torch.equal(b.mean, c.mean)


def test_frame_order_matters(model: S2EModel) -> None:
    features = torch.randn(1, 11, 112, 8, 8)
    goal, mask = torch.tensor([[0.3, 1.0, 0.0]]), torch.ones(1, 1)
    with torch.no_grad():
        forward, backward = (model(f, goal, mask) for f in (features, features.flip(1)))
    assert not torch.allclose(forward.logits, backward.logits)


def test_anchors_get_different_codes() -> None:
    # 0.1 m apart: the finest wavelength, 2 pi / 100 = 0.06 m, tells them apart
    codes = embed_anchor(torch.tensor([[1.0, 0.0], [1.1, 0.0], [0.0, 1.0]]), 16)
    assert codes.shape == (3, 16)
    assert torch.cdist(codes, codes)[~torch.eye(3, dtype=torch.bool)].min() > 0.5


def test_lite0_maps_and_padding() -> None:
    trunk = Lite0()
    trunk.load_pretrained()
    with torch.no_grad():
        out = trunk(torch.rand(1, 3, 64, 64))
    assert out.shape == (1, 112, 4, 4)
    assert not any(p.requires_grad for p in trunk.parameters())
    assert 0.5 < float(out.std()) < 20


def test_paper_size_runs_one_step() -> None:
    torch.manual_seed(0)
    model = S2EModel(PAPER, torch.from_numpy(fan_anchors(PAPER.anchors, 1.0)))
    assert 80e6 < sum(p.numel() for p in model.parameters()) < 110e6
    with torch.no_grad():
        tokens = model.token(model.encoder(torch.rand(1, 3, 256, 256)))[:, None]
        out = model.decode(tokens.expand(-1, 11, -1), torch.zeros(1, 3), torch.ones(1, 1))
    assert torch.isfinite(out.mean).all()


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match='multiple of heads'):
        ModelConfig(dim=100, heads=8)
    with pytest.raises(ConfigError, match='multiple of 16'):
        ModelConfig(image_size=100)


def test_direction_error_wraps_and_skips_standing() -> None:
    steps = torch.arange(1, 11)[:, None] / 10
    left, right = steps * torch.tensor([-3.0, 0.1]), steps * torch.tensor([-3.0, -0.1])
    still = steps * torch.tensor([0.01, 0.0])
    error = direction_error(torch.stack([left, still]), torch.stack([right, right]))
    # 2 atan(0.1 / 3) = 3.82 deg, across the cut at 180
    assert float(error[0]) == pytest.approx(3.818, abs=0.01)
    assert torch.isnan(error[1])


def test_open_loop_numbers(model: S2EModel) -> None:
    with torch.no_grad():
        out = model(torch.randn(3, 11, 112, 8, 8), torch.randn(3, 3), torch.ones(3, 1))
    rows = torch.arange(3)
    best = out.mean[rows, out.logits.argmax(dim=1)]
    numbers = open_loop(out, best + torch.tensor([0.3, 0.4]))
    # every waypoint is off by 0.5 m
    for key in ('ade_0.4', 'fde_0.4', 'ade_1.0', 'fde_2.0'):
        torch.testing.assert_close(numbers[key], torch.full((3,), 0.5))
    assert (numbers['best_fde_2.0'] <= numbers['fde_2.0'] + 1e-6).all()


def test_straight_baseline_stops_at_the_goal() -> None:
    path = straight_to_goal(torch.tensor([[0.6, 0.8]]), 1.0)
    torch.testing.assert_close(path[0, 0], torch.tensor([0.12, 0.16]))
    torch.testing.assert_close(path[0, -1], torch.tensor([0.6, 0.8]))


def test_light_varies_per_clip_not_per_frame() -> None:
    rgb = np.full((2, 16, 16, 3), 120, np.uint8)
    quiet = JitterConfig(noise=0.0, blur=0.0)
    lit = jitter_light(rgb, quiet, np.random.default_rng(0))
    assert np.array_equal(lit[0], lit[1])
    assert not np.array_equal(lit, rgb)
    off = JitterConfig(exposure=0, colour=0, gamma=0, noise=0, blur=0, height=0, pitch=0)
    assert np.array_equal(jitter_light(rgb, off, np.random.default_rng(0)), rgb)
    assert jitter_mount(SMALL_MOUNT, off, np.random.default_rng(0)) == SMALL_MOUNT


def test_noise_comes_in_bursts_and_leaves_a_standing_robot_alone() -> None:
    noise = CommandNoise(NoiseConfig(share=1.0, rate=2.0), np.random.default_rng(0))
    assert noise(Command(0, 0.0, 0.0), 0.05) == Command(0, 0.0, 0.0)
    added = [noise(Command(0, 1.0, 0.0), 0.05).w for _ in range(2000)]
    disturbed = np.array(added) != 0
    # bursts of 0.9 s after pauses of 0.5 s on average: 64 %
    assert 0.5 < disturbed.mean() < 0.8
    assert np.abs(added).max() <= 0.9
    quiet = CommandNoise(NoiseConfig(share=0.0), np.random.default_rng(0))
    assert all(quiet(Command(0, 1.0, 0.2), 0.05).w == 0.2 for _ in range(100))
