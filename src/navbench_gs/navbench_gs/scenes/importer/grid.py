"""The fine grid of an import: around the coarse floor, which is its first guess of the height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.importer.floor import COARSE, CoarseFloor, filled

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

MARGIN = 2.0
"""Ground kept around the floor that was seen, metres."""


@dataclass(frozen=True)
class FineGrid:
    """Rows follow y, columns follow x."""

    origin: Float
    """`[2]` corner of cell (0, 0), metres."""
    resolution: float
    """Edge of a cell, metres."""
    guess: Float
    """`[R, C]` z of the coarse floor, filled and smooth."""
    known: Mask
    """`[R, C]` within two coarse cells of where that was seen."""

    def cells(self, points: Float) -> tuple[NDArray[np.int64], Mask]:
        """Return the flat cell of each point `[N, 2+]` that lies inside, and which do."""
        rows, columns = self.guess.shape
        cell = np.floor((points[:, :2] - self.origin) / self.resolution).astype(np.int64)
        inside = np.asarray(((cell >= 0) & (cell < (columns, rows))).all(axis=1))
        return cell[inside, 1] * columns + cell[inside, 0], inside

    def count(self, metres: float) -> int:
        """Return the odd number of cells nearest to a length, at least 1."""
        return 2 * max(0, round(0.5 * (metres / self.resolution - 1.0))) + 1


def fine_grid(coarse: CoarseFloor, resolution: float) -> FineGrid:
    """Lay a grid around a coarse floor.

    Args:
        coarse: Where floor was seen.
        resolution: Edge of a cell, metres.
    """
    seen = np.isfinite(coarse.height)
    rows, columns = np.nonzero(seen)
    low = coarse.origin + np.array([columns.min(), rows.min()]) * COARSE - MARGIN
    high = coarse.origin + np.array([columns.max() + 1, rows.max() + 1]) * COARSE + MARGIN
    low = np.floor(low / resolution) * resolution
    across, along = np.ceil((high - low) / resolution).astype(np.int64)
    y = ((np.arange(along) + 0.5) * resolution + low[1] - coarse.origin[1]) / COARSE
    x = ((np.arange(across) + 0.5) * resolution + low[0] - coarse.origin[0]) / COARSE
    places = np.meshgrid(y - 0.5, x - 0.5, indexing='ij')
    whole = ndimage.gaussian_filter(filled(coarse.height, 2.0), 0.7)
    guess = np.asarray(ndimage.map_coordinates(whole, places, order=1, mode='nearest'))
    around = ndimage.binary_dilation(seen, iterations=2)
    last_row, last_column = seen.shape[0] - 1, seen.shape[1] - 1
    known = around[np.ix_(
        np.clip(y.astype(np.int64), 0, last_row), np.clip(x.astype(np.int64), 0, last_column)
    )]
    return FineGrid(low, resolution, guess, known)
