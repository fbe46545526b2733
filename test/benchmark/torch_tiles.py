"""A plain tile rasteriser in PyTorch, for comparison: vectorised, and nothing cleverer.

It follows the definition of `navbench_gs.render.reference` in float32: project all gaussians in
view, list them per 16x16 tile, sort by tile and depth (as Kerbl et al. 2023), then blend every
tile in steps of 256 gaussians over all its pixels until no light is left.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from navbench_gs.render import Frame, RenderCamera
from navbench_gs.render.constants import (
    CLAMP_MARGIN,
    DEFAULT_BACKGROUND,
    DILATION,
    MAX_ALPHA,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.reference import covariance_matrices
from navbench_gs.splats import GaussianCloud, harmonics

TILE = 16
STEP = 256
"""Gaussians blended at once: early enough an end, and few enough calls."""


class TorchRenderer:
    """Draws a static cloud with PyTorch on the CPU."""

    def __init__(self, cloud: GaussianCloud) -> None:
        self._cloud = cloud
        self._means = torch.from_numpy(cloud.means.astype(np.float32))
        self._spread = torch.from_numpy(covariance_matrices(cloud).astype(np.float32))
        self._opacities = torch.from_numpy(cloud.opacities.astype(np.float32))

    @torch.inference_mode()
    def render(self, camera: RenderCamera) -> Frame:
        """Draw one view."""
        items, boxes = self._project(camera)
        columns, rows = -(-camera.width // TILE), -(-camera.height // TILE)
        order, starts = _bin(boxes, columns, rows)
        shape = (rows * TILE, columns * TILE)
        colour = torch.zeros(*shape, 3)
        light, depth = torch.ones(shape), torch.full(shape, torch.inf)
        for tile in range(columns * rows):
            own = order[starts[tile] : starts[tile + 1]]
            top, left = tile // columns * TILE, tile % columns * TILE
            window = (slice(top, top + TILE), slice(left, left + TILE))
            drawn = _blend(items[own], left, top)
            colour[window], light[window], depth[window] = drawn
        colour += light[..., None] * torch.tensor(DEFAULT_BACKGROUND)
        cut = (slice(0, camera.height), slice(0, camera.width))
        rgb = (colour[cut].clamp(0.0, 1.0) * 255.0 + 0.5).to(torch.uint8)
        return Frame(rgb.numpy(), depth[cut].numpy(), (1.0 - light[cut]).numpy())

    def _project(self, camera: RenderCamera) -> tuple[Tensor, Tensor]:
        """Return items `[N, 10]` near to far and the pixels that each may touch, `[N, 4]`.

        An item is u, v, the conic's three numbers, opacity, red, green, blue, z.
        """
        optical = torch.from_numpy(camera.scene_to_optical.astype(np.float32))
        turn = optical[:3, :3]
        points = self._means @ turn.T + optical[:3, 3]
        x, y, z = points.unbind(1)
        u, v = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
        kept = torch.nonzero((z >= camera.near) & (self._opacities >= MIN_ALPHA))[:, 0]
        x, y, z, u, v = (values[kept] for values in (x, y, z, u, v))
        a, b, c = _screen_covariances(x / z, y / z, z, turn @ self._spread[kept] @ turn.T, camera)
        opacities = self._opacities[kept]
        reach = torch.sqrt(2.0 * torch.log(opacities / MIN_ALPHA))
        wide, high = reach * a.sqrt(), reach * c.sqrt()
        shown = (u + wide > 0) & (u - wide < camera.width)
        shown &= (v + high > 0) & (v - high < camera.height)
        shown = torch.nonzero(shown)[:, 0]
        shown = shown[torch.argsort(z[shown], stable=True)]
        a, b, c, u, v, wide, high = (values[shown] for values in (a, b, c, u, v, wide, high))
        area = a * c - b * b
        colours = self._colours(kept[shown].numpy(), camera)
        items = torch.column_stack(
            [u, v, c / area, -b / area, a / area, opacities[shown], colours, z[shown]]
        )
        return items, torch.stack([u - wide, u + wide, v - high, v + high], dim=1)

    def _colours(self, chosen: np.ndarray, camera: RenderCamera) -> Tensor:
        cloud = self._cloud
        away = cloud.means[chosen] - camera.pose[:3, 3]
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        lobes = np.einsum('nk,nkc->nc', harmonics.basis(away, cloud.sh_degree), cloud.sh[chosen])
        return torch.from_numpy(np.maximum(0.0, 0.5 + lobes).astype(np.float32))


def _screen_covariances(
    tx: Tensor, ty: Tensor, z: Tensor, spread: Tensor, camera: RenderCamera
) -> tuple[Tensor, Tensor, Tensor]:
    """Return xx, xy and yy, pixels^2, of gaussians at tangents tx, ty with `[N, 3, 3]` spread."""
    margin_x = CLAMP_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = CLAMP_MARGIN * 0.5 * camera.height / camera.fy
    left, right = -camera.cx / camera.fx, (camera.width - camera.cx) / camera.fx
    up, down = -camera.cy / camera.fy, (camera.height - camera.cy) / camera.fy
    jacobian = torch.zeros(len(z), 2, 3)
    jacobian[:, 0, 0] = camera.fx / z
    jacobian[:, 0, 2] = -camera.fx * tx.clamp(left - margin_x, right + margin_x) / z
    jacobian[:, 1, 1] = camera.fy / z
    jacobian[:, 1, 2] = -camera.fy * ty.clamp(up - margin_y, down + margin_y) / z
    flat = jacobian @ spread @ jacobian.transpose(1, 2)
    return flat[:, 0, 0] + DILATION, flat[:, 0, 1], flat[:, 1, 1] + DILATION


def _bin(boxes: Tensor, columns: int, rows: int) -> tuple[Tensor, list[int]]:
    """Return item indices sorted by tile, near to far in each, and where each tile starts."""
    low_x, high_x = (
        (boxes[:, side] / TILE).floor().long().clamp(0, columns - 1) for side in (0, 1)
    )
    low_y, high_y = ((boxes[:, side] / TILE).floor().long().clamp(0, rows - 1) for side in (2, 3))
    across = high_x - low_x + 1
    counts = across * (high_y - low_y + 1)
    item = torch.repeat_interleave(torch.arange(len(boxes)), counts)
    within = torch.arange(len(item)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    tile = (low_y[item] + within // across[item]) * columns + low_x[item] + within % across[item]
    order = torch.argsort(tile, stable=True)
    starts = torch.zeros(columns * rows + 1, dtype=torch.long)
    starts[1:] = torch.bincount(tile, minlength=columns * rows).cumsum(0)
    return item[order], starts.tolist()


def _blend(items: Tensor, left: int, top: int) -> tuple[Tensor, Tensor, Tensor]:
    """Blend a tile's items; return colour `[T, T, 3]`, light and depth `[T, T]`."""
    y, x = torch.meshgrid(torch.arange(TILE), torch.arange(TILE), indexing='ij')
    px, py = (x.reshape(-1) + left + 0.5), (y.reshape(-1) + top + 0.5)
    light, ended = torch.ones(TILE * TILE), torch.zeros(TILE * TILE, dtype=torch.bool)
    colour, depth = torch.zeros(TILE * TILE, 3), torch.full((TILE * TILE,), torch.inf)
    for first in range(0, len(items), STEP):
        some = items[first : first + STEP]
        dx, dy = px - some[:, :1], py - some[:, 1:2]
        q = some[:, 2:3] * dx * dx + 2 * some[:, 3:4] * dx * dy + some[:, 4:5] * dy * dy
        # Beyond 12 nothing is drawn, and exp of large negative numbers is slow.
        alpha = (some[:, 5:6] * torch.exp(-0.5 * q.clamp(max=12.0))).clamp(max=MAX_ALPHA)
        alpha[alpha < MIN_ALPHA] = 0.0
        left_light = light * torch.cumprod(1.0 - alpha, dim=0)
        before = torch.cat([light[None], left_light[:-1]])
        drawn = (left_light > MIN_TRANSMITTANCE) & ~ended
        weight = torch.where(drawn, before * alpha, 0.0)
        colour += weight.T @ some[:, 6:9]
        half = drawn & (before > MEDIAN_TRANSMITTANCE) & (left_light <= MEDIAN_TRANSMITTANCE)
        depth = torch.where(half.any(0), some[half.int().argmax(0), 9], depth)
        # Light only falls, so what was drawn is a beginning of the list.
        count = drawn.sum(0)
        last = left_light.gather(0, (count - 1).clamp(min=0)[None])[0]
        light = torch.where(count > 0, last, light)
        ended |= count < len(some)
        if bool(ended.all()):
            break
    shape = (TILE, TILE)
    return colour.reshape(*shape, 3), light.reshape(shape), depth.reshape(shape)
