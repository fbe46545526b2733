"""What grows in a garden: hedges along any line, shrubs, grasses, conifers, and rocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.city.ground import smooth_noise
from navbench_gs.scenes.city.plan import RESOLUTION, Plan
from navbench_gs.scenes.city.props import Prop
from navbench_gs.scenes.solids import cylinder, ellipsoid
from navbench_gs.scenes.surfels import OVERLAP, SurfelList, Surfels, cross

Float = NDArray[np.float64]

LEAF = 0.1
"""Spacing of a hedge's elements, metres."""
GREENS = np.array(
    [[0.17, 0.32, 0.11], [0.25, 0.40, 0.15], [0.14, 0.26, 0.14], [0.34, 0.41, 0.18],
     [0.27, 0.31, 0.20], [0.38, 0.24, 0.17]]
)
"""Box, privet, yew, spring leaves, olive, copper beech."""
BLOSSOM = np.array(
    [[0.82, 0.80, 0.76], [0.75, 0.30, 0.45], [0.72, 0.16, 0.14], [0.80, 0.66, 0.20],
     [0.46, 0.34, 0.66]]
)


def leafy(surfels: Surfels, rng: np.random.Generator, rough: float) -> Surfels:
    """Return elements as leaves: displaced by `rough` metres, tilted, of uneven brightness."""
    count = len(surfels)
    points = surfels.points + surfels.normals * rng.uniform(-rough, 0.6 * rough, (count, 1))
    normals = surfels.normals + rng.normal(0.0, 0.35, (count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    tangents = cross(normals, rng.normal(0.0, 1.0, (count, 3)))
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    # Gaps between leaves are dark, leaves that shine nearly white.
    tone = np.exp(rng.normal(-0.08, 0.42, (count, 1))) * rng.uniform(0.9, 1.1, (count, 3))
    sizes = surfels.sizes * rng.uniform(0.85, 1.15, (count, 1))
    return Surfels(points, normals, tangents, sizes, surfels.colours * tone, surfels.opacities)


def grow_hedges(
    plan: Plan, tops: NDArray[np.float32], floor: NDArray[np.float32], rng: np.random.Generator
) -> Surfels:
    """Cover hedges from all sides and above.

    Args:
        plan: Where cells lie.
        tops: `[R, C]` height of the hedge over each cell, metres; zero where there is none.
        floor: `[R, C]` z of the floor, metres.
        rng: Source of randomness.
    """
    seed = int(rng.integers(1 << 30))
    mask = tops > 0.0
    out = SurfelList()
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return out.joined()
    height = tops[rows, columns].astype(np.float64)
    xy = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + 0.5 * RESOLUTION
    top = np.column_stack([xy, floor[rows, columns] + height - 0.03])
    size = OVERLAP * LEAF
    out.add(top, (0, 0, 1), (1, 0, 0), (size, size, 0.03), _tone(xy, height, seed))
    side = mask & ~ndimage.binary_erosion(mask)
    # Outward: down the blurred mask, so that corners of cells do not show as steps.
    blurred = ndimage.gaussian_filter(mask.astype(np.float64), 1.5)
    slope_y, slope_x = np.gradient(blurred)
    rows, columns = np.nonzero(side)
    outward = -np.stack([slope_x[rows, columns], slope_y[rows, columns]], axis=-1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    base = np.stack([columns, rows], axis=-1) * RESOLUTION + plan.origin + 0.5 * RESOLUTION
    low = floor[rows, columns].astype(np.float64)
    height = tops[rows, columns].astype(np.float64)
    for level in np.arange(0.5 * LEAF, float(height.max()), LEAF):
        here = level < height
        normals = np.column_stack([outward[here], np.zeros(int(here.sum()))])
        points = np.column_stack([base[here] + 0.02 * outward[here], low[here] + level])
        shade = 0.72 + 0.28 * np.clip(level / height[here], 0.0, 1.0)
        colours = _tone(base[here], height[here], seed) * shade[:, None]
        out.add(points, normals, (0, 0, 1), (size, size, 0.03), colours)
    return leafy(out.joined(), rng, 0.05)


def _tone(xy: Float, height: Float, seed: int) -> Float:
    """Return the colour `[N, 3]` of hedges: one kind for each height, patchy along them."""
    kind = np.floor(height * 997.0).astype(np.int64) % 16
    # One hedge of 16 is copper beech.
    kind = np.where(kind == 15, len(GREENS) - 1, kind % (len(GREENS) - 1))
    patch = 0.8 + 0.4 * smooth_noise(xy, 0.7, seed)
    return np.asarray(GREENS[kind] * patch[:, None])


def shrub(rng: np.random.Generator) -> Prop:
    """A round shrub of a few lobes, some of them in blossom."""
    radius, height = rng.uniform(0.3, 0.75), rng.uniform(0.5, 1.5)
    green = GREENS[rng.integers(len(GREENS))] * rng.uniform(0.85, 1.25)
    parts = []
    for _ in range(4):
        spread = rng.uniform(-0.35, 0.35, 2) * radius
        lobe = ellipsoid(
            (spread[0], spread[1], 0.45 * height), (0.7 * radius, 0.7 * radius, 0.5 * height),
            (green[0], green[1], green[2]), 110,
        )
        parts.append(lobe)
    body = leafy(Surfels.join(parts), rng, 0.12)
    if rng.random() < 0.4:
        colours = body.colours.copy()
        colours[rng.random(len(body)) < rng.uniform(0.1, 0.5)] = BLOSSOM[
            rng.integers(len(BLOSSOM))]
        body = body.with_colours(colours)
    half = float(0.95 * radius)
    return Prop(body, (half, half, 0.5 * height), (half, 0.9 * height, 0.8))


def grass(rng: np.random.Generator) -> Prop:
    """A clump of tall grass: blades that lean outwards."""
    radius, height, count = rng.uniform(0.25, 0.5), rng.uniform(0.5, 1.1), 130
    straw = np.array([[0.45, 0.44, 0.20], [0.32, 0.42, 0.16], [0.62, 0.54, 0.32]])[rng.integers(3)]
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    reach = radius * np.sqrt(rng.uniform(0.0, 1.0, count))
    outward = np.stack([np.cos(angle), np.sin(angle), np.zeros(count)], axis=-1)
    length = height * rng.uniform(0.5, 1.0, count)
    tangents = 0.5 * outward * (reach / radius)[:, None] + [0.0, 0.0, 1.0]
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    points = outward * reach[:, None] + 0.5 * length[:, None] * tangents
    normals = outward - (outward * tangents).sum(axis=1, keepdims=True) * tangents
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sizes = np.stack([0.3 * length, np.full(count, 0.025), np.full(count, 0.01)], axis=-1)
    out = SurfelList()
    out.add(points, normals, tangents, sizes, straw * rng.uniform(0.6, 1.4, (count, 1)))
    return Prop(out.joined(), (0.8 * radius, 0.8 * radius, 0.5 * height), (radius, height, 0.4))


def conifer(rng: np.random.Generator) -> Prop:
    """A cone of needles that reaches down to the ground."""
    radius, height = rng.uniform(0.5, 1.1), rng.uniform(1.8, 4.5)
    green = np.array([0.13, 0.25, 0.15]) * rng.uniform(0.8, 1.5)
    cone = cylinder((0, 0, 0.05), (0, 0, height), (radius, 0.05),
                    (green[0], green[1], green[2]), 0.14, cap=False)
    body = leafy(cone, rng, 0.1)
    half = float(0.9 * radius)
    return Prop(body, (half, half, 0.3 * height), (0.6 * radius, height, 0.9))


def rock(rng: np.random.Generator) -> Prop:
    """A boulder, as gardens have them beside the path."""
    a, b, height = rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.45), rng.uniform(0.25, 0.7)
    grey = np.array([0.50, 0.48, 0.45]) * rng.uniform(0.7, 1.25)
    stone = ellipsoid((0, 0, 0.35 * height), (a, b, 0.65 * height),
                      (grey[0], grey[1], grey[2]), 90)
    tone = 0.8 + 0.4 * smooth_noise(3.0 * stone.points[:, [0, 2]], 0.5, int(rng.integers(1 << 20)))
    body = stone.with_colours(stone.colours * tone[:, None])
    return Prop(body, (float(a), float(b), 0.5 * float(height)), (0.3, float(height), 0.8))
