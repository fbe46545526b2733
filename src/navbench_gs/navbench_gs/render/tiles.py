"""Tile lists by the classic rule, in NumPy: what other back ends' own lists are held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.reference import Footprints

REACH = 3.33
"""Standard deviations that a bounding rectangle covers: sqrt(2 ln 255) = 3.329, beyond which no
opacity leaves a coverage of 1/255."""


@dataclass(frozen=True)
class TileLists:
    """Which gaussians each tile has to blend.

    Tile (column c, row r) is number r * columns + c; its list is `members[starts[n] :
    starts[n + 1]]`.
    """

    columns: int
    rows: int
    starts: NDArray[np.int64]
    """`[columns * rows + 1]`."""
    members: NDArray[np.int64]
    """Indices into the footprints, front to back within a tile."""

    def pairs(self) -> NDArray[np.int64]:
        """Return `[P, 2]` tile number and member."""
        tiles = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.stack([tiles, self.members], axis=1)


def bounding_radii(prints: Footprints, camera: RenderCamera) -> NDArray[np.int64]:
    """Return the half sizes `[N, 2]` of bounding rectangles, whole pixels; 0 beside the image.

    Source: gsplat, `fully_fused_projection`.
    """
    diagonal = np.diagonal(prints.covariances, axis1=1, axis2=2)
    radii = np.ceil(REACH * np.sqrt(diagonal))
    size = (camera.width, camera.height)
    inside = (prints.centres + radii > 0.0) & (prints.centres - radii < size)
    return np.where(inside.all(axis=1, keepdims=True), radii, 0.0).astype(np.int64)


def tile_lists(prints: Footprints, camera: RenderCamera, size: int) -> TileLists:
    """List, for each tile of `size` pixels, the gaussians whose bounding rectangle meets it.

    Source: gsplat, `isect_tiles` and `isect_offset_encode`.
    """
    columns, rows = -(-camera.width // size), -(-camera.height // size)
    radii = bounding_radii(prints, camera)
    first = np.clip(np.floor((prints.centres - radii) / size), 0, (columns, rows)).astype(np.int64)
    last = np.clip(np.ceil((prints.centres + radii) / size), 0, (columns, rows)).astype(np.int64)
    spans = np.where(radii > 0, last - first, 0)
    counts = spans.prod(axis=1)
    members = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(members)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide = spans[members, 0]
    tiles = (first[members, 1] + within // wide) * columns + first[members, 0] + within % wide
    # Footprints are in ascending depth and the sort is stable: lists run front to back.
    order = np.argsort(tiles, kind='stable')
    starts = np.searchsorted(tiles[order], np.arange(columns * rows + 1))
    return TileLists(columns, rows, starts.astype(np.int64), members[order])
