"""How far a drawing is from a photo."""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 11
"""Edge of SSIM's window, pixels, with a gaussian of 1.5 pixels (Wang et al. 2004)."""


def ssim(one: Tensor, other: Tensor) -> Tensor:
    """Return the structural similarity `[H, W]` of pictures `[H, W, 3]` in [0, 1], over channels.

    Source: Wang et al., "Image quality assessment: from error visibility to structural
    similarity" (2004), eq. 13, with K1 = 0.01 and K2 = 0.03.
    """
    axis = torch.arange(WINDOW, dtype=one.dtype, device=one.device) - WINDOW // 2
    kernel = torch.exp(-(axis**2) / (2 * 1.5**2))
    kernel = kernel / kernel.sum()
    a, b = one.permute(2, 0, 1), other.permute(2, 0, 1)
    stack = torch.cat([a, b, a * a, b * b, a * b])[:, None]
    half = WINDOW // 2
    padded = torch.nn.functional.pad(stack, (half, half, half, half), mode='replicate')
    means = torch.nn.functional.conv2d(padded, kernel.reshape(1, 1, 1, -1))
    means = torch.nn.functional.conv2d(means, kernel.reshape(1, 1, -1, 1))[:, 0]
    ma, mb, aa, bb, ab = means.split(3)
    first = (2 * ma * mb + 0.01**2) / (ma * ma + mb * mb + 0.01**2)
    second = (2 * (ab - ma * mb) + 0.03**2) / (aa - ma * ma + bb - mb * mb + 0.03**2)
    return (first * second).mean(0)


def picture_loss(drawn: Tensor, photo: Tensor, valid: Tensor, weight: float) -> Tensor:
    """Return (1 - weight) L1 + weight (1 - SSIM) over the valid pixels.

    Args:
        drawn: `[H, W, 3]`.
        photo: `[H, W, 3]` in [0, 1].
        valid: `[H, W]` 1 where the photo shows something, else 0.
        weight: of the structural part.
    """
    drawn = torch.where(valid[..., None] > 0, drawn, photo)
    absolute = (drawn - photo).abs().mean(-1)
    parts = (1 - weight) * absolute + weight * (1 - ssim(drawn, photo))
    return (parts * valid).sum() / valid.sum().clamp_min(1.0)


def psnr(drawn: Tensor, photo: Tensor, valid: Tensor) -> float:
    """Return the peak signal-to-noise ratio over valid pixels, dB, of pictures in [0, 1]."""
    square = ((drawn - photo) ** 2).mean(-1)
    error = float((square * valid).sum() / valid.sum().clamp_min(1.0))
    return -10.0 * torch.log10(torch.tensor(max(error, 1e-10))).item()
