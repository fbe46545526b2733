"""The drawing that is fitted: equal to the definition, and its derivatives equal to torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import (
    DEFAULT_BACKGROUND,
    MAX_ALPHA,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.reference import ReferenceRenderer
from s2e_training.reconstruct.gaussians import NAMES, Gaussians
from s2e_training.reconstruct.loss import picture_loss, psnr, ssim
from s2e_training.reconstruct.project import colours, project
from s2e_training.reconstruct.rasterise import CpuRasteriser

CAMERA = RenderCamera(37, 29, 30.0, 31.0, 18.0, 15.0, np.eye(4))


def gaussians(count: int, seed: int, dtype: torch.dtype = torch.float32) -> Gaussians:
    rng = np.random.default_rng(seed)
    arrays = (
        rng.normal(size=(count, 3)) * [1.5, 1.2, 0.8] + [0.0, 0.0, 4.0],
        rng.normal(-2.0, 0.5, (count, 3)), rng.normal(size=(count, 4)),
        rng.normal(0.0, 1.5, count), rng.normal(0.0, 0.7, (count, 4, 3)),
    )
    return Gaussians(*(torch.tensor(a.astype(np.float32), dtype=dtype).requires_grad_()
                       for a in arrays))


def plain(g: Gaussians, camera: RenderCamera) -> Tensor:
    """Draw by the definition, every gaussian at every pixel, in whatever precision comes in."""
    order = torch.argsort(g.means[:, 2].detach(), stable=True)
    prints = project(g.means[order], g.quats[order], g.scales()[order], camera)
    tints = colours(g.means[order], g.sh[order], camera)
    opacities = g.opacities()[order]
    v, u = torch.meshgrid(torch.arange(camera.height) + 0.5, torch.arange(camera.width) + 0.5,
                          indexing='ij')
    light = torch.ones(camera.height, camera.width, dtype=g.means.dtype)
    ended = torch.zeros(light.shape, dtype=torch.bool)
    image = torch.zeros(*light.shape, 3, dtype=g.means.dtype)
    for k in range(len(order)):
        xx, xy, yy = prints.covariances[k]
        dx, dy = u - prints.centres[k, 0], v - prints.centres[k, 1]
        q = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
        alpha = (opacities[k] * torch.exp(-0.5 * q)).clamp_max(MAX_ALPHA)
        reached = (alpha >= MIN_ALPHA) & ~ended
        drawn = reached & (light * (1 - alpha) > MIN_TRANSMITTANCE)
        ended = ended | (reached & ~drawn)
        alpha = torch.where(drawn, alpha, torch.zeros_like(alpha))
        image = image + (light * alpha)[..., None] * tints[k]
        light = light * (1 - alpha)
    return image + light[..., None] * torch.tensor(DEFAULT_BACKGROUND, dtype=g.means.dtype)


def test_drawing_equals_the_definition() -> None:
    """At most one step of 8-bit colour from the reference renderer, on a tilted camera too."""
    pose = np.eye(4)
    pose[:3, :3] = [[0.96, 0.0, 0.28], [0.0, 1.0, 0.0], [-0.28, 0.0, 0.96]]
    camera = RenderCamera(61, 47, 50.0, 52.0, 30.0, 25.0, pose)
    g = gaussians(200, 1)
    drawn = CpuRasteriser(2, DEFAULT_BACKGROUND).render(g, camera).detach().numpy()
    mine = np.floor(drawn.clip(0, 1) * 255 + 0.5).astype(int)
    assert np.abs(mine - ReferenceRenderer(g.cloud()).render(camera).rgb).max() <= 1


@pytest.mark.parametrize('seed', [2, 3])
def test_derivatives_equal_autograd(seed: int) -> None:
    """All five tensors, against torch through the plain drawing in float64."""
    weights = torch.tensor(np.random.default_rng(9).normal(size=(29, 37, 3)))
    exact, fast = gaussians(60, seed, torch.float64), gaussians(60, seed)
    (plain(exact, CAMERA) * weights).sum().backward()
    drawn = CpuRasteriser(2, DEFAULT_BACKGROUND).render(fast, CAMERA)
    (drawn * weights).sum().backward()
    for name in NAMES:
        want, got = getattr(exact, name).grad, getattr(fast, name).grad
        assert want is not None and got is not None
        assert want.abs().max() > 1e-3
        # 4e-3: a pixel whose coverage rounds across 1/255 moves a sum by about 1/255 of a weight.
        assert float((got - want).abs().max() / want.abs().max()) < 4e-3, name


@pytest.mark.parametrize('name', NAMES)
def test_derivatives_equal_finite_differences(name: str) -> None:
    """One gaussian, large and faint enough that no rule of the drawing cuts it at most pixels."""
    base = [[[0.1, -0.1, 3.0]], [[0.9, 0.6, 0.8]], [[0.9, 0.3, -0.2, 0.1]], [0.3],
            [[[0.4, 0.1, -0.2]] + [[0.2, 0.1, 0.3]] * 3]]
    weights = torch.tensor(np.random.default_rng(4).normal(size=(29, 37, 3)) + 0.5)

    def value(tensors: list[Tensor]) -> Tensor:
        g = Gaussians(*tensors)
        drawn = CpuRasteriser(1, DEFAULT_BACKGROUND).render(g, CAMERA)
        return (drawn.double() * weights).sum()

    tensors = [torch.tensor(part, dtype=torch.float32).requires_grad_() for part in base]
    value(tensors).backward()
    at = NAMES.index(name)
    slope = tensors[at].grad
    assert slope is not None
    step = 1e-2
    for index in np.ndindex(*tensors[at].shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = [part.detach().clone() for part in tensors]
            moved[at][index] += sign * step
            ends.append(float(value(moved)))
        numeric = (ends[0] - ends[1]) / (2 * step)
        assert float(slope[index]) == pytest.approx(numeric, rel=0.03, abs=0.03 * float(
            slope.abs().max())), index


def test_threads_change_nothing() -> None:
    """Sums are taken in one order."""
    results = []
    for threads in (1, 3):
        g = gaussians(80, 5)
        CpuRasteriser(threads, DEFAULT_BACKGROUND).render(g, CAMERA).square().sum().backward()
        results.append([getattr(g, name).grad.numpy() for name in NAMES])
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_ssim_by_hand() -> None:
    """Equal: 1. Flat 0.5 and 0.25: (2 0.125 + 1e-4) / (0.25 + 0.0625 + 1e-4) = 0.80006."""
    picture = torch.rand(20, 24, 3, generator=torch.Generator().manual_seed(0))
    assert ssim(picture, picture).min() == pytest.approx(1.0, abs=1e-5)
    flat = torch.full((20, 24, 3), 0.5, dtype=torch.float64)
    assert ssim(flat, flat / 2).mean() == pytest.approx(0.80006, abs=1e-5)


def test_psnr_and_loss_count_valid_pixels_only() -> None:
    """Off by 0.1 on the valid half: 10 log10(1 / 0.01) = 20 dB, and L1 of 0.1."""
    photo = torch.full((16, 16, 3), 0.5)
    drawn = photo + 0.1
    drawn[:, 8:] = 9.0
    valid = torch.zeros(16, 16)
    valid[:, :8] = 1.0
    assert psnr(drawn, photo, valid) == pytest.approx(20.0, abs=1e-3)
    assert float(picture_loss(drawn, photo, valid, 0.0)) == pytest.approx(0.1, abs=1e-5)
