"""Moves gaussians to where they are needed: faint ones are reborn beside strong ones.

Source: Kheradmand et al., "3D Gaussian Splatting as Markov Chain Monte Carlo" (2024), eq. 9: N
copies at one place look like the original with opacity 1 - (1 - o)^(1/N) and smaller scales.
"""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

from s2e_training.reconstruct.gaussians import Gaussians
from s2e_training.reconstruct.project import rotation_matrices

DEAD = 0.005
"""Opacity at or below which a gaussian is moved: the least that shows is 1 / 255."""
MOST = 51
"""Copies at one place that are still told apart."""


def split_copies(opacities: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Return opacity `[N]` and scale factor `[N]` of each copy when one becomes `copies` `[N]`."""
    copies = copies.clamp(1, MOST)
    parts = 1.0 - (1.0 - opacities.double()) ** (1.0 / copies)
    total = torch.zeros_like(parts)
    for i in range(1, int(copies.max()) + 1):
        series = torch.zeros_like(parts)
        for k in range(i):
            series += comb(i - 1, k) * (-1) ** k * parts ** (k + 1) / (k + 1) ** 0.5
        total += torch.where(copies >= i, series, torch.zeros_like(series))
    return parts.to(opacities.dtype), (opacities / total).to(opacities.dtype)


def refine(
    gaussians: Gaussians, size: int, generator: torch.Generator
) -> tuple[Gaussians, Tensor]:
    """Move dead gaussians onto live ones and grow to `size`.

    Args:
        gaussians: N of them.
        size: how many there are to be, N or more.
        generator: draws the places, more often where opacity is high.

    Returns:
        The new set, and `[size]` a mask of those whose history no longer holds.
    """
    opacities = gaussians.opacities()
    dead = (opacities <= DEAD).nonzero()[:, 0]
    alive = (opacities > DEAD).nonzero()[:, 0]
    fresh = size - len(gaussians)
    if len(alive) == 0 or len(dead) + fresh == 0:
        return gaussians, torch.zeros(len(gaussians), dtype=torch.bool)
    # Drawing happens on the CPU so that a seed means the same on every device.
    weights = opacities[alive].cpu()
    drawn = torch.multinomial(weights, len(dead) + fresh, replacement=True, generator=generator)
    source = alive[drawn.to(alive.device)]
    copies = torch.bincount(source, minlength=len(gaussians)) + 1
    parts, factors = split_copies(opacities[source], copies[source])
    tensors = {name: torch.cat([tensor, tensor[source[len(dead):]]])
               for name, tensor in gaussians.tensors().items()}
    logits = torch.logit(parts.clamp(DEAD, 1 - 1e-6))
    shrunk = gaussians.log_scales[source] + factors.log()[:, None]
    target = torch.cat([dead, torch.arange(len(gaussians), size, device=dead.device)])
    for name in ('means', 'quats', 'sh'):
        tensors[name][target] = gaussians.tensors()[name][source]
    for place in (source, target):
        tensors['logits'][place] = logits
        tensors['log_scales'][place] = shrunk
    changed = torch.zeros(size, dtype=torch.bool)
    changed[source.cpu()] = True
    changed[target.cpu()] = True
    return Gaussians(**tensors), changed


def noise(gaussians: Gaussians, amount: float, generator: torch.Generator) -> Tensor:
    """Return a random shift `[N, 3]` along each gaussian's shape; only faint ones move."""
    gate = torch.sigmoid(-100.0 * (gaussians.opacities() - DEAD))
    axes = rotation_matrices(gaussians.quats) * gaussians.scales()[:, None, :]
    draw = torch.randn(len(gaussians), 3, generator=generator).to(axes.device)
    inner = (axes * draw[:, :, None]).sum(1)
    return amount * gate[:, None] * (axes * inner[:, None, :]).sum(-1)
