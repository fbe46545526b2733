"""How well a fit draws photos that it never saw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2e_training.reconstruct.config import ReconstructConfig
from s2e_training.reconstruct.fit import make_rasteriser
from s2e_training.reconstruct.gaussians import Gaussians
from s2e_training.reconstruct.loss import psnr, ssim
from s2e_training.reconstruct.photos import Photo


@dataclass(frozen=True)
class Judged:
    """A photo beside its drawing."""

    name: str
    photo: NDArray[np.uint8]
    drawn: NDArray[np.uint8]
    """Both `[H, W, 3]` uint8."""
    psnr: float
    ssim: float
    psnr_exposed: float
    """After the best gain and offset per channel: what is left when brightness does not count."""


def judge(config: ReconstructConfig, gaussians: Gaussians, photos: list[Photo]) -> list[Judged]:
    """Compare photos with what is drawn from their poses, without any exposure of their own."""
    rasteriser, device = make_rasteriser(config)
    found = []
    for photo in photos:
        with torch.no_grad():
            drawn = rasteriser.render(gaussians, photo.camera).clamp(0, 1)
        target = torch.from_numpy(photo.pixels.astype(np.float32) / 255.0).to(device)
        valid = torch.from_numpy(photo.valid.astype(np.float32)).to(device)
        similar = (ssim(drawn, target) * valid).sum() / valid.sum()
        picture = (drawn * 255.0 + 0.5).to(torch.uint8).cpu().numpy()
        found.append(Judged(photo.name, photo.pixels, picture, psnr(drawn, target, valid),
                            float(similar), psnr(_exposed(drawn, target, valid), target, valid)))
    return found


def _exposed(drawn: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return the drawing with the gain and offset per channel that fit the photo best."""
    out = drawn.clone()
    for channel in range(3):
        x, y = drawn[..., channel][valid > 0], target[..., channel][valid > 0]
        spread = float(((x - x.mean()) ** 2).mean())
        gain = float(((x - x.mean()) * (y - y.mean())).mean()) / max(spread, 1e-9)
        out[..., channel] = (drawn[..., channel] - x.mean()) * gain + y.mean()
    return out


def mean(values: list[float]) -> float:
    """Return the mean, NaN for none."""
    return sum(values) / len(values) if values else math.nan
