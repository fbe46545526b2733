"""Which way is up in a capture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transforms3d.axangles import axangle2mat

from navbench_gs.scenes.importer.options import Up
from navbench_gs.scenes.importer.samples import Elements, elements
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
"""Tilts up to this are left alone unless walls are sure: the ground's own slope may be 7 %."""
LEVEL = 0.85
"""Cosine of the angle up to which a surface counts as level: 32 deg."""
UPRIGHT = (0.34, 0.26, 0.17, 0.12, 0.09, 0.09, 0.09)
"""Sines of the angles off the vertical up to which a surface counts as upright, ever tighter."""
PLUMB = 0.05
"""Sine of 3 degrees: surfaces that a builder or gravity made upright."""
NEAREST = 1e-3
"""Pull towards the last axis, against a pull of about 0.5 of walls in two directions."""
WALL_SHARE = 0.03
"""Least part of all matter that must be plumb for walls to tell what is up."""
WALL_PEAK = 0.2
"""Least part of what is within 20 degrees of upright that must be plumb; without walls 0.147."""
WALL_SURE = 0.5
"""From this part on walls are trusted to a fraction of a degree. Generated cities have 0.97, two
real captures 0.24: parts of those disagree by 2 to 4 degrees."""
_AXES: tuple[Up, ...] = ('+z', '-z', '+y', '-y')


def rotation(up: str) -> Float:
    """Return the `[3, 3]` rotation that turns the named axis to +z."""
    return np.array(_ROTATIONS[up], dtype=np.float64)


def find_up(cloud: GaussianCloud, unit: float = 1.0) -> Up:
    """Return the axis of a capture that most likely points up.

    A floor is a thin layer of level surface with most of the scene on its upper side. The score
    of a candidate is the area in its best layer 0.3 m thick, times the part of all matter that
    lies above that layer. Where both directions of an axis score alike there is a ceiling: then
    seats, tables and steps tell, which are nearer to the floor. The z axis wins unless y scores
    1.5 times as much, and +z unless -z scores twice as much, since most published captures are
    z-up already.

    Args:
        cloud: the capture in its own frame.
        unit: metres per unit of the capture.
    """
    matter = elements(cloud)
    # The middle of the scene decides: stray gaussians lie hundreds of metres away.
    low, high = np.percentile(matter.means, [5.0, 95.0], axis=0)
    inside = ((matter.means >= low - 1.0) & (matter.means <= high + 1.0)).all(axis=1)
    matter = matter.select(inside)
    views = {name: _Upright(matter, name, unit) for name in _AXES}
    scores = {name: view.score for name, view in views.items()}
    if max(scores['+y'], scores['-y']) > 1.5 * max(scores['+z'], scores['-z'] / 2.0):
        upward = _points_up(views['+y'], views['-y'], 1.0)
        return '+y' if upward else '-y'
    return '+z' if _points_up(views['+z'], views['-z'], 2.0) else '-z'


def _points_up(plus: _Upright, minus: _Upright, odds: float) -> bool:
    """Whether the first of two opposite axes is up.

    Args:
        plus: The scene as the first axis would have it.
        minus: As the other would.
        odds: How many times as well the other must score.
    """
    first, second = sorted((plus.score, minus.score))
    if first > 0.5 * second:
        return plus.furnished_low(-minus.floor)
    return minus.score <= odds * plus.score


def find_tilt(cloud: GaussianCloud) -> Float:
    """Return the `[3, 3]` rotation that levels a capture whose z axis is roughly up.

    Reconstructions without a gravity sensor come out tilted. Walls, posts and trunks are upright
    whatever the ground does, so where there are enough of them they tell, else the floor does.
    Unless walls are sure, a tilt below `SMALL_TILT` is left alone (identity).
    """
    matter = elements(cloud)
    up = floor_normal(matter.normals, matter.weights)
    sure = 0.0
    if (walls := wall_axis(matter.normals, matter.weights, up)) is not None:
        up, sure = walls
    if sure < WALL_SURE and up[2] > np.cos(SMALL_TILT):
        return np.eye(3)
    return _levelling(up)


def floor_normal(normals: Float, weights: Float) -> Float:
    """Return the dominant direction `[3]` of surfaces near z.

    It is the principal axis of all normals within 30 degrees, sought anew around each result; z
    itself where there are none.
    """
    upward = normals * np.where(normals[:, 2:] < 0.0, -1.0, 1.0)
    up = np.array([0.0, 0.0, 1.0])
    for cosine in (0.86, 0.92, 0.96, 0.98, 0.98):
        near = upward @ up > cosine
        if not near.any():
            return np.array([0.0, 0.0, 1.0])
        spread = (upward[near] * weights[near, None]).T @ upward[near]
        up = np.linalg.eigh(spread)[1][:, 2]
        up = up if up[2] > 0.0 else -up
    return np.asarray(up, dtype=np.float64)


def wall_axis(normals: Float, weights: Float, start: Float) -> tuple[Float, float] | None:
    """Return the direction `[3]` that upright surfaces agree on and how many of them do.

    The second is the plumb part of what is within 20 degrees of upright; None stands for too few
    upright surfaces. The direction is the axis to which the normals of upright surfaces are most
    square, sought from `start` until it stays: on two real captures the same answer to 0.01
    degrees from 0 to 25 degrees off.
    """
    up, total = start, weights.sum()
    for _ in range(8):
        new = up
        for sine in UPRIGHT:
            near = np.abs(normals @ new) < sine
            if weights[near].sum() < WALL_SHARE * total:
                return None
            spread = (normals[near] * weights[near, None]).T @ normals[near]
            # Walls of one direction leave a plane of axes open: then the nearest one is taken.
            spread += NEAREST * weights[near].sum() * (np.eye(3) - np.outer(new, new))
            axis = np.linalg.eigh(spread)[1][:, 0]
            new = axis if axis @ new > 0.0 else -axis
        moved = float(np.linalg.norm(new - up))
        up = new
        if moved < 1e-3:
            break
    off = np.abs(normals @ up)
    plumb = float(weights[off < PLUMB].sum())
    peak = plumb / float(weights[off < UPRIGHT[0]].sum())
    if plumb < WALL_SHARE * total or peak < WALL_PEAK:
        return None
    return np.asarray(up, dtype=np.float64), peak


def _levelling(up: Float) -> Float:
    """Return the `[3, 3]` rotation that turns a unit vector to z by the shortest way."""
    axis = np.cross(up, (0.0, 0.0, 1.0))
    angle = float(np.arctan2(np.linalg.norm(axis), up[2]))
    if angle < 1e-6:
        return np.eye(3)
    return np.asarray(axangle2mat(axis, angle), dtype=np.float64)


class _Upright:
    """Matter with one axis taken for up, and levelled: a tilted floor is a layer only then."""

    def __init__(self, matter: Elements, name: Up, unit: float) -> None:
        turn = rotation(name)
        turn = _levelling(floor_normal(matter.normals @ turn.T, matter.weights)) @ turn
        self._height = unit * matter.means @ turn[2]
        self._flat = np.abs(matter.normals @ turn[2]) > LEVEL
        self._weights = matter.weights
        self.score, self.floor = _score(self._height, self._flat, matter.weights)

    def furnished_low(self, ceiling: float) -> bool:
        """Whether the level matter between floor and ceiling is nearer to the floor."""
        height, weights = self._height[self._flat], self._weights[self._flat]
        return _furnished_low(height, weights, self.floor, ceiling)


def _score(height: Float, flat: NDArray[np.bool_], weights: Float) -> tuple[float, float]:
    """Return area of the best level layer times the part of the scene above it, and its height."""
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
