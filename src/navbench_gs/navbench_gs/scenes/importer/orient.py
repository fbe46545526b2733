"""Which way is up in a capture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transforms3d.axangles import axangle2mat

from navbench_gs.scenes.importer.options import Up
from navbench_gs.scenes.importer.samples import elements
from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]

_ROTATIONS: dict[str, list[list[float]]] = {
    '+z': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    '-z': [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    '+y': [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    '-y': [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
}
"""Rows of z-up scene <- capture, by the capture's axis that points up."""


SMALL_TILT = np.deg2rad(4.0)
"""Tilts up to this are taken for the ground's own slope: 7 %."""
LEVEL = 0.85
"""Cosine of the angle up to which a surface counts as level: 32 deg."""
_CANDIDATES: tuple[tuple[Up, int, float], ...] = (
    ('+z', 2, 1.0), ('-z', 2, -1.0), ('+y', 1, 1.0), ('-y', 1, -1.0)
)


def rotation(up: str) -> Float:
    """Return the `[3, 3]` rotation that turns the named axis to +z."""
    return np.array(_ROTATIONS[up], dtype=np.float64)


def find_up(cloud: GaussianCloud, unit: float = 1.0) -> Up:
    """Return the axis of a capture that most likely points up.

    A floor is a thin layer of level surface with most of the scene on its upper side. The score
    of a candidate is the area in its best layer 0.3 m thick, times the part of all matter that
    lies above that layer. Where both directions of an axis score alike there is a ceiling: then
    seats, tables and steps tell, which are nearer to the floor. +z wins unless another axis
    scores 1.5 times as much (-z: twice), since most published captures are z-up already.

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
    floors: dict[Up, float] = {}
    for name, axis, sign in _CANDIDATES:
        scores[name], floors[name] = _score(
            sign * unit * matter.means[:, axis], matter.normals[:, axis], matter.weights
        )
    if max(scores['+y'], scores['-y']) > 1.5 * scores['+z']:
        first, second = sorted((scores['+y'], scores['-y']))
        upward = scores['+y'] > scores['-y']
        if first > 0.5 * second:
            flat = np.abs(matter.normals[:, 1]) > LEVEL
            upward = _furnished_low(
                unit * matter.means[flat, 1], matter.weights[flat], floors['+y'], -floors['-y']
            )
        return '+y' if upward else '-y'
    return '-z' if scores['-z'] > 2.0 * scores['+z'] else '+z'


def find_tilt(cloud: GaussianCloud) -> Float:
    """Return the `[3, 3]` rotation that levels a capture whose z axis is roughly up.

    Reconstructions without a gravity sensor come out tilted. The floor's normal is the dominant
    direction of surface normals near z: the principal axis of all normals within 30 degrees,
    sought anew around each result. A tilt below `SMALL_TILT` may be the ground's own slope and
    is left alone (identity).
    """
    matter = elements(cloud)
    normals = matter.normals * np.where(matter.normals[:, 2:] < 0.0, -1.0, 1.0)
    up = np.array([0.0, 0.0, 1.0])
    for cosine in (0.86, 0.92, 0.96, 0.98, 0.98):
        near = normals @ up > cosine
        if not near.any():
            return np.eye(3)
        spread = (normals[near] * matter.weights[near, None]).T @ normals[near]
        up = np.linalg.eigh(spread)[1][:, 2]
        up = up if up[2] > 0.0 else -up
    if up[2] > np.cos(SMALL_TILT):
        return np.eye(3)
    axis = np.cross(up, (0.0, 0.0, 1.0))
    angle = float(np.arctan2(np.linalg.norm(axis), up[2]))
    return np.asarray(axangle2mat(axis, angle), dtype=np.float64)


def _score(height: Float, facing: Float, weights: Float) -> tuple[float, float]:
    """Return area of the best level layer times the part of the scene above it, and its height."""
    flat = np.abs(facing) > LEVEL
    if not flat.any():
        return 0.0, 0.0
    bins = np.floor((height - height.min()) / 0.15).astype(np.int64)
    layers = np.bincount(bins[flat], weights[flat], bins.max() + 2)
    mass = np.bincount(bins, weights, bins.max() + 2)
    thick = layers[:-1] + layers[1:]
    above = 1.0 - np.cumsum(mass)[1:] / mass.sum()
    best = int(np.argmax(thick * above))
    return float(thick[best] * above[best]), float(height.min()) + 0.15 * (best + 1)


def _furnished_low(height: Float, weights: Float, low: float, high: float) -> bool:
    """Whether the level matter between two layers is nearer to the lower one."""
    middle = 0.5 * (low + high)
    near_low = (height > low + 0.3) & (height < middle)
    near_high = (height < high - 0.3) & (height >= middle)
    return float(weights[near_low].sum()) >= float(weights[near_high].sum())
