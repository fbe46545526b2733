"""The ground as surface elements: paving, asphalt, markings, kerbs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.city.plan import (
    ALLEY,
    CROSSING,
    LAWN,
    PLAZA,
    RESOLUTION,
    ROAD,
    SIDEWALK,
    WATER,
    Plan,
)
from navbench_gs.scenes.surfels import OVERLAP, SurfelList, Surfels

Float = NDArray[np.float64]

FINE = 0.125
"""Spacing on pavements, squares and crossings, metres."""
COARSE = 0.22
"""Spacing on the carriageway, metres."""
LAWN_SPACING = 0.16
"""Spacing on lawns and water, metres."""
UP = np.array([0.0, 0.0, 1.0])
EAST = np.array([1.0, 0.0, 0.0])

_PAVING = np.array(
    [[0.62, 0.60, 0.57], [0.56, 0.56, 0.58], [0.66, 0.60, 0.52], [0.58, 0.50, 0.46],
     [0.50, 0.51, 0.52], [0.68, 0.66, 0.62]]
)
_OTHER_PAVING = np.array([[0.44, 0.30, 0.26], [0.34, 0.36, 0.42], [0.58, 0.46, 0.34]])
_KERB_STONE = np.array([0.76, 0.75, 0.73])


def hashed(*keys: NDArray[np.integer], seed: int) -> Float:
    """Return a fixed pseudo-random number in [0, 1) per tuple of integers."""
    value = np.full(keys[0].shape, (seed * 2654435761 + 12345) & 0xFFFFFFFF, dtype=np.uint64)
    for key in keys:
        value = (value ^ key.astype(np.int64).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    return ((value >> np.uint64(40)).astype(np.float64)) / float(1 << 24)


def smooth_noise(xy: Float, scale: float, seed: int) -> Float:
    """Return value noise `[N]` in [0, 1], bilinear between random grid values `scale` apart."""
    place = xy / scale
    low = np.floor(place).astype(np.int64)
    t = place - low
    t = t * t * (3.0 - 2.0 * t)
    corner = [
        hashed(low[:, 0] + dx, low[:, 1] + dy, seed=seed) for dx, dy in
        ((0, 0), (1, 0), (0, 1), (1, 1))
    ]
    bottom = corner[0] * (1.0 - t[:, 0]) + corner[1] * t[:, 0]
    top = corner[2] * (1.0 - t[:, 0]) + corner[3] * t[:, 0]
    return np.asarray(bottom * (1.0 - t[:, 1]) + top * t[:, 1])


def make_ground(plan: Plan, height: NDArray[np.float32], rng: np.random.Generator) -> Surfels:
    """Cover the ground of a plan, kerb faces and a margin around it included."""
    seed = int(rng.integers(1 << 30))
    out = SurfelList()
    fine, labels = sample_labels(plan, FINE, (SIDEWALK, PLAZA, ALLEY, CROSSING))
    colours = np.empty((len(fine), 3))
    for label in (SIDEWALK, PLAZA, ALLEY):
        chosen = labels == label
        paved = _other_paving if plan.other else pave
        colours[chosen] = paved(fine[chosen], rng, seed + label)
    chosen = labels == CROSSING
    colours[chosen] = _zebra(plan, fine[chosen], seed)
    add_level(out, plan, height, fine, FINE, colours)
    road, _ = sample_labels(plan, COARSE, (ROAD,))
    add_level(out, plan, height, road, COARSE, _asphalt(plan, road, seed))
    _green(out, plan, height, seed)
    _kerbs(out, plan, height)
    lay_outskirts(out, plan)
    return out.joined()


def sample_labels(
    plan: Plan, spacing: float, labels: tuple[int, ...]
) -> tuple[Float, NDArray[np.uint8]]:
    """Return grid points `[N, 2]` on the given labels, and their labels."""
    axis = np.arange(-plan.half + 0.5 * spacing, plan.half, spacing)
    x, y = np.meshgrid(axis, axis)
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    found = plan.label_at(points)
    keep = np.isin(found, labels)
    return points[keep], found[keep]


def floor_at(plan: Plan, height: NDArray[np.float32], xy: Float) -> Float:
    """Return the floor z at points `[N, 2]` (nearest cell)."""
    cell = np.clip(((xy + plan.half) / RESOLUTION).astype(np.int64), 0, len(height) - 1)
    return height[cell[:, 1], cell[:, 0]].astype(np.float64)


def add_level(
    out: SurfelList, plan: Plan, height: NDArray[np.float32], xy: Float, spacing: float,
    colours: Float,
) -> None:
    """Add level elements on the floor."""
    points = np.column_stack([xy, floor_at(plan, height, xy)])
    out.add(points, UP, EAST, (OVERLAP * spacing, OVERLAP * spacing), colours)


def pave(xy: Float, rng: np.random.Generator, seed: int) -> Float:
    """Colour slabs in running or stack bond, with joints, stains and worn patches."""
    base = _PAVING[rng.integers(len(_PAVING))] * rng.uniform(0.9, 1.08)
    width, length = rng.integers(3, 7), rng.integers(4, 10)
    bond = int(rng.integers(0, 3)) * (length // 2)
    ix = np.floor(xy[:, 0] / FINE).astype(np.int64)
    iy = np.floor(xy[:, 1] / FINE).astype(np.int64)
    row = iy // width
    shifted = ix + row * bond
    tint = hashed(shifted // length, row, seed=seed) - 0.5
    joint = (iy % width == 0) | (shifted % length == 0)
    accent = hashed(shifted // length, row, seed=seed + 1) < rng.uniform(0.0, 0.12)
    shade = 1.0 + 0.22 * tint + 0.14 * (smooth_noise(xy, 2.2, seed) - 0.5)
    shade *= np.where(joint, 0.72, 1.0) * np.where(accent, 0.72, 1.0)
    stain = smooth_noise(xy, 0.7, seed + 2) > 0.86
    shade *= np.where(stain, 0.85, 1.0)
    return base * shade[:, None]


def _other_paving(xy: Float, rng: np.random.Generator, seed: int) -> Float:
    """Colour cobbles in arcs, or bricks in a basket weave: only outside the training scenes."""
    base = _OTHER_PAVING[rng.integers(len(_OTHER_PAVING))] * rng.uniform(0.9, 1.08)
    shade = 1.0 + 0.12 * (smooth_noise(xy, 2.6, seed) - 0.5)
    if rng.random() < 0.5:
        # Rows of arcs 1.5 m wide; stones follow the arc.
        across = np.mod(xy[:, 0], 1.5) - 0.75
        bow = xy[:, 1] + 0.9 * across**2
        stone = np.floor(xy[:, 0] / 0.25).astype(np.int64), np.floor(bow / 0.25).astype(np.int64)
        shade += 0.4 * (hashed(*stone, seed=seed) - 0.5) - 0.25 * (np.abs(across) > 0.68)
        return np.asarray(base * shade[:, None])
    cell = np.floor(xy / 0.75).astype(np.int64)
    upright = (cell[:, 0] + cell[:, 1]) % 2 == 0
    along = np.where(upright, xy[:, 0], xy[:, 1])
    strip = np.floor(along / 0.25).astype(np.int64)
    shade += 0.3 * (hashed(strip, cell[:, 0], cell[:, 1], seed=seed) - 0.5)
    shade *= np.where(upright, 1.08, 0.88)
    return np.asarray(base * shade[:, None])


def _green(out: SurfelList, plan: Plan, height: NDArray[np.float32], seed: int) -> None:
    """Add lawns and water, both with a border of stone."""
    points, labels = sample_labels(plan, LAWN_SPACING, (LAWN, WATER))
    if len(points) == 0:
        return
    lawn = labels == LAWN
    blade = hashed(*(np.floor(points / LAWN_SPACING).astype(np.int64).T), seed=seed + 21)
    tone = 0.75 + 0.5 * smooth_noise(points, 1.3, seed + 22) + 0.35 * (blade - 0.5)
    colours = np.where(lawn[:, None], [0.22, 0.42, 0.13], [0.16, 0.26, 0.30]) * tone[:, None]
    z = floor_at(plan, height, points) + np.where(lawn, 0.03 + 0.05 * blade, -0.10)
    size = OVERLAP * LAWN_SPACING
    out.add(np.column_stack([points, z]), UP, EAST, (size, size), colours)
    inside = np.isin(plan.labels, (LAWN, WATER))
    rows, columns = np.nonzero(inside & ~ndimage.binary_erosion(inside))
    centre = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + 0.5 * RESOLUTION
    stone = np.column_stack([centre, floor_at(plan, height, centre) + 0.05])
    out.add(stone, UP, EAST, (0.065, 0.065, 0.05), _KERB_STONE * 0.8)


def _zebra(plan: Plan, xy: Float, seed: int) -> Float:
    """Colour crossings: white bars across the way people walk."""
    colours = np.full((len(xy), 3), 0.27)
    for x0, y0, x1, y1, axis in plan.crossings:
        inside = (
            (xy[:, 0] >= x0) & (xy[:, 0] < x1) & (xy[:, 1] >= y0) & (xy[:, 1] < y1)
        )
        across = xy[:, 1] - y0 if axis == 0 else xy[:, 0] - x0
        bar = np.floor(across / (4 * FINE)).astype(np.int64) % 2 == 0
        colours[inside & bar] = 0.86
    worn = 1.0 + 0.16 * (smooth_noise(xy, 0.4, seed + 7) - 0.5)
    return np.asarray(colours * worn[:, None])


def _asphalt(plan: Plan, xy: Float, seed: int) -> Float:
    """Colour the carriageway: patches, centre dashes, edge lines of parking bays."""
    shade = 0.29 + 0.07 * (smooth_noise(xy, 3.0, seed + 3) - 0.5)
    shade += 0.05 * (hashed(*(np.floor(xy / 0.22).astype(np.int64).T), seed=seed) - 0.5)
    shade = np.where(smooth_noise(xy, 5.0, seed + 4) > 0.8, shade * 0.8, shade)
    for street in plan.streets:
        across = xy[:, 1 - street.axis] - street.centre
        along = xy[:, street.axis]
        on = (np.abs(across) < street.road) & (along > street.start) & (along < street.end)
        dash = on & (np.abs(across) < 0.11) & (np.mod(along, 4.4) < 2.2)
        shade = np.where(dash, 0.82, shade)
        for side, parked in zip((-1.0, 1.0), street.parking, strict=True):
            line = np.abs(side * across - (street.road - 2.1)) < 0.11
            if parked:
                shade = np.where(on & line & (np.mod(along, 1.1) < 0.66), 0.7, shade)
    return shade[:, None] * np.array([1.0, 1.0, 1.03])


def _kerbs(out: SurfelList, plan: Plan, height: NDArray[np.float32]) -> None:
    """Add light kerb stones along roads: a top strip and the face down to the road."""
    road = plan.labels == ROAD
    paved = np.isin(plan.labels, (SIDEWALK, PLAZA, ALLEY))
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        neighbour = np.roll(road, -sign, axis=axis)
        rows, columns = np.nonzero(paved & neighbour)
        low = np.roll(height, -sign, axis=axis)[rows, columns].astype(np.float64)
        centre = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + 0.5 * RESOLUTION
        outward = np.zeros(3)
        outward[1 - axis] = sign
        tangent = np.roll(outward, 1)
        tangent[2] = 0.0
        tangent = EAST if axis == 0 else np.array([0.0, 1.0, 0.0])
        stone = 0.92 + 0.08 * (np.arange(len(rows)) // 9 % 2)
        colours = _KERB_STONE * stone[:, None]
        top = np.column_stack([centre, np.full(len(rows), 0.006)])
        out.add(top, UP, tangent, (0.062, 0.062), colours)
        face = np.column_stack([centre, 0.5 * low]) + 0.5 * RESOLUTION * outward
        deep = low < -0.03
        size = np.stack([np.full(deep.sum(), 0.062), 0.45 * -low[deep] + 0.01], axis=-1)
        out.add(face[deep], outward, tangent, size, 0.8 * colours[deep])


def lay_outskirts(out: SurfelList, plan: Plan) -> None:
    """Continue the ground coarsely beyond the plan's edge, for views out of it.

    Elements near the edge stay small: a large one beside the camera projects to a fog.
    """
    for inner, outer, spacing in ((0.0, 3.0, 0.3), (3.0, 16.0, 0.9)):
        axis = np.arange(-plan.half - outer + 0.5 * spacing, plan.half + outer, spacing)
        x, y = np.meshgrid(axis, axis)
        xy = np.stack([x.ravel(), y.ravel()], axis=-1)
        xy = xy[np.abs(xy).max(axis=-1) > plan.half + inner]
        shade = 0.33 + 0.08 * (smooth_noise(xy, 2.0, 3) - 0.5)
        size = OVERLAP * spacing
        out.add(
            np.column_stack([xy, np.full(len(xy), -0.02)]), UP, EAST, (size, size),
            shade[:, None] * np.ones(3),
        )
