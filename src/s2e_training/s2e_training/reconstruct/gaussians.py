"""The gaussians that are fitted, as the numbers that the optimiser may move freely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import normalised

NAMES = ('means', 'log_scales', 'quats', 'logits', 'sh')


@dataclass
class Gaussians:
    """N gaussians in the frame of the photos' poses."""

    means: Tensor
    """`[N, 3]` centres, scene units."""
    log_scales: Tensor
    """`[N, 3]` logarithm of the standard deviations."""
    quats: Tensor
    """`[N, 4]` wxyz, of any length but zero."""
    logits: Tensor
    """`[N]` opacity before the sigmoid."""
    sh: Tensor
    """`[N, K, 3]` spherical harmonics, K = 1 or 4."""

    def __len__(self) -> int:
        return len(self.means)

    def scales(self) -> Tensor:
        """Return the standard deviations `[N, 3]`."""
        return self.log_scales.exp()

    def opacities(self) -> Tensor:
        """Return the opacities `[N]` in (0, 1)."""
        return self.logits.sigmoid()

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors by name."""
        return {name: getattr(self, name) for name in NAMES}

    def cloud(self) -> GaussianCloud:
        """Return a copy for drawing and for files."""
        with torch.no_grad():
            arrays = {name: tensor.cpu().numpy() for name, tensor in self.tensors().items()}
            return GaussianCloud(
                arrays['means'],
                normalised(arrays['quats']).astype(np.float32),
                self.scales().cpu().numpy(),
                self.opacities().cpu().numpy(),
                arrays['sh'],
            )
