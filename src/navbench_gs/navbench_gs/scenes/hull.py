"""A body for a splat object: convex layers around its matter, and one shape around the layers."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import HalfspaceIntersection

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer.samples import elements, spread
from navbench_gs.scenes.thing import Slab
from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]

LAYER = 0.15
"""Height of a layer, metres."""
DIRECTIONS = 16
"""Sides of an outline at most: a circle's is 2 % too wide at its corners."""
STRAY = 0.01
"""Part of a layer's surface that may lie beyond each side: floaters and wisps."""
LEAST = 0.002
"""Surface of a layer below which it is no body, m2: a hand's breadth squared is 0.008."""


def matter_points(cloud: GaussianCloud) -> tuple[Float, Float]:
    """Return points `[N, 3]` on the surfaces of what is not haze, and their weights `[N]`, m2."""
    samples = spread(elements(cloud))
    return samples.points, samples.weights


def slabs_around(cloud: GaussianCloud) -> tuple[Slab, ...]:
    """Fit prisms to a cloud that stands on z = 0; layers without matter stay open.

    Raises:
        SceneError: there is no matter to stand in the way.
    """
    points, weights = matter_points(cloud)
    above = points[:, 2] > 0.0
    points, weights = points[above], weights[above]
    if len(points) == 0 or weights.sum() < LEAST:
        raise SceneError('an object must have opaque matter above its floor, got none')
    height = float(_quantile(points[:, 2], weights, 1.0 - 0.1 * STRAY))
    edges = np.linspace(0.0, height, max(1, math.ceil(height / LAYER)) + 1)
    slabs = []
    for bottom, top in itertools.pairwise(edges.tolist()):
        layer = (points[:, 2] >= bottom) & (points[:, 2] < top)
        if weights[layer].sum() < LEAST:
            continue
        outline = _outline(points[layer, :2], weights[layer])
        slabs.append(Slab(bottom, top, tuple(map(_pair, outline))))
    if not slabs:
        raise SceneError('an object must have opaque matter above its floor, got only wisps')
    return tuple(slabs)


def shape_around(
    slabs: tuple[Slab, ...],
) -> tuple[Literal['box', 'cylinder'], tuple[float, float], Float, float]:
    """Find the smaller of the rectangle and the disc around all outlines.

    Returns:
        The shape, its half extents along x and y (a disc: radius, 0), its centre `[2]`, and the
        rectangle's turn, radians in (-pi/4, pi/4].
    """
    corners = np.concatenate([np.array(slab.outline) for slab in slabs]).astype(np.float32)
    (x, y), (width, depth), degrees = cv2.minAreaRect(corners)
    (u, v), radius = cv2.minEnclosingCircle(corners)
    if math.pi * radius**2 < width * depth:
        return 'cylinder', (float(radius), 0.0), np.array([u, v], np.float64), 0.0
    while degrees > 45.0:
        degrees, width, depth = degrees - 90.0, depth, width
    while degrees <= -45.0:
        degrees, width, depth = degrees + 90.0, depth, width
    return 'box', (width / 2.0, depth / 2.0), np.array([x, y], np.float64), math.radians(degrees)


def moved(slab: Slab, by: Float, turn: float) -> Slab:
    """Return a slab shifted by `[2]` metres, then turned about the origin by radians."""
    c, s = math.cos(turn), math.sin(turn)
    corners = (np.array(slab.outline) + by) @ np.array([[c, -s], [s, c]]).T
    return Slab(slab.bottom, slab.top, tuple(map(_pair, corners)))


def inside(slabs: tuple[Slab, ...], points: Float, margin: float = 0.0) -> NDArray[np.bool_]:
    """Return which points `[N, 3]` lie in a body grown sideways by a margin, metres. `[N]`"""
    found = np.zeros(len(points), dtype=bool)
    for slab in slabs:
        corners = np.array(slab.outline)
        edge = np.roll(corners, -1, axis=0) - corners
        outward = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        limit = (corners * outward).sum(axis=1) + margin
        level = np.flatnonzero((points[:, 2] >= slab.bottom) & (points[:, 2] < slab.top))
        found[level] |= (points[level, :2] @ outward.T <= limit).all(axis=1)
    return found


def _outline(xy: Float, weights: Float) -> Float:
    """Return the corners `[K, 2]`, counter-clockwise, of the trimmed convex outline."""
    angle = np.arange(DIRECTIONS) * (2.0 * math.pi / DIRECTIONS)
    sides = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    middle = np.average(xy, axis=0, weights=weights)
    # A centimetre keeps a sheet seen edge on from having no inside.
    reach = [
        max(float(_quantile((xy - middle) @ side, weights, 1.0 - STRAY)), 0.01) for side in sides
    ]
    planes = np.column_stack([sides, -np.array(reach)])
    corners = HalfspaceIntersection(planes, np.zeros(2)).intersections
    order = np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))
    # Several sides may meet in a corner: it counts once.
    ring = corners[order]
    apart = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1) > 1e-4
    return np.asarray(ring[apart] + middle)


def _quantile(values: Float, weights: Float, share: float) -> float:
    """Return the weighted quantile of values."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, share * total[-1])),
                                   len(values) - 1)])


def _pair(corner: Float) -> tuple[float, float]:
    return float(corner[0]), float(corner[1])
