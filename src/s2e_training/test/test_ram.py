"""The residual-attention module: nothing at the start, alive after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from s2e_core.config import to_mapping
from s2e_core.paths import find_model
from s2e_policy.bundle import load_bundle
from s2e_policy.reference import replay
from s2e_training.errors import TrainingError
from s2e_training.export.bundle import ExportInfo, export_bundle, make_reference
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.export.reading import read_network
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import Mixture, S2EModel
from s2e_training.models.ram import ResidualAttention
from s2e_training.pretrain.config import PretrainConfig

TINY = ModelConfig(
    frames=3, image_size=32, token_channels=4, dim=16, heads=2, feed_forward=32, fusion_layers=1,
    decoder_layers=2, anchors=5, dropout=0.0,
)


def make_model(config: ModelConfig = TINY, seed: int = 0) -> S2EModel:
    torch.manual_seed(seed)
    return S2EModel(config, torch.from_numpy(fan_anchors(config.anchors, 1.0))).eval()


def inputs(config: ModelConfig, batch: int = 3) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    side = config.image_size // 16
    features = torch.randn(batch, config.frames, 112, side, side, generator=generator)
    return features, torch.randn(batch, 3, generator=generator), torch.ones(batch, 1)


def parts(mixture: Mixture) -> list[torch.Tensor]:
    return [*mixture[:5], *(mixture.free or ())]


@pytest.mark.parametrize('config', [TINY, ModelConfig(dropout=0.0)])
def test_the_start_is_the_same_to_the_last_bit(config: ModelConfig) -> None:
    model = make_model(config)
    with torch.no_grad():
        before = model(*inputs(config))
        model.add_residual()
        after = model(*inputs(config))
    for one, other in zip(parts(before), parts(after), strict=True):
        assert torch.equal(one, other)


def test_the_copy_is_a_copy() -> None:
    model = make_model()
    model.add_residual()
    assert model.residual is not None
    mine, theirs = model.residual.layers.state_dict(), model.decoder.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    with torch.no_grad():
        model.residual.layers[0].attention.query.weight.add_(1.0)
    assert not torch.equal(
        model.decoder[0].attention.query.weight, model.residual.layers[0].attention.query.weight
    )


def residuals(model: S2EModel) -> torch.Tensor:
    """What the copy makes of Z_in(Q), before Z_out, and what is added. [B, M, D]"""
    assert model.residual is not None
    features, goal, mask = inputs(TINY)
    context = model.fuse(model.tokens(features), goal, mask)
    return model.residual(model._queries(context), context)


def test_psi_of_zero_is_not_zero_and_the_same_for_all_anchors() -> None:
    model = make_model()
    model.add_residual()
    assert model.residual is not None
    seen: list[torch.Tensor] = []
    model.residual.leave.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    residuals(model)
    assert seen[0].abs().max() > 0.01
    assert torch.equal(seen[0], seen[0][:, :1].expand_as(seen[0]))


def test_the_gradient_is_alive_after_five_updates() -> None:
    model = make_model()
    model.requires_grad_(False)
    model.add_residual()
    branch = model.residual
    assert branch is not None
    optimiser = torch.optim.SGD(branch.parameters(), lr=0.1)
    target = torch.randn(3, 5, 10, 2, generator=torch.Generator().manual_seed(2))
    for step in range(6):
        optimiser.zero_grad()
        (model(*inputs(TINY)).mean - target).square().mean().backward()
        alive = {n for n, p in branch.named_parameters() if p.grad is not None and p.grad.any()}
        if step == 0:
            # Z_out is zero, so nothing passes to what lies before it.
            assert alive == {'leave.weight', 'leave.bias'}
        optimiser.step()
    assert {'enter.weight', 'enter.bias', 'leave.weight', 'leave.bias'} <= alive
    # Every parameter of the copy except biases that softmax cancels (the keys') has a gradient.
    expected = {f'layers.{n}' for n, _ in branch.layers.named_parameters() if 'key.bias' not in n}
    assert expected <= alive
    with torch.no_grad():
        spread = residuals(model)
    assert (spread - spread[:, :1]).abs().max() > 1e-6


def test_gradients_of_anchors_and_context_end_in_the_branch() -> None:
    model = make_model()
    branch = ResidualAttention(model.decoder, TINY.dim)
    torch.nn.init.normal_(branch.enter.weight)
    torch.nn.init.normal_(branch.leave.weight)
    queries = torch.randn(2, 5, 16, requires_grad=True)
    context = torch.randn(2, 4, 16, requires_grad=True)
    branch(queries, context).sum().backward()
    assert queries.grad is None
    assert context.grad is None
    assert branch.enter.weight.grad is not None


def test_the_branch_is_exported_in_both_graphs(tmp_path: Path) -> None:
    model = make_model()
    plain = export_bundle(model, tmp_path / 'plain', ExportInfo('plain', 'without', WHOLE_VIEWS))
    model.add_residual()
    assert model.residual is not None
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.residual.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    bundle = export_bundle(model, tmp_path / 'branch', ExportInfo('branch', 'with', WHOLE_VIEWS))
    # The reference holds PyTorch's answers.
    errors = replay(bundle)
    assert set(errors) == {'window', 'streaming'}
    assert max(errors.values()) < 1e-4
    with np.load(plain.root / 'reference.npz') as a, np.load(bundle.root / 'reference.npz') as b:
        assert np.abs(a['trajectories'] - b['trajectories']).max() > 0.01
        np.testing.assert_array_equal(a['free_space'], b['free_space'])


def test_the_shipped_network_is_read_back_and_a_branch_changes_no_bit() -> None:
    bundle = load_bundle(find_model('s2e-small'), replay_reference=False)
    model, config = read_network(bundle)
    with np.load(bundle.root / 'reference.npz') as stored:
        answers = make_reference(model, stored['images'])
        for name in ('trajectories', 'scores', 'sigmas', 'rho'):
            np.testing.assert_allclose(answers[name], stored[name], atol=2e-6, err_msg=name)
    with torch.no_grad():
        before = model(*inputs(config.model))
        model.add_residual()
        after = model(*inputs(config.model))
    for one, other in zip(parts(before), parts(after), strict=True):
        assert torch.equal(one, other)


def test_a_bundle_with_a_branch_is_read_back_whole(tmp_path: Path) -> None:
    model = make_model(seed=4)
    model.add_residual()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        # Equal tensors share a name in the graph; those of a trained network differ.
        for name, parameter in model.named_parameters():
            if not name.startswith('encoder.'):
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    settings = to_mapping(PretrainConfig('x', ('a',), ('b',), model=TINY))
    training = {'training': {'config': settings}}
    info = ExportInfo('x', 'with', WHOLE_VIEWS, provenance=training)
    bundle = export_bundle(model, tmp_path / 'x', info)
    again, config = read_network(bundle)
    assert config.model == TINY
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=1e-6, msg=name)
    without = export_bundle(model, tmp_path / 'y', ExportInfo('y', 'no settings', WHOLE_VIEWS))
    with pytest.raises(TrainingError, match='does not say how to build'):
        read_network(without)
