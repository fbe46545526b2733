"""Draws gaussians on the CPU so that torch can go back through the picture."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import MIN_ALPHA
from s2e_training.reconstruct import blend
from s2e_training.reconstruct.gaussians import Gaussians
from s2e_training.reconstruct.project import Prints, colours, optical_from_scene, project


@dataclass(frozen=True)
class _Lists:
    """What `blend` needs of one picture."""

    items: NDArray[np.float32]
    boxes: NDArray[np.int32]
    starts: NDArray[np.int64]
    entries: NDArray[np.int32]


class CpuRasteriser:
    """Draws pictures of gaussians; threads share a picture by tiles.

    Sums are taken tile by tile in one order, so the result does not depend on the threads.
    """

    def __init__(self, threads: int, background: tuple[float, float, float]) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._background = np.array(background, dtype=np.float32)

    def render(self, gaussians: Gaussians, camera: RenderCamera) -> Tensor:
        """Draw one view.

        Args:
            gaussians: what to draw, of SH degree 0 or 1.
            camera: from where.

        Returns:
            `[H, W, 3]` float32, not cut to [0, 1]; differentiable by every tensor of `gaussians`.
        """
        kept = visible(gaussians, camera)
        means, opacities = gaussians.means[kept], gaussians.opacities()[kept]
        prints = project(means, gaussians.quats[kept], gaussians.scales()[kept], camera)
        tints = colours(means, gaussians.sh[kept], camera)
        size = (camera.width, camera.height)
        return self.blend(prints, opacities, tints, size)

    def blend(
        self, prints: Prints, opacities: Tensor, tints: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Blend V footprints with opacities `[V]` and colours `[V, 3]` to `[H, W, 3]`."""
        return _Blend.apply(
            prints.centres, prints.covariances, opacities, tints, prints.depths, size, self
        )

    def there(self, lists: _Lists, size: tuple[int, int]) -> NDArray[np.float32]:
        """Return the picture of prepared lists."""
        image = np.empty((size[1], size[0], 3), dtype=np.float32)
        lights = np.empty((size[1], size[0]), dtype=np.float32)
        self._share(lists, lambda lot: blend.blend_tiles(
            lists.items, lists.boxes, lists.starts, lists.entries, lot, self._background, image,
            lights,
        ))
        return image

    def back(
        self, lists: _Lists, image: NDArray[np.float32], slopes: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the gradient records `[V, GRADIENT_SIZE]` of prepared lists."""
        records = np.zeros((len(lists.entries), blend.GRADIENT_SIZE), dtype=np.float32)
        self._share(lists, lambda lot: blend.blend_tiles_back(
            lists.items, lists.boxes, lists.starts, lists.entries, lot, image, slopes, records,
        ))
        sums = np.zeros((len(lists.items), blend.GRADIENT_SIZE), dtype=np.float32)
        blend.gather(lists.entries, records, sums)
        return sums

    def _share(self, lists: _Lists, work: Callable[[NDArray[np.int64]], None]) -> None:
        """Give each thread tiles of like weight."""
        order = np.argsort(-np.diff(lists.starts), kind='stable')
        list(self._pool.map(work, [order[k :: self._threads] for k in range(self._threads)]))


def visible(gaussians: Gaussians, camera: RenderCamera) -> Tensor:
    """Return the indices of gaussians that may touch the picture, front to back."""
    with torch.no_grad():
        means = gaussians.means
        optical = optical_from_scene(camera, means)
        x, y, z = (means @ optical[:3, :3].T + optical[:3, 3]).unbind(-1)
        # A gaussian ends at 3.33 standard deviations; the filter and the slope of the projection
        # widen it, by less than another third at the fields of view of photos.
        reach = 4.5 * gaussians.log_scales.amax(-1).exp() / z + 3.0 / camera.fx
        tx, ty = x / z, y / z
        inside = (z >= camera.near) & (gaussians.opacities() >= MIN_ALPHA)
        inside &= tx + reach > -camera.cx / camera.fx
        inside &= tx - reach < (camera.width - camera.cx) / camera.fx
        inside &= ty + reach > -camera.cy / camera.fy
        inside &= ty - reach < (camera.height - camera.cy) / camera.fy
        kept = inside.nonzero()[:, 0]
        return kept[torch.argsort(z[kept], stable=True)]


def _lists(
    centres: NDArray[np.float32], covariances: NDArray[np.float32],
    opacities: NDArray[np.float32], tints: NDArray[np.float32], size: tuple[int, int],
) -> _Lists:
    """Build the records and tile lists of footprints in ascending depth."""
    xx, xy, yy = covariances.astype(np.float64).T
    factor = -0.0625 / np.maximum(xx * yy - xy * xy, 1e-12)
    # Coverage stays below MIN_ALPHA outside this many squared standard deviations.
    reach = 2.0 * np.log(np.maximum(opacities.astype(np.float64) / MIN_ALPHA, 1.0))
    half = np.sqrt(reach[:, None] * np.stack([xx, yy], axis=1))
    limit = np.array(size) - 1
    low = np.ceil(np.clip(centres - half - 0.5, -1.0, limit + 1)).astype(np.int32)
    high = np.floor(np.clip(centres + half - 0.5, -1.0, limit + 1)).astype(np.int32)
    low, high = np.maximum(low, 0), np.minimum(high, limit)
    # What touches no pixel keeps its place, with a box that lies in no tile.
    empty = (low > high).any(axis=1)
    boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1).astype(np.int32)
    boxes[empty] = (0, -blend.TILE, 0, -blend.TILE)
    shape = np.stack([yy * factor, -2.0 * xy * factor, xx * factor], axis=1)
    items = np.concatenate([centres, shape, opacities[:, None], tints], axis=1, dtype=np.float32)
    columns, rows = -(-size[0] // blend.TILE), -(-size[1] // blend.TILE)
    counts = np.zeros(columns * rows, dtype=np.int64)
    blend.count_entries(boxes, columns, counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    entries = np.empty(int(starts[-1]), dtype=np.int32)
    blend.fill_entries(boxes, columns, starts[:-1].copy(), entries)
    return _Lists(items, boxes, starts, entries)


class _Blend(torch.autograd.Function):
    """Footprints to picture, and back."""

    @staticmethod
    def forward(
        ctx: Any, centres: Tensor, covariances: Tensor, opacities: Tensor, tints: Tensor,
        depths: Tensor, size: tuple[int, int], rasteriser: CpuRasteriser,
    ) -> Tensor:
        order = torch.argsort(depths, stable=True)
        parts = (centres, covariances, opacities, tints)
        arrays = [part.detach()[order].float().numpy() for part in parts]
        lists = _lists(arrays[0], arrays[1], arrays[2], arrays[3], size)
        image = rasteriser.there(lists, size)
        ctx.order, ctx.lists, ctx.image, ctx.rasteriser = order, lists, image, rasteriser
        ctx.save_for_backward(covariances, opacities)
        return torch.from_numpy(image)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        given = np.ascontiguousarray(slopes[0].numpy(), dtype=np.float32)
        sums = torch.from_numpy(ctx.rasteriser.back(ctx.lists, ctx.image, given))
        unsorted = torch.empty_like(sums)
        unsorted[ctx.order] = sums
        covariances, opacities = ctx.saved_tensors
        s, sx, sy, sxx, sxy, syy = unsorted[:, :6].to(covariances.dtype).unbind(-1)
        xx, xy, yy = covariances.unbind(-1)
        inverse = 1.0 / (xx * yy - xy * xy).clamp_min(1e-12)
        a, b, c = yy * inverse, -xy * inverse, xx * inverse
        # The exponent is -1/2 d^T P d with P the inverse covariance and d = pixel - centre: its
        # derivative is P d by the centre, and 1/2 P d d^T P by the covariance.
        by_centres = torch.stack([a * sx + b * sy, b * sx + c * sy], dim=-1)
        by_xx = 0.5 * (a * a * sxx + 2 * a * b * sxy + b * b * syy)
        by_xy = a * b * sxx + (a * c + b * b) * sxy + b * c * syy
        by_yy = 0.5 * (b * b * sxx + 2 * b * c * sxy + c * c * syy)
        by_covariances = torch.stack([by_xx, by_xy, by_yy], dim=-1)
        return by_centres, by_covariances, s / opacities, unsorted[:, 6:], None, None, None
