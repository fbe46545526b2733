"""Where gaussians fall on a photo, with derivatives by torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import CLAMP_MARGIN, DILATION
from navbench_gs.splats import harmonics


@dataclass(frozen=True)
class Prints:
    """Gaussians on the screen, V of them."""

    centres: Tensor
    """`[V, 2]` pixels."""
    covariances: Tensor
    """`[V, 3]` xx, xy, yy, pixels^2, with the screen filter."""
    depths: Tensor
    """`[V]` along the optical z axis, scene units."""


def rotation_matrices(quats: Tensor) -> Tensor:
    """Return `[V, 3, 3]` of quaternions `[V, 4]` (wxyz) of any length but zero."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    return torch.stack([
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ], dim=-1).reshape(*quats.shape[:-1], 3, 3)


def optical_from_scene(camera: RenderCamera, like: Tensor) -> Tensor:
    """Return the camera's `[4, 4]` optical <- scene in the type and place of a tensor."""
    return torch.as_tensor(camera.scene_to_optical, dtype=like.dtype, device=like.device)


def project(means: Tensor, quats: Tensor, scales: Tensor, camera: RenderCamera) -> Prints:
    """Project gaussians; the equations are those of `render.reference.project_covariances`.

    Args:
        means: `[V, 3]` scene, in front of the camera.
        quats: `[V, 4]` wxyz, not zero.
        scales: `[V, 3]` standard deviations, scene units.
        camera: lens and pose.
    """
    optical = optical_from_scene(camera, means)
    turn = optical[:3, :3]
    x, y, z = (means @ turn.T + optical[:3, 3]).unbind(-1)
    margin_x = CLAMP_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = CLAMP_MARGIN * 0.5 * camera.height / camera.fy
    left, right = -camera.cx / camera.fx, (camera.width - camera.cx) / camera.fx
    top, bottom = -camera.cy / camera.fy, (camera.height - camera.cy) / camera.fy
    tx = (x / z).clamp(left - margin_x, right + margin_x)
    ty = (y / z).clamp(top - margin_y, bottom + margin_y)
    # Rows of J R: gradients of the pixel coordinates in the scene frame.
    across = (camera.fx / z)[:, None] * (turn[0] - tx[:, None] * turn[2])
    down = (camera.fy / z)[:, None] * (turn[1] - ty[:, None] * turn[2])
    axes = rotation_matrices(quats) * scales[:, None, :]
    p = (axes * across[:, :, None]).sum(1)
    q = (axes * down[:, :, None]).sum(1)
    covariances = torch.stack(
        [(p * p).sum(-1) + DILATION, (p * q).sum(-1), (q * q).sum(-1) + DILATION], dim=-1
    )
    centres = torch.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], dim=-1)
    return Prints(centres, covariances, z)


def colours(means: Tensor, sh: Tensor, camera: RenderCamera) -> Tensor:
    """Return the colours `[V, 3]`, not below zero, of gaussians of SH degree 0 or 1."""
    seen = 0.5 + harmonics.C0 * sh[:, 0]
    if sh.shape[1] > 1:
        eye = torch.as_tensor(camera.pose[:3, 3], dtype=means.dtype, device=means.device)
        x, y, z = torch.nn.functional.normalize(means - eye, dim=-1).unbind(-1)
        lobes = harmonics.C1 * torch.stack([-y, z, -x], dim=-1)
        seen = seen + (lobes[:, :, None] * sh[:, 1:4]).sum(1)
    return seen.clamp_min(0.0)
