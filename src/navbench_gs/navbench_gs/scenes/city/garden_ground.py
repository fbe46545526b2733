"""The ground of a garden: gravel, slabs or asphalt on the paths, grass, mulch and water."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.city.gardens import RAISED
from navbench_gs.scenes.city.ground import (
    EAST,
    FINE,
    LAWN_SPACING,
    UP,
    add_level,
    floor_at,
    hashed,
    lay_outskirts,
    pave,
    sample_labels,
    smooth_noise,
)
from navbench_gs.scenes.city.plan import BED, LAWN, PLAZA, RESOLUTION, WATER, Plan
from navbench_gs.scenes.surfels import OVERLAP, SurfelList, Surfels

Float = NDArray[np.float64]

_GRAVEL = np.array([[0.62, 0.56, 0.46], [0.54, 0.53, 0.50], [0.66, 0.62, 0.56], [0.50, 0.41, 0.33],
                    [0.40, 0.40, 0.41]])
_GRASS = np.array([[0.22, 0.40, 0.12], [0.33, 0.43, 0.17], [0.40, 0.40, 0.20]])
_MULCH = np.array([[0.27, 0.20, 0.15], [0.33, 0.27, 0.21], [0.20, 0.16, 0.13]])


def make_garden_ground(
    plan: Plan, height: NDArray[np.float32], rng: np.random.Generator
) -> Surfels:
    """Cover the ground of a garden and a margin around it."""
    seed = int(rng.integers(1 << 30))
    out = SurfelList()
    paths, _ = sample_labels(plan, FINE, (PLAZA,))
    cover = pave if rng.random() < 0.5 else _gravel
    colours = _bordered(plan, paths, cover(paths, rng, seed), rng)
    add_level(out, plan, height, paths, FINE, colours)
    points, labels = sample_labels(plan, LAWN_SPACING, (LAWN, BED, WATER))
    colours, lift = _green(points, labels, rng, seed)
    if plan.open_lawns and rng.random() < 0.5:
        slabs = _stepping_stones(plan, points, rng) & (labels == LAWN)
        colours[slabs], lift[slabs] = rng.uniform(0.4, 0.65), 0.01
    size = OVERLAP * LAWN_SPACING
    z = floor_at(plan, height, points) + lift
    out.add(np.column_stack([points, z]), UP, EAST, (size, size), colours)
    _edging(out, plan, height)
    lay_outskirts(out, plan)
    return out.joined()


def _gravel(xy: Float, rng: np.random.Generator, seed: int) -> Float:
    """Colour loose stones: grain by grain, with worn tracks and leaves on it."""
    base = _GRAVEL[rng.integers(len(_GRAVEL))] * rng.uniform(0.85, 1.1)
    grain = hashed(*(np.floor(xy / FINE).astype(np.int64).T), seed=seed + 3) - 0.5
    shade = 1.0 + rng.uniform(0.1, 0.4) * grain + 0.25 * (smooth_noise(xy, 1.8, seed + 4) - 0.5)
    colours = base * shade[:, None]
    fallen = hashed(*(np.floor(xy / FINE).astype(np.int64).T), seed=seed + 5)
    colours[fallen < rng.uniform(0.0, 0.06)] = (0.36, 0.28, 0.12)
    return np.asarray(colours)


def _apart(plan: Plan, xy: Float, paths: bool) -> Float:
    """Return how far points `[N, 2]` lie from where there are paths, or are none, metres."""
    gap = ndimage.distance_transform_edt((plan.labels == PLAZA) ^ paths) * RESOLUTION
    cell = np.clip(((xy + plan.half) / RESOLUTION).astype(np.int64), 0, len(gap) - 1)
    return np.asarray(gap[cell[:, 1], cell[:, 0]])


def _bordered(plan: Plan, xy: Float, colours: Float, rng: np.random.Generator) -> Float:
    """Lay bands of other stone along the edges of the paths, in most gardens."""
    if rng.random() < 0.3:
        return colours
    gap = _apart(plan, xy, paths=False)
    start, width = rng.uniform(0.0, 0.5), rng.uniform(0.15, 0.4)
    band = (gap > start) & (gap < start + width)
    return np.where(band[:, None], colours * rng.uniform(0.4, 0.75), colours)


def _stepping_stones(plan: Plan, xy: Float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which points `[N, 2]` lie on slabs set into the grass beside the paths."""
    gap = _apart(plan, xy, paths=True)
    size, joint = rng.uniform(0.6, 0.9), rng.uniform(0.25, 0.45)
    shifted = xy + 0.25 * (smooth_noise(xy, 1.0, 7)[:, None] - 0.5)
    inside = (np.mod(shifted, size + joint) < size).all(axis=-1)
    return np.asarray(inside & (gap < rng.uniform(2.0, 5.0)))


def _edging(out: SurfelList, plan: Plan, height: NDArray[np.float32]) -> None:
    """Set stones around beds and ponds."""
    inside = np.isin(plan.labels, (BED, WATER))
    rows, columns = np.nonzero(inside & ~ndimage.binary_erosion(inside))
    xy = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + 0.5 * RESOLUTION
    stone = np.column_stack([xy, floor_at(plan, height, xy) + 0.5 * RAISED])
    tone = 0.75 + 0.2 * hashed(rows // 4, columns // 4, seed=9)
    out.add(stone, UP, EAST, (0.06, 0.06, 0.5 * RAISED), np.outer(tone, [0.76, 0.74, 0.70]))


def _green(
    points: Float, labels: NDArray[np.uint8], rng: np.random.Generator, seed: int
) -> tuple[Float, Float]:
    """Return colour `[N, 3]` and height over the floor `[N]` of what is not path."""
    blade = hashed(*(np.floor(points / LAWN_SPACING).astype(np.int64).T), seed=seed + 21)
    patches = 0.7 + 0.35 * smooth_noise(points, 1.5, seed + 22)
    tone = patches + rng.uniform(0.3, 0.7) * (blade - 0.5)
    grass = _GRASS[rng.integers(len(_GRASS))] * rng.uniform(0.8, 1.15)
    # Clover, moss and bare patches, some metres wide.
    bare = smooth_noise(points, 2.4, seed + 23) > rng.uniform(0.75, 1.0)
    colours = np.where(bare[:, None], grass * (1.35, 0.95, 1.1), grass)
    mulch, pond = labels == BED, labels == WATER
    colours[mulch] = _MULCH[rng.integers(len(_MULCH))]
    colours[pond] = (0.16, 0.24, 0.27)
    lift = np.where(mulch, RAISED - 0.04, 0.02 + 0.05 * blade)
    return colours * tone[:, None], np.where(pond, 0.03, lift)
