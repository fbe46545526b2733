"""Building clouds out of surface elements: flat gaussians that lie in a surface."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]

OVERLAP = 0.66
"""Standard deviation over spacing: at 0.66 the worst point between four elements of opacity 0.95
lets 7 % of the light through and neighbouring colours still differ by 60 %."""
THICKNESS = 0.008
"""Standard deviation across the surface, metres."""


@dataclass(frozen=True)
class Surfels:
    """N flat gaussians before they become a cloud; colours are albedo until lit."""

    points: Float
    """`[N, 3]` centres, metres."""
    normals: Float
    """`[N, 3]` unit, outward."""
    tangents: Float
    """`[N, 3]` unit, in the surface: direction of the first size."""
    sizes: Float
    """`[N, 3]` standard deviations along tangent, the other in-surface axis, and normal."""
    colours: Float
    """`[N, 3]` in [0, 1]."""
    opacities: Float
    """`[N]`."""

    def __len__(self) -> int:
        return len(self.points)

    def moved(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Surfels:
        """Turn about z by `yaw` (rad), then shift."""
        cos, sin = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return Surfels(
            self.points @ turn.T + np.array([x, y, z]),
            self.normals @ turn.T,
            self.tangents @ turn.T,
            self.sizes,
            self.colours,
            self.opacities,
        )

    def with_colours(self, colours: Float) -> Surfels:
        """Return the same elements in other colours."""
        return Surfels(
            self.points, self.normals, self.tangents, self.sizes, colours, self.opacities
        )

    def cloud(self) -> GaussianCloud:
        """Turn into gaussians of view-independent colour."""
        return GaussianCloud.from_rgb(
            self.points,
            _frame_quaternions(self.tangents, self.normals),
            self.sizes,
            self.opacities,
            np.clip(self.colours, 0.0, 1.0),
        )

    @staticmethod
    def join(parts: list[Surfels]) -> Surfels:
        """Concatenate in order."""
        return Surfels(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ('points', 'normals', 'tangents', 'sizes', 'colours', 'opacities')
            )
        )


@dataclass
class SurfelList:
    """Collects surface elements part by part."""

    parts: list[Surfels] = field(default_factory=list)
    """What was added so far."""

    def add(
        self,
        points: Float,
        normal: Float | tuple[float, ...],
        tangent: Float | tuple[float, ...],
        size: Float | tuple[float, ...],
        colour: Float,
        opacity: float = 0.95,
    ) -> None:
        """Add elements; every argument but `points` may be one value for all of them.

        `size` gives two in-surface standard deviations, or three values.
        """
        count = len(points)
        sizes = np.asarray(size, dtype=np.float64)
        if sizes.shape[-1] == 2:
            sizes = np.concatenate([sizes, np.full((*sizes.shape[:-1], 1), THICKNESS)], axis=-1)
        centres, normals, tangents, wide, colours = (
            _rows(a, count) for a in (points, normal, tangent, sizes, colour)
        )
        opacities = np.full(count, opacity)
        self.parts.append(Surfels(centres, normals, tangents, wide, colours, opacities))

    def extend(self, other: Surfels) -> None:
        """Add finished elements."""
        self.parts.append(other)

    def joined(self) -> Surfels:
        """Return everything added so far as one set (empty allowed)."""
        if not self.parts:
            empty = np.zeros((0, 3))
            return Surfels(empty, empty, empty, empty, empty, np.zeros(0))
        return Surfels.join(self.parts)


def grid(length_u: float, length_v: float, spacing: float) -> tuple[Float, Float, float, float]:
    """Spread points over a rectangle, cell-centred, at most `spacing` apart.

    Returns:
        u `[N]` and v `[N]` from 0 to the lengths, and the true spacings.
    """
    count_u = max(1, int(np.ceil(length_u / spacing - 1e-6)))
    count_v = max(1, int(np.ceil(length_v / spacing - 1e-6)))
    step_u, step_v = length_u / count_u, length_v / count_v
    u = np.tile((np.arange(count_u) + 0.5) * step_u, count_v)
    v = np.repeat((np.arange(count_v) + 0.5) * step_v, count_u)
    return u, v, step_u, step_v


def cross(a: Float, b: Float) -> Float:
    """Return the cross products of `[..., 3]` arrays, as `np.cross` does.

    That takes 0.1 ms for the axes it could also handle; a person is made of a thousand such calls.
    """
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    parts = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    out = np.empty((*np.shape(parts[0]), 3))
    out[..., 0], out[..., 1], out[..., 2] = parts
    return out


def _rows(values: Float | tuple[float, ...], count: int) -> Float:
    """Return `[count, 3]` of as many rows, or of one for all."""
    rows = np.asarray(values, dtype=np.float64)
    if rows.shape == (count, 3):
        return rows
    out = np.empty((count, 3))
    out[:] = rows
    return out


def _frame_quaternions(tangents: Float, normals: Float) -> Float:
    """Return `[N, 4]` wxyz of rotations with the columns tangent, normal x tangent, normal."""
    third = cross(normals, tangents)
    m = np.stack([tangents, third, normals], axis=-1)
    trace = m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2]
    # The largest of the four squared components is never below 1/4, so no division is unstable.
    squares = np.stack(
        [
            1.0 + trace,
            1.0 + 2.0 * m[:, 0, 0] - trace,
            1.0 + 2.0 * m[:, 1, 1] - trace,
            1.0 + 2.0 * m[:, 2, 2] - trace,
        ],
        axis=-1,
    )
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    d, e, f = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    s0, s1, s2, s3 = squares.T
    rows = np.stack(
        [
            np.stack([s0, a, b, c], axis=-1),
            np.stack([a, s1, d, e], axis=-1),
            np.stack([b, d, s2, f], axis=-1),
            np.stack([c, e, f, s3], axis=-1),
        ],
        axis=1,
    )
    best = np.argmax(squares, axis=1)
    chosen = rows[np.arange(len(rows)), best]
    return np.asarray(chosen / np.linalg.norm(chosen, axis=-1, keepdims=True))
