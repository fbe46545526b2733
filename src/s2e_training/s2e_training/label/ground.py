"""The ground under the camera, and with it the scale: the true height over the found one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from s2e_training.label.mapping import Model

WINDOW = 12
"""Frames on each side whose points find one plane."""
STEP = 4
"""Frames from window to window."""
LEAN = np.cos(np.radians(25.0))
"""Planes whose normal leans further from the camera's up axis are no ground."""
NEAR = 0.15
"""Points this near the plane, in camera heights, lie on it: found points scatter, and a thinner
plane takes some dense layer among them."""
CORRIDOR = 1.5
"""Points within this many camera heights beside the way are ground that was walked over. Others
may lie deeper: of a street seen from the pavement more shows than of the pavement."""
REACH = 8.0
"""Points further than this many camera heights are too uncertain."""
FEWEST = 12
"""Points on the plane; fewer give no scale."""
TRIALS = 400
SPREAD = 0.15
"""Spread (MAD of the logarithm) of the windows' heights beyond which the scale has failed."""
VALID = 0.3
"""Share of windows that must have found a plane."""


@dataclass(frozen=True)
class Ground:
    """Heights over the ground along a model."""

    scale: np.ndarray
    """Metres per unit of the model at each frame. [K]"""
    up: np.ndarray
    """Mean normal, model frame. [3]"""
    support: np.ndarray
    """Points on the plane around each frame. [K]"""
    spread: float
    """MAD of the logarithm of the windows' heights."""


def find_ground(model: Model, height: float) -> Ground | str:
    """Estimate the scale window by window.

    Args:
        model: The reconstruction.
        height: True camera height, metres.

    Returns:
        The ground, or why there is none.
    """
    count = len(model.frames)
    centres = range(0, count, STEP)
    beside = _beside(model)
    planes = _planes(model, centres, beside)
    if len(planes) < VALID * len(centres):
        # Who films sideways never sees the ground that is walked over.
        planes = _planes(model, centres, np.zeros_like(beside))
    if len(planes) < max(2, VALID * len(centres)):
        return f'scale failed: the ground was found in {len(planes)} of {len(centres)} windows'
    logs = np.log([plane[2] for plane in planes])
    support = np.array([plane[3] for plane in planes], float)
    middle = float(np.median(logs))
    spread = float(np.median(np.abs(logs - middle)))
    if spread > SPREAD:
        return f'scale failed: the heights of the windows spread by {spread:.0%}'
    at = np.array([plane[0] for plane in planes])
    frames = np.arange(count)
    line = _drift(at, logs, frames)
    up = np.mean([plane[1] for plane in planes], axis=0)
    return Ground(
        height / np.exp(line), up / np.linalg.norm(up),
        np.interp(frames, at, support), spread,
    )


def _drift(at: np.ndarray, logs: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return the logarithm of the height at every frame: a median, or a line where it drifts.

    Theil and Sen's line ignores up to 29 % of the windows, those that took a kerb or a bonnet
    for the ground. Within a chunk the true drift is slow and a window's own height is noisy:
    following each window bends the path more than a common scale does.
    """
    slope, middle, low, high = stats.theilslopes(logs, at, 0.95)
    if low <= 0.0 <= high:
        return np.full(len(frames), np.median(logs))
    return np.asarray(middle + slope * np.clip(frames, at[0], at[-1]))


def metric_positions(poses: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Add up the steps, each in its own scale. poses [K, 4, 4], scale [K] -> metres [K, 3]"""
    steps = np.diff(poses[:, :3, 3], axis=0)
    steps = steps * (0.5 * (scale[1:] + scale[:-1]))[:, None]
    return np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])


def _beside(model: Model) -> np.ndarray:
    """Distance of each point to the cameras' way, seen from above, in the model's unit. [P]"""
    up = -model.poses[:, :3, 1].mean(axis=0)
    up /= np.linalg.norm(up)
    level = np.eye(3) - np.outer(up, up)
    points, way = model.points @ level, model.poses[:, :3, 3] @ level
    found = np.full(len(points), np.inf)
    for a, b in pairwise(way):
        along = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0.0, 1.0)
        found = np.minimum(found, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    return found


def _planes(
    model: Model, centres: range, beside: np.ndarray
) -> list[tuple[int, np.ndarray, float, int]]:
    """Return the planes about some frames: frame, normal, height, points on it."""
    rng, count, found = np.random.default_rng(0), len(model.frames), []
    for centre in centres:
        window = range(max(0, centre - WINDOW), min(count, centre + WINDOW + 1))
        plane = _plane(model, window, rng, beside)
        if plane is not None:
            found.append((centre, *plane))
    return found


def _plane(
    model: Model, window: range, rng: np.random.Generator, beside: np.ndarray
) -> tuple[np.ndarray, float, int] | None:
    """Return normal, mean height of the cameras over the plane and the number of its points."""
    poses = model.poses[window.start:window.stop]
    up = -poses[:, :3, 1].mean(axis=0)
    up /= np.linalg.norm(up)
    centres = poses[:, :3, 3]
    ids = np.unique(np.concatenate([model.seen[k] for k in window]))
    points = model.points[ids]
    # Below every camera by more than 3 degrees, seen from the nearest one.
    gaps = points[:, None] - centres[None]
    distance = np.linalg.norm(gaps, axis=2)
    nearest = distance.argmin(axis=1)
    gap = gaps[np.arange(len(points)), nearest]
    below = -(gap @ up) > 0.05 * distance.min(axis=1)
    points, distance, beside = points[below], distance.min(axis=1)[below], beside[ids][below]
    if len(points) < FEWEST:
        return None
    best, chosen = 0.0, None
    for _ in range(TRIALS):
        a, b, c = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-12:
            continue
        normal = normal / length * np.sign(normal @ up)
        heights = (centres - a) @ normal
        level = float(heights.mean())
        if normal @ up < LEAN or level <= 0 or heights.std() > 0.15 * level:
            continue
        on = (np.abs((points - a) @ normal) < NEAR * level) & (distance < REACH * level)
        on &= beside < CORRIDOR * level
        if on.sum() > best:
            best, chosen = float(on.sum()), on
    return None if chosen is None else _refine(
        points, chosen, centres, up, (distance, beside))


def _refine(
    points: np.ndarray, on: np.ndarray, centres: np.ndarray, up: np.ndarray,
    apart: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, float, int] | None:
    """Fit the plane by least squares, twice."""
    normal, level, (distance, beside) = up, 0.0, apart
    for _ in range(3):
        if on.sum() < FEWEST:
            return None
        middle = points[on].mean(axis=0)
        normal = np.linalg.svd(points[on] - middle)[2][2]
        normal = normal * np.sign(normal @ up)
        level = float(((centres - middle) @ normal).mean())
        if level <= 0 or normal @ up < LEAN:
            return None
        on = np.abs((points - middle) @ normal) < NEAR * level
        on &= (distance < REACH * level) & (beside < CORRIDOR * level)
    return normal, level, int(on.sum())
