"""Which way is up in a capture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.importer.options import Up
from navbench_gs.scenes.importer.samples import elements
from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]

_ROTATIONS: dict[str, list[list[float]]] = {
    'z': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    '-z': [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    'y': [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    '-y': [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
}
"""Rows of z-up scene <- capture, by the capture's axis that points up."""


def rotation(up: str) -> Float:
    """Return the `[3, 3]` rotation that turns the named axis to +z."""
    return np.array(_ROTATIONS[up], dtype=np.float64)


def find_up(cloud: GaussianCloud, unit: float = 1.0) -> Up:
    """Return the axis of a capture that most likely points up.

    A floor is a thin layer of level surface with most of the scene on its upper side. The score
    of a candidate is the area in its best layer 0.3 m thick, times the part of all matter that
    lies above that layer. z wins unless another axis scores 1.5 times as much, since most
    published captures are z-up already.

    Args:
        cloud: the capture in its own frame.
        unit: metres per unit of the capture.
    """
    matter = elements(cloud)
    # The middle of the scene decides: stray gaussians lie hundreds of metres away.
    low, high = np.percentile(matter.means, [5.0, 95.0], axis=0)
    inside = ((matter.means >= low - 1.0) & (matter.means <= high + 1.0)).all(axis=1)
    matter = matter.select(inside)
    scores: dict[Up, float] = {}
    axes: tuple[tuple[Up, int, float], ...] = (('z', 2, 1.0), ('y', 1, 1.0), ('-y', 1, -1.0))
    for name, axis, sign in axes:
        height = sign * matter.means[:, axis] * unit
        flat = np.abs(matter.normals[:, axis]) > 0.85
        if not flat.any():
            scores[name] = 0.0
            continue
        bins = np.floor((height - height.min()) / 0.15).astype(np.int64)
        layers = np.bincount(bins[flat], matter.weights[flat], bins.max() + 2)
        mass = np.bincount(bins, matter.weights, bins.max() + 2)
        thick = layers[:-1] + layers[1:]
        above = 1.0 - np.cumsum(mass)[1:] / mass.sum()
        scores[name] = float(np.max(thick * above))
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 1.5 * scores['z'] else 'z'
