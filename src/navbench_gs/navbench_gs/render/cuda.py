"""The GPU back end: gsplat's rasteriser. Not run by us: no machine here has a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from navbench_gs.errors import RenderError
from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import (
    DEFAULT_BACKGROUND,
    DILATION,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
)
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup, View
from navbench_gs.splats.cloud import GaussianCloud


def _load() -> tuple[Any, Any]:
    """Import torch and gsplat; RenderError says what is missing."""
    try:
        import gsplat
        import torch
    except ImportError as error:
        raise RenderError(f'backend cuda needs torch and gsplat, got {error}') from error
    if not torch.cuda.is_available():
        raise RenderError('backend cuda needs an NVIDIA GPU that torch can use, got none')
    return torch, gsplat


def describe_device() -> str:
    """Return the versions and the GPU that would draw.

    Raises:
        RenderError: torch, gsplat or a GPU is missing; the text says which.
    """
    torch, _ = _load()
    return f'torch {torch.__version__}, {torch.cuda.get_device_name(0)}'


class CudaRenderer:
    """Draws with gsplat in its classic mode (0.3 pixel^2 screen filter).

    Differences from the definition in `render.reference`: gsplat cuts a footprint at 3.33
    standard deviations, and returns the mean depth of what a pixel shows instead of the median.
    """

    def __init__(
        self,
        cloud: GaussianCloud,
        *,
        background: tuple[float, float, float] = DEFAULT_BACKGROUND,
    ) -> None:
        """Upload the cloud.

        Raises:
            RenderError: torch, gsplat or a GPU is missing.
        """
        self._torch, self._gsplat = _load()
        self._world = self._upload(cloud)
        self._background = self._torch.tensor(background, dtype=self._torch.float32).cuda()

    def _upload(self, cloud: GaussianCloud) -> dict[str, Any]:
        visible = cloud.select(cloud.opacities >= MIN_ALPHA)
        names = ('means', 'quats', 'scales', 'opacities', 'sh')
        return {name: self._torch.from_numpy(getattr(visible, name)).cuda() for name in names}

    def _scene(self, dynamic: Sequence[DynamicGroup]) -> dict[str, Any]:
        """Join the world and the moved groups, padded to one SH degree."""
        parts = [self._world]
        parts += [self._upload(group.cloud.transformed(group.pose)) for group in dynamic]
        width = max(part['sh'].shape[1] for part in parts)
        pad = self._torch.nn.functional.pad
        joined = {
            name: self._torch.cat([part[name] for part in parts])
            for name in ('means', 'quats', 'scales', 'opacities')
        }
        joined['sh'] = self._torch.cat(
            [pad(part['sh'], (0, 0, 0, width - part['sh'].shape[1])) for part in parts]
        )
        return joined

    def render_many(self, views: Sequence[View]) -> list[Frame]:
        """Draw the views one by one; see `Renderer.render_many`."""
        return [self.render(view.camera, view.dynamic) for view in views]

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw one view; see `Renderer.render`."""
        torch = self._torch
        scene = self._scene(dynamic)
        view = torch.from_numpy(camera.scene_to_optical.astype(np.float32)).cuda()[None]
        lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
        with torch.no_grad():
            picture, alpha, _ = self._gsplat.rasterization(
                scene['means'],
                scene['quats'],
                scene['scales'],
                scene['opacities'],
                scene['sh'],
                view,
                torch.from_numpy(lens.astype(np.float32)).cuda()[None],
                camera.width,
                camera.height,
                near_plane=camera.near,
                far_plane=1.0e10,
                eps2d=DILATION,
                sh_degree=int(scene['sh'].shape[1] ** 0.5) - 1,
                render_mode='RGB+ED',
                rasterize_mode='classic',
            )
        cover = alpha[0, ..., 0]
        # Blended here: with a depth channel gsplat's own background would tint the depth.
        colour = picture[0, ..., :3] + (1.0 - cover[..., None]) * self._background
        rgb = (colour.clamp(0.0, 1.0) * 255.0 + 0.5).floor().to(torch.uint8)
        infinite = torch.full_like(cover, float('inf'))
        depth = torch.where(cover >= 1.0 - MEDIAN_TRANSMITTANCE, picture[0, ..., 3], infinite)
        return Frame(rgb.cpu().numpy(), depth.cpu().numpy(), cover.cpu().numpy())
