"""The plain renderer: what a picture is, in NumPy, slowly.

Definition, for every pixel centre p:

1. A gaussian with centre (X, Y, Z) in the optical frame is drawn if Z >= near. Its centre falls
   on u = fx X/Z + cx, v = fy Y/Z + cy; its covariance is J R S R^T J^T + DILATION I, with J the
   Jacobian of the projection taken at tangents X/Z, Y/Z clamped to CLAMP_MARGIN times half the
   view beyond the image's edge (Zwicker et al. 2001; Kerbl et al. 2023).
2. Its colour is max(0, 0.5 + SH(direction from the camera's centre to the gaussian)).
3. Its coverage of p is alpha = min(MAX_ALPHA, opacity exp(-q/2)), with q the squared
   Mahalanobis distance of p. Where alpha < MIN_ALPHA it is not drawn.
4. Gaussians are taken by ascending Z (equal depths: by index). Light T starts at 1; a gaussian
   that would leave T <= MIN_TRANSMITTANCE ends the pixel undrawn, any other adds
   T alpha colour and leaves T (1 - alpha).
5. Alpha of the frame is 1 - T, colour is the sum plus T times the background, cut to [0, 1] and
   rounded to 8 bits, depth is Z of the gaussian that took T to MEDIAN_TRANSMITTANCE or below
   (inf if none did).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import (
    CLAMP_MARGIN,
    DEFAULT_BACKGROUND,
    DILATION,
    MAX_ALPHA,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup, View
from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import quaternions_to_matrices

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Footprints:
    """Gaussians on the screen, N of them, in ascending depth."""

    indices: NDArray[np.int64]
    """`[N]` in the cloud."""
    centres: Float64
    """`[N, 2]` pixels."""
    covariances: Float64
    """`[N, 2, 2]` pixels^2, with the screen filter."""
    depths: Float64
    """`[N]` metres along the optical z axis."""
    opacities: Float64
    """`[N]`."""
    colours: Float64
    """`[N, 3]`."""


def covariance_matrices(cloud: GaussianCloud) -> Float64:
    """Return the covariances `[N, 3, 3]`, metres^2: R S S R^T."""
    axes = quaternions_to_matrices(cloud.quats) * cloud.scales.astype(np.float64)[:, None, :]
    return np.asarray(np.einsum('nik,njk->nij', axes, axes))


def project_covariances(
    points: Float64, covariances: Float64, camera: RenderCamera
) -> tuple[Float64, Float64]:
    """Project gaussians in the optical frame; the screen filter is not yet added.

    Args:
        points: `[N, 3]` centres, z > 0.
        covariances: `[N, 3, 3]`.
        camera: its lens; the pose plays no part.

    Returns:
        Centres `[N, 2]` and covariances `[N, 2, 2]` in pixels.
    """
    x, y, z = points.T
    margin_x = CLAMP_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = CLAMP_MARGIN * 0.5 * camera.height / camera.fy
    tx = np.clip(
        x / z, -camera.cx / camera.fx - margin_x, (camera.width - camera.cx) / camera.fx + margin_x
    )
    ty = np.clip(
        y / z,
        -camera.cy / camera.fy - margin_y,
        (camera.height - camera.cy) / camera.fy + margin_y,
    )
    jacobian = np.zeros((len(points), 2, 3))
    jacobian[:, 0, 0] = camera.fx / z
    jacobian[:, 0, 2] = -camera.fx * tx / z
    jacobian[:, 1, 1] = camera.fy / z
    jacobian[:, 1, 2] = -camera.fy * ty / z
    centres = np.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], axis=1)
    return centres, jacobian @ covariances @ jacobian.transpose(0, 2, 1)


def footprints(cloud: GaussianCloud, camera: RenderCamera) -> Footprints:
    """Project a cloud and sort it front to back; nothing is culled but by the near plane."""
    optical = camera.scene_to_optical
    rotation = optical[:3, :3]
    points = cloud.means.astype(np.float64) @ rotation.T + optical[:3, 3]
    kept = np.flatnonzero((points[:, 2] >= camera.near) & (cloud.opacities >= MIN_ALPHA))
    kept = kept[np.argsort(points[kept, 2], kind='stable')]
    chosen = cloud.select(kept)
    turned = rotation @ covariance_matrices(chosen) @ rotation.T
    centres, covariances = project_covariances(points[kept], turned, camera)
    away = chosen.means.astype(np.float64) - camera.pose[:3, 3]
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    lobes = np.einsum('nk,nkc->nc', harmonics.basis(away, chosen.sh_degree), chosen.sh)
    return Footprints(
        kept,
        centres,
        covariances + DILATION * np.eye(2),
        points[kept, 2],
        chosen.opacities.astype(np.float64),
        np.maximum(0.0, 0.5 + lobes),
    )


class ReferenceRenderer:
    """Draws by the definition above, one gaussian at a time over the pixels it can touch."""

    def __init__(
        self,
        cloud: GaussianCloud,
        *,
        background: tuple[float, float, float] = DEFAULT_BACKGROUND,
    ) -> None:
        self._cloud = cloud
        self._background = np.array(background, dtype=np.float64)

    def render_many(self, views: Sequence[View]) -> list[Frame]:
        """Draw the views one by one; see `Renderer.render_many`."""
        return [self.render(view.camera, view.dynamic) for view in views]

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw one view; see `Renderer.render`."""
        moved = [group.cloud.transformed(group.pose) for group in dynamic]
        cloud = GaussianCloud.concatenate([self._cloud, *moved])
        light, colour, depth = _blend(footprints(cloud, camera), camera)
        colour += light[..., None] * self._background
        rgb = np.floor(np.clip(colour, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
        return Frame(rgb, depth.astype(np.float32), (1.0 - light).astype(np.float32))


def _blend(prints: Footprints, camera: RenderCamera) -> tuple[Float64, Float64, Float64]:
    """Blend all footprints; return light `[H, W]`, colour `[H, W, 3]` and depth `[H, W]`."""
    light = np.ones((camera.height, camera.width))
    ended = np.zeros(light.shape, dtype=bool)
    colour = np.zeros((camera.height, camera.width, 3))
    depth = np.full(light.shape, np.inf)
    conics = np.linalg.inv(prints.covariances)
    # Coverage stays below MIN_ALPHA outside this many standard deviations; one pixel to spare.
    reach = np.sqrt(2.0 * np.log(np.maximum(prints.opacities / MIN_ALPHA, 1.0)))
    extents = reach[:, None] * np.sqrt(np.diagonal(prints.covariances, axis1=1, axis2=2)) + 1.0
    size = (camera.width, camera.height)
    low = np.clip(np.floor(prints.centres - extents), 0, size).astype(int)
    high = np.clip(np.ceil(prints.centres + extents), 0, size).astype(int)
    for n in np.flatnonzero((high > low).all(axis=1)):
        window = (slice(low[n, 1], high[n, 1]), slice(low[n, 0], high[n, 0]))
        dx = np.arange(low[n, 0], high[n, 0]) + 0.5 - prints.centres[n, 0]
        dy = np.arange(low[n, 1], high[n, 1])[:, None] + 0.5 - prints.centres[n, 1]
        q = conics[n, 0, 0] * dx**2 + 2 * conics[n, 0, 1] * dx * dy + conics[n, 1, 1] * dy**2
        alpha = np.minimum(MAX_ALPHA, prints.opacities[n] * np.exp(-0.5 * q))
        before = light[window]
        after = before * (1.0 - alpha)
        reached = (alpha >= MIN_ALPHA) & ~ended[window]
        drawn = reached & (after > MIN_TRANSMITTANCE)
        ended[window] |= reached & ~drawn
        colour[window] += np.where(drawn, before * alpha, 0.0)[..., None] * prints.colours[n]
        halfway = (before > MEDIAN_TRANSMITTANCE) & (after <= MEDIAN_TRANSMITTANCE)
        depth[window] = np.where(drawn & halfway, prints.depths[n], depth[window])
        light[window] = np.where(drawn, after, before)
    return light, colour, depth
