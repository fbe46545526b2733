"""Boxes, cylinders and blobs as surface elements, for street furniture, cars and people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.surfels import OVERLAP, SurfelList, Surfels, cross, grid

Float = NDArray[np.float64]

_FACES = (
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
    ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)),
    ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0)),
    ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    ((0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)),
)


def box(
    centre: tuple[float, float, float],
    half: tuple[float, float, float],
    colour: Float | tuple[float, float, float],
    spacing: float,
    *,
    bottom: bool = False,
) -> Surfels:
    """Cover an axis-aligned box; elements lie one standard deviation inside its edges."""
    out = SurfelList()
    extents = np.array(half, dtype=np.float64)
    for normal, tangent in _FACES if bottom else _FACES[:5]:
        n, t = np.array(normal), np.array(tangent)
        b = cross(n, t)
        length_u, length_v = 2.0 * float(np.abs(t) @ extents), 2.0 * float(np.abs(b) @ extents)
        u, v, step_u, step_v = grid(length_u, length_v, spacing)
        points = (
            np.array(centre)
            + n * float(np.abs(n) @ extents)
            + np.outer(u - 0.5 * length_u, t)
            + np.outer(v - 0.5 * length_v, b)
        )
        out.add(points, n, t, (OVERLAP * step_u, OVERLAP * step_v), np.asarray(colour))
    return out.joined()


def cylinder(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: tuple[float, float],
    colour: Float | tuple[float, float, float],
    spacing: float,
    *,
    cap: bool = True,
) -> Surfels:
    """Cover a cone frustum from `start` to `end` with the two end radii (no cap at `start`)."""
    a, b = np.array(start, dtype=np.float64), np.array(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    axis = (b - a) / length
    side = cross(axis, np.array((0.0, 1.0, 0.0) if abs(axis[1]) < 0.9 else (1.0, 0.0, 0.0)))
    side /= np.linalg.norm(side)
    other = cross(axis, side)
    widest = max(radius)
    around = max(6, int(np.ceil(2.0 * np.pi * widest / spacing)))
    along = max(1, int(np.ceil(length / spacing)))
    angle = 2.0 * np.pi * np.arange(around) / around
    height = (np.arange(along) + 0.5) / along
    angles, heights = np.tile(angle, along), np.repeat(height, around)
    radii = radius[0] + (radius[1] - radius[0]) * heights
    normals = np.outer(np.cos(angles), side) + np.outer(np.sin(angles), other)
    points = a + np.outer(heights * length, axis) + normals * radii[:, None]
    ring = np.maximum(2.0 * np.pi * radii / around, 0.01)
    sizes = np.stack(
        [np.full_like(ring, OVERLAP * length / along), OVERLAP * ring, 0.3 * ring], axis=-1
    )
    out = SurfelList()
    out.add(points, normals, axis, sizes, np.asarray(colour))
    if cap and radius[1] > 0.02:
        out.add(
            b[None], axis, side, (0.7 * radius[1], 0.7 * radius[1]), _first(np.asarray(colour))
        )
    return out.joined()


def ellipsoid(
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    colour: Float | tuple[float, float, float],
    count: int,
) -> Surfels:
    """Cover an ellipsoid by `count` elements on a spiral."""
    index = np.arange(count) + 0.5
    polar = np.arccos(1.0 - 2.0 * index / count)
    azimuth = np.pi * (1.0 + 5.0**0.5) * index
    sphere = np.stack(
        [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=-1
    )
    extents = np.array(radii, dtype=np.float64)
    normals = sphere / extents
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    up = np.where(np.abs(normals[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    tangents = cross(up, normals)
    tangents /= np.linalg.norm(tangents, axis=-1, keepdims=True)
    size = 1.3 * float(np.cbrt(extents.prod())) * np.sqrt(4.0 * np.pi / count) * OVERLAP
    out = SurfelList()
    out.add(
        np.array(centre) + sphere * extents, normals, tangents, (size, size, 0.3 * size),
        np.asarray(colour),
    )
    return out.joined()


def _first(colour: Float) -> Float:
    """Return one colour of a colour or a list of colours."""
    return colour if colour.ndim == 1 else colour[-1]
