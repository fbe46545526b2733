"""Quantisers for the SOG writer: 256-entry codebooks and palettes of whole vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ENTRIES = 256
PALETTE_LIMIT = 4096
"""Largest palette written; the format allows 65536, but 4096 sets are found in seconds."""
_HISTOGRAM = 65536
_ROUNDS = 12
_PALETTE_ROUNDS = 4
_SAMPLE = 60_000


def build_codebook(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 256 ascending values with small squared error over `values` (Lloyd's algorithm).

    Values that are already few (at most 256 different ones) are kept exactly.
    """
    flat = values.ravel()
    different = np.unique(flat[:: max(1, flat.size // 4096)])
    if different.size <= ENTRIES:
        different = np.unique(flat)
    if different.size <= ENTRIES:
        return np.concatenate([different, np.full(ENTRIES - different.size, different[-1])])
    low, high = float(flat.min()), float(flat.max())
    weights, edges = np.histogram(flat, bins=_HISTOGRAM, range=(low, high))
    # A little of the mass is spread evenly, or the few extreme values (sky, saturated colours)
    # would share entries far from them: with 3 % the worst colour coefficient of 3,000 random
    # gaussians lies 0.01 from its entry, without 0.12.
    weights = weights + 0.03 * flat.size / _HISTOGRAM
    centres = 0.5 * (edges[:-1] + edges[1:])
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    moment = np.concatenate([[0.0], np.cumsum(weights * centres)])
    # Quantiles of the cube root of the density are close to the optimum already.
    root = np.cumsum(np.cbrt(weights))
    entries = np.interp((np.arange(ENTRIES) + 0.5) / ENTRIES * root[-1], root, centres)
    entries[0], entries[-1] = low, high
    for _ in range(_ROUNDS):
        borders = np.searchsorted(centres, 0.5 * (entries[:-1] + entries[1:]))
        borders = np.concatenate([[0], borders, [_HISTOGRAM]])
        held = np.diff(mass[borders])
        means = np.diff(moment[borders]) / np.maximum(held, 1.0)
        entries = np.where(held > 0, means, entries)
    return np.sort(entries)


def nearest_entry(values: NDArray[np.float64], codebook: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return, for each value, the index of the closest entry of an ascending codebook."""
    borders = 0.5 * (codebook[:-1] + codebook[1:])
    return np.searchsorted(borders, values).astype(np.int64)


def build_palette(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cluster `[N, D]` vectors into at most 4096; return `[P, D]` and labels `[N]`.

    k-means on a fixed sample from evenly spaced starting vectors: the same input gives the
    same palette.
    """
    # Only writers get here, and the import takes half of the time to import the readers.
    from scipy.spatial import cKDTree

    sample = vectors[:: max(1, len(vectors) // _SAMPLE)]
    size = min(PALETTE_LIMIT, len(sample))
    palette = sample[np.linspace(0, len(sample) - 1, size).astype(np.int64)].astype(np.float64)
    for _ in range(_PALETTE_ROUNDS):
        _, labels = cKDTree(palette).query(sample, eps=0.2)
        held = np.bincount(labels, minlength=size)
        for axis in range(palette.shape[1]):
            total = np.bincount(labels, weights=sample[:, axis], minlength=size)
            palette[:, axis] = np.where(held > 0, total / np.maximum(held, 1), palette[:, axis])
    _, labels = cKDTree(palette).query(vectors, eps=0.2)
    return palette.astype(np.float32), labels.astype(np.int64)
