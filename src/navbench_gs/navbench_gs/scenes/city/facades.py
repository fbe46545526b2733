"""House fronts along every edge between open ground and buildings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.facade_paint import FacadeStyle, draw_style, paint
from navbench_gs.scenes.city.plan import BUILDING, RESOLUTION, Plan
from navbench_gs.scenes.surfels import OVERLAP, SurfelList, Surfels, grid

Float = NDArray[np.float64]

NEAR = 0.15
"""Spacing up to the top of the ground floor, metres."""
FAR = 0.30
"""Spacing above the ground floor, metres."""
GROUND_FLOOR = 3.6
"""Height up to which the fine spacing is used, metres."""


@dataclass(frozen=True)
class Wall:
    """One straight piece of house front."""

    x: float
    """Start, metres."""
    y: float
    """Start, metres."""
    direction: Float
    """`[3]` unit along the wall."""
    normal: Float
    """`[3]` unit towards the open ground."""
    length: float
    """Metres."""
    lot: tuple[int, int]
    """Which house it belongs to."""


class Lots:
    """A partition of the plane into houses, each with one style and height."""

    def __init__(self, plan: Plan, rng: np.random.Generator, lit: bool = False) -> None:
        self.cuts = []
        for _ in range(2):
            steps = rng.uniform(8.0, 14.0, int(2.0 * plan.half / 8.0) + 2)
            cuts = np.round(-plan.half + np.cumsum(steps), 1)
            self.cuts.append(cuts[cuts < plan.half - 3.0])
        shape = (len(self.cuts[1]) + 1, len(self.cuts[0]) + 1)
        self.styles: list[list[FacadeStyle]] = [
            [draw_style(rng, plan.other, lit) for _ in range(shape[1])] for _ in range(shape[0])
        ]

    def index(self, xy: Float) -> NDArray[np.int64]:
        """Return the (row, column) `[N, 2]` of the houses at points `[N, 2]`."""
        column = np.searchsorted(self.cuts[0], xy[:, 0])
        row = np.searchsorted(self.cuts[1], xy[:, 1])
        return np.stack([row, column], axis=-1)

    def heights(self, xy: Float) -> Float:
        """Return the eaves heights `[N]` of the houses at points `[N, 2]`."""
        table = np.array([[style.height for style in row] for row in self.styles])
        index = self.index(xy)
        return np.asarray(table[index[:, 0], index[:, 1]])


def find_walls(plan: Plan, lots: Lots) -> list[Wall]:
    """Return every piece of front, split where houses change."""
    building = np.pad(plan.labels == BUILDING, 1, constant_values=True)
    walls: list[Wall] = []
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        # Cells of buildings whose neighbour across the edge is open ground.
        edge = (building & ~np.roll(building, -sign, axis=axis))[1:-1, 1:-1]
        lines = edge if axis == 0 else edge.T
        cuts = np.round((lots.cuts[axis] + plan.half) / RESOLUTION).astype(np.int64)
        for line in np.flatnonzero(lines.any(axis=1)):
            steps = np.diff(np.pad(lines[line].astype(np.int8), 1))
            for start, end in zip(
                np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True
            ):
                inner = cuts[(cuts > start + 4) & (cuts < end - 4)]
                bounds = [int(start), *inner.tolist(), int(end)]
                for a, b in pairwise(bounds):
                    walls.append(_wall(plan, lots, axis, sign, int(line), a, b))
    return walls


def _wall(plan: Plan, lots: Lots, axis: int, sign: int, line: int, a: int, b: int) -> Wall:
    """Build the wall of cells a..b of one grid line; runs left to right seen from outside."""
    across = (line + (1 if sign > 0 else 0)) * RESOLUTION - plan.half
    low, high = a * RESOLUTION - plan.half, b * RESOLUTION - plan.half
    normal = np.zeros(3)
    normal[1 - axis] = sign
    direction = np.array([-normal[1], normal[0], 0.0])
    forward = direction[axis] > 0
    along = low if forward else high
    x, y = (along, across) if axis == 0 else (across, along)
    middle = 0.5 * (low + high)
    inside = across - 0.5 * sign * RESOLUTION
    probe = np.array([[middle, inside] if axis == 0 else [inside, middle]])
    row, column = lots.index(probe)[0]
    return Wall(x, y, direction, normal, high - low, (int(row), int(column)))


def make_facades(plan: Plan, lots: Lots, walls: list[Wall], seed: int) -> Surfels:
    """Draw all fronts, an under-layer inside the walls, and the roofs."""
    out = SurfelList()
    for number, wall in enumerate(walls):
        style = lots.styles[wall.lot[0]][wall.lot[1]]
        for bottom, top, spacing in (
            (-0.15, GROUND_FLOOR, NEAR), (GROUND_FLOOR, style.height, FAR)
        ):
            _panel(out, wall, style, bottom, top, spacing, seed + number)
        _core(out, wall, style)
    _roofs(out, plan, lots)
    return out.joined()


def _panel(
    out: SurfelList, wall: Wall, style: FacadeStyle, bottom: float, top: float, spacing: float,
    seed: int,
) -> None:
    """Cover one band of a front."""
    u, v, step_u, step_v = grid(wall.length, top - bottom, spacing)
    colours, offset = paint(style, u, v + bottom, wall.length, seed)
    base = np.array([wall.x, wall.y, bottom])
    points = (
        base + np.outer(u, wall.direction) + np.outer(v, [0.0, 0.0, 1.0])
        + np.outer(offset, wall.normal)
    )
    out.add(points, wall.normal, wall.direction, (OVERLAP * step_u, OVERLAP * step_v), colours)


def _core(out: SurfelList, wall: Wall, style: FacadeStyle) -> None:
    """Add a coarse layer behind the upper storeys, so that their gaps do not show the sky.

    Not behind the ground floor: a large element beside the camera projects to a fog.
    """
    u, v, step_u, step_v = grid(wall.length, style.height - GROUND_FLOOR, 1.0)
    points = (
        np.array([wall.x, wall.y, GROUND_FLOOR]) - 0.25 * wall.normal
        + np.outer(u, wall.direction) + np.outer(v, [0.0, 0.0, 1.0])
    )
    size = (min(0.7 * step_u, 0.6), 0.7 * step_v)
    out.add(points, wall.normal, wall.direction, size, 0.6 * style.base, 0.98)


def _roofs(out: SurfelList, plan: Plan, lots: Lots) -> None:
    """Cover the houses from above, coarsely: seen only from the air."""
    spacing = 0.9
    axis = np.arange(-plan.half + 0.5 * spacing, plan.half, spacing)
    x, y = np.meshgrid(axis, axis)
    xy = np.stack([x.ravel(), y.ravel()], axis=-1)
    xy = xy[plan.label_at(xy) == BUILDING]
    z = lots.heights(xy)
    index = lots.index(xy)
    table = np.array([[style.roof for style in row] for row in lots.styles])
    size = OVERLAP * spacing
    out.add(
        np.column_stack([xy, z]), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (size, size),
        table[index[:, 0], index[:, 1]],
    )


def make_backdrop(plan: Plan, lots: Lots, seed: int) -> Surfels:
    """Draw rows of houses 14 m beyond the plan's edges, where streets lead out of it."""
    out = SurfelList()
    far = plan.half + 14.0
    for number, (x, y, nx, ny) in enumerate(
        ((-far, far, 0.0, -1.0), (far, -far, 0.0, 1.0), (far, far, -1.0, 0.0),
         (-far, -far, 1.0, 0.0))
    ):
        normal = np.array([nx, ny, 0.0])
        direction = np.array([-ny, nx, 0.0])
        start = np.array([x, y, 0.0]) - min(0.0, float(direction @ (x, y, 0.0)) + far) * direction
        place = 0.0
        while place < 2.0 * far - 4.0:
            style = lots.styles[number % len(lots.styles)][int(place) % len(lots.styles[0])]
            length = 9.0 + (int(place) * 7 + number * 3) % 6
            corner = start + place * direction
            wall = Wall(corner[0], corner[1], direction, normal, length, (0, 0))
            _panel(out, wall, style, -0.1, style.height, 0.5, seed + number)
            place += length
    return out.joined()
