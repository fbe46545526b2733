"""The plan of a city scene: what covers each cell of the ground, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RESOLUTION = 0.1
"""Edge of a plan cell, metres."""
KERB = 0.12
"""Height of the pavement above the road, metres."""

BUILDING, SIDEWALK, ROAD, CROSSING, PLAZA, ALLEY, LAWN, WATER, BED = range(9)


@dataclass(frozen=True)
class Street:
    """A straight road with a pavement on each side."""

    axis: int
    """0: runs along x at y = centre, 1: runs along y at x = centre."""
    centre: float
    """Offset of the centre line, metres."""
    road: float
    """Half width of the carriageway, metres."""
    pavement: float
    """Width of each pavement, metres."""
    start: float
    """First coordinate along the street, metres."""
    end: float
    """Last coordinate along the street, metres."""
    parking: tuple[bool, bool] = (False, False)
    """Whether cars park on the low and the high side."""


@dataclass
class Plan:
    """Labels and features of one scene; grown by a layout, then only read."""

    half: float
    """The plan covers [-half, half] in x and y, metres."""
    layout: str
    """Name of the layout."""
    other: bool = False
    """Whether the scene lies outside the training distribution, textures included."""
    open_lawns: bool = False
    """Whether one may walk and drive on the grass."""
    streets: list[Street] = field(default_factory=list)
    """Roads."""
    crossings: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    """Zebra crossings: x0, y0, x1, y1, axis of the street they cross."""
    plazas: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Squares and courtyards: x0, y0, x1, y1."""
    alleys: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Passages: x0, y0, x1, y1."""
    labels: NDArray[np.uint8] = field(init=False)
    """`[R, C]` what covers each cell; rows follow y."""

    def __post_init__(self) -> None:
        cells = int(round(2.0 * self.half / RESOLUTION))
        self.labels = np.full((cells, cells), BUILDING, dtype=np.uint8)

    @property
    def origin(self) -> NDArray[np.float64]:
        """`[2]` xy of the corner of cell (0, 0)."""
        return np.array([-self.half, -self.half])

    def index(self, value: float) -> int:
        """Return the cell boundary nearest to a coordinate."""
        return int(np.clip(round((value + self.half) / RESOLUTION), 0, len(self.labels)))

    def fill(
        self, rectangle: tuple[float, float, float, float], label: int, over: tuple[int, ...] = ()
    ) -> None:
        """Label a rectangle x0, y0, x1, y1; with `over`, only cells that bear these labels."""
        x0, y0, x1, y1 = (self.index(v) for v in rectangle)
        part = self.labels[y0:y1, x0:x1]
        if over:
            part[np.isin(part, over)] = label
        else:
            part[:] = label

    def fill_where(
        self, where: NDArray[np.bool_], label: int, over: tuple[int, ...]
    ) -> None:
        """Label the cells of a mask `[R, C]` that bear one of the labels in `over`."""
        self.labels[where & np.isin(self.labels, over)] = label

    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and y `[R, C]` of the cells' centres, metres."""
        axis = (np.arange(len(self.labels)) + 0.5) * RESOLUTION - self.half
        x, y = np.meshgrid(axis, axis)
        return x, y

    def label_at(self, xy: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the label `[...]` at points `[..., 2]`; outside counts as building."""
        cell = np.floor((np.asarray(xy) + self.half) / RESOLUTION).astype(np.int64)
        limit = len(self.labels)
        inside = ((cell >= 0) & (cell < limit)).all(axis=-1)
        cell = np.clip(cell, 0, limit - 1)
        return np.where(inside, self.labels[cell[..., 1], cell[..., 0]], BUILDING).astype(np.uint8)


def strip(street: Street, low: float, high: float) -> tuple[float, float, float, float]:
    """Return the rectangle of a street between two offsets from its centre line."""
    a, b = street.centre + low, street.centre + high
    if street.axis == 0:
        return street.start, a, street.end, b
    return a, street.start, b, street.end
