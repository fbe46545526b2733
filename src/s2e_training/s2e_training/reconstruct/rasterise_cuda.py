"""Draws gaussians with gsplat on a GPU. Not run by us: no machine here has a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import DILATION
from s2e_training.errors import TrainingError
from s2e_training.reconstruct.gaussians import Gaussians


class CudaRasteriser:
    """gsplat in its classic mode (0.3 pixel^2 screen filter), as `navbench_gs.render.cuda`."""

    def __init__(self, background: tuple[float, float, float]) -> None:
        """Load gsplat.

        Raises:
            TrainingError: gsplat or a GPU is missing.
        """
        try:
            import gsplat
        except ImportError as error:
            raise TrainingError(f'device cuda needs gsplat, got {error}') from error
        if not torch.cuda.is_available():
            raise TrainingError('device cuda needs an NVIDIA GPU that torch can use, got none')
        self._gsplat: Any = gsplat
        self._background = torch.tensor([background], dtype=torch.float32).cuda()

    def render(self, gaussians: Gaussians, camera: RenderCamera) -> Tensor:
        """Draw one view `[H, W, 3]`, not cut to [0, 1]."""
        view = torch.from_numpy(camera.scene_to_optical.astype(np.float32)).cuda()[None]
        lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
        picture, _, _ = self._gsplat.rasterization(
            gaussians.means, torch.nn.functional.normalize(gaussians.quats, dim=-1),
            gaussians.scales(), gaussians.opacities(), gaussians.sh, view,
            torch.from_numpy(lens.astype(np.float32)).cuda()[None], camera.width, camera.height,
            near_plane=camera.near, far_plane=1.0e10, eps2d=DILATION,
            sh_degree=int(gaussians.sh.shape[1] ** 0.5) - 1, backgrounds=self._background,
            render_mode='RGB', rasterize_mode='classic',
        )
        return picture[0]
