"""Placing street furniture, trees and parked cars on a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.city import props
from navbench_gs.scenes.city.layouts_other import stall_rows
from navbench_gs.scenes.city.plan import (
    ALLEY,
    BUILDING,
    CROSSING,
    PLAZA,
    RESOLUTION,
    ROAD,
    SIDEWALK,
    Plan,
    Street,
)
from navbench_gs.scenes.city.props import Prop
from navbench_gs.scenes.surfels import SurfelList, Surfels

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Furniture:
    """Everything that stands on the ground of a scene."""

    surfels: Surfels
    """Unlit surface elements, scene frame."""
    occupancy: NDArray[np.bool_]
    """`[R, C]` cells it blocks."""
    boxes: NDArray[np.float32]
    """`[B, 7]` physics boxes."""
    casters: Float
    """`[N, 3]` xy and top of what casts shadows."""
    lamps: Float
    """`[L, 3]` lit lamps, metres."""


@dataclass
class Site:
    """The plan while it is being furnished."""

    plan: Plan
    height: NDArray[np.float32]
    rng: np.random.Generator
    lit: bool = False
    surfels: SurfelList = field(default_factory=SurfelList)
    boxes: list[list[float]] = field(default_factory=list)
    casters: list[Float] = field(default_factory=list)
    lamps: list[list[float]] = field(default_factory=list)
    makes: dict[str, list[Prop]] = field(default_factory=dict)

    def piece(self, kind: str) -> Prop:
        """Return one of three makes of a kind of furniture: towns buy in series."""
        if kind not in self.makes:
            self.makes[kind] = [props.furniture(kind, self.rng) for _ in range(3)]
        return self.makes[kind][int(self.rng.integers(3))]

    def __post_init__(self) -> None:
        self.occupancy = np.zeros(self.plan.labels.shape, dtype=bool)
        near = ndimage.distance_transform_edt(self.plan.labels != CROSSING) * RESOLUTION
        self.crossing_gap = near if self.plan.crossings else np.full(near.shape, 99.0)

    def footprint(
        self, prop: Prop, x: float, y: float, yaw: float, margin: float
    ) -> tuple[slice, slice, NDArray[np.bool_]] | None:
        """Return the window of cells around a prop and which of them it covers."""
        reach = float(np.hypot(prop.half[0], prop.half[1])) + margin + RESOLUTION
        low = [self.plan.index(v - reach) for v in (y, x)]
        high = [self.plan.index(v + reach) for v in (y, x)]
        if low[0] >= high[0] or low[1] >= high[1]:
            return None
        rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
        dx = (columns + 0.5) * RESOLUTION - self.plan.half - x
        dy = (rows + 0.5) * RESOLUTION - self.plan.half - y
        along = np.abs(dx * np.cos(yaw) + dy * np.sin(yaw))
        across = np.abs(-dx * np.sin(yaw) + dy * np.cos(yaw))
        # Half a cell more than the body: a cell that it touches at all is blocked.
        grow = margin + 0.5 * RESOLUTION
        covered = (along <= prop.half[0] + grow) & (across <= prop.half[1] + grow)
        return slice(low[0], high[0]), slice(low[1], high[1]), covered

    def put(
        self, prop: Prop, x: float, y: float, yaw: float, allowed: tuple[int, ...],
        *, margin: float = 0.1, crossing: float = 1.6,
    ) -> bool:
        """Place a prop if its cells bear allowed labels, are free, and leave crossings open."""
        if (window := self.footprint(prop, x, y, yaw, margin)) is None:
            return False
        rows, columns, covered = window
        fits = np.isin(self.plan.labels[rows, columns], allowed)
        fits &= ~self.occupancy[rows, columns] & (self.crossing_gap[rows, columns] > crossing)
        if not covered.any() or not fits[covered].all():
            return False
        inner = self.footprint(prop, x, y, yaw, 0.0)
        if inner is None:
            return False
        self.occupancy[inner[0], inner[1]] |= inner[2]
        middle = self.plan.index(y) - 1, self.plan.index(x) - 1
        floor = float(self.height[middle])
        self.surfels.extend(prop.surfels.moved(x, y, floor, yaw))
        self.boxes.append([x, y, floor + prop.half[2], *prop.half, yaw])
        if prop.light > 0.0:
            ahead = props.LAMP_ARM * np.cos(yaw), props.LAMP_ARM * np.sin(yaw)
            self.lamps.append([x + ahead[0], y + ahead[1], floor + prop.light])
        radius, top, density = prop.shadow
        if density > 0.0:
            spots = self.rng.uniform(-radius, radius, (int(60 * density * radius**2) + 4, 2))
            spots = spots[np.hypot(spots[:, 0], spots[:, 1]) <= radius] + (x, y)
            self.casters.append(np.column_stack([spots, np.full(len(spots), floor + top)]))
        return True

    def furniture(self) -> Furniture:
        """Return what was placed so far."""
        casters = np.concatenate(self.casters) if self.casters else np.zeros((0, 3))
        boxes = np.array(self.boxes, dtype=np.float32).reshape(-1, 7)
        lamps = np.array(self.lamps, dtype=np.float64).reshape(-1, 3)
        return Furniture(self.surfels.joined(), self.occupancy, boxes, casters, lamps)


def furnish(
    plan: Plan, height: NDArray[np.float32], rng: np.random.Generator, lit: bool = False
) -> Furniture:
    """Place trees, lamps (lit at dusk), benches, bins, cars, hedges, planters and barriers."""
    site = Site(plan, height, rng, lit)
    _barriers(site)
    trees = [props.tree(rng) for _ in range(4)]
    for street in plan.streets:
        for side in (-1.0, 1.0):
            _kerbside(site, street, side, trees)
        _park(site, street)
    for x, y, yaw in stall_rows(plan, rng):
        site.put(props.stall(rng, lit), x, y, yaw, (PLAZA,), margin=0.4)
    for plaza in plan.plazas:
        _square(site, plaza, trees)
    _along_walls(site)
    return site.furniture()


def _on(street: Street, along: float, across: float) -> tuple[float, float]:
    """Return the xy of a place on a street."""
    across += street.centre
    return (along, across) if street.axis == 0 else (across, along)


def _kerbside(site: Site, street: Street, side: float, trees: list[Prop]) -> None:
    """Line the outer half metre of a pavement."""
    rng = site.rng
    pitch = rng.uniform(6.5, 10.0)
    leafy = rng.random() < 0.75
    over_road = (-side if street.axis == 0 else side) * np.pi / 2.0
    if street.axis == 1:
        over_road = 0.0 if side < 0 else np.pi
    for number, along in enumerate(np.arange(street.start + 3.0, street.end - 2.0, pitch)):
        spot = float(along + rng.uniform(-0.8, 0.8))
        if leafy and number % 2 == 0:
            base = trees[int(rng.integers(len(trees)))]
            place = _on(street, spot, side * (street.road + 0.55))
            site.put(base, *place, float(rng.uniform(0, 2 * np.pi)), (SIDEWALK,))
            continue
        kind = str(rng.choice(['lamp', 'bench', 'bin', 'bollards', 'planter'],
                              p=[0.42, 0.16, 0.16, 0.13, 0.13]))
        if kind == 'lamp':
            place = _on(street, spot, side * (street.road + 0.4))
            site.put(props.lamp(rng, site.lit), *place, over_road, (SIDEWALK,))
        elif kind == 'bollards':
            post = site.piece('bollard')
            for step in range(4):
                place = _on(street, spot + 1.2 * step, side * (street.road + 0.35))
                site.put(post, *place, 0.0, (SIDEWALK,))
        else:
            prop = site.piece(kind)
            turned = over_road + np.pi if kind == 'bench' else over_road
            place = _on(street, spot, side * (street.road + 0.2 + prop.half[0]))
            site.put(prop, *place, turned, (SIDEWALK,))


def _park(site: Site, street: Street) -> None:
    """Fill most of the parking bays."""
    rng = site.rng
    for side, parked in zip((-1.0, 1.0), street.parking, strict=True):
        along = street.start + rng.uniform(2.5, 5.0)
        while parked and along < street.end - 3.0:
            if rng.random() < 0.7:
                vehicle = props.car(rng)
                heading = (0.0 if side < 0 else np.pi) + (np.pi / 2 if street.axis else 0.0)
                place = _on(street, along, side * (street.road - 1.1))
                site.put(vehicle, *place, heading + float(rng.normal(0.0, 0.02)), (ROAD,),
                         crossing=2.0)
            along += rng.uniform(5.2, 6.2)


def _square(
    site: Site, plaza: tuple[float, float, float, float], trees: list[Prop]
) -> None:
    """Furnish a square: a fountain or tree in the middle, benches, trees and hedges around."""
    rng = site.rng
    x0, y0, x1, y1 = plaza
    middle = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    paved = (PLAZA,)
    if min(x1 - x0, y1 - y0) > 14.0 and rng.random() < 0.7:
        site.put(props.fountain(rng), *middle, 0.0, paved)
    count = int((x1 - x0) * (y1 - y0) / 22.0)
    for _ in range(count):
        x, y = rng.uniform(x0 + 0.8, x1 - 0.8), rng.uniform(y0 + 0.8, y1 - 0.8)
        turn = float(rng.integers(4)) * np.pi / 2.0
        kind = rng.random()
        # 1.1 m around each thing stays free, so a square never closes up.
        if kind < 0.4:
            site.put(trees[int(rng.integers(len(trees)))], x, y, turn, paved, margin=1.1)
        elif kind < 0.75:
            choice = str(rng.choice(['bench', 'planter', 'bin', 'bench']))
            site.put(site.piece(choice), x, y, turn, paved, margin=1.1)
        elif kind < 0.9:
            length = float(rng.uniform(1.8, 4.5))
            site.put(props.hedge(rng, length, 0.7), x, y, turn, paved, margin=1.1)
        else:
            site.put(props.lamp(rng, site.lit), x, y, turn, paved, margin=1.0)


def _along_walls(site: Site) -> None:
    """Put planters, bins and hedges against house fronts, where 2.2 m stay free beside them."""
    rng = site.rng
    building = site.plan.labels == BUILDING
    gap = ndimage.distance_transform_edt(~building) * RESOLUTION
    # Ridge of the gap: half the width of the passage that a spot belongs to.
    wide = ndimage.maximum_filter(gap, size=int(3.0 / RESOLUTION))
    spots = np.argwhere((np.abs(gap - 0.5) < 0.06) & (wide > 1.55)
                        & np.isin(site.plan.labels, (SIDEWALK, ALLEY, PLAZA)))
    rng.shuffle(spots)
    slope_y, slope_x = np.gradient(gap)
    for row, column in spots[: int(2.2 * site.plan.half)]:
        x, y = (column + 0.5) * RESOLUTION - site.plan.half, (
            (row + 0.5) * RESOLUTION - site.plan.half)
        quarter = np.pi / 2.0
        facing = float(np.round(np.arctan2(slope_y[row, column], slope_x[row, column]) / quarter))
        kind = rng.random()
        if kind < 0.25:
            prop, turn = props.hedge(rng, float(rng.uniform(1.0, 2.4)), 0.5), quarter
        else:
            name = str(rng.choice(['planter', 'bin', 'bench']))
            prop, turn = site.piece(name), 0.0
        site.put(prop, x, y, facing * quarter + turn, (SIDEWALK, ALLEY, PLAZA), margin=0.0)


def _barriers(site: Site) -> None:
    """Close every opening in the plan's edge with boards."""
    labels, half = site.plan.labels, site.plan.half
    inset = half - 0.3
    for axis, sign in ((0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)):
        line = labels[0 if sign < 0 else -1] if axis == 0 else labels[:, 0 if sign < 0 else -1]
        steps = np.diff(np.pad((line != BUILDING).astype(np.int8), 1))
        starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            for a, b in _stretches(line, start, end):
                middle = 0.5 * (a + b) * RESOLUTION - half
                prop = props.barrier(max((b - a) * RESOLUTION - 0.1, 0.3))
                x, y = (middle, sign * inset) if axis == 0 else (sign * inset, middle)
                site.put(prop, x, y, 0.0 if axis == 0 else np.pi / 2.0,
                         (SIDEWALK, ROAD, ALLEY, PLAZA), margin=-0.05, crossing=-1.0)


def _stretches(line: NDArray[np.uint8], start: int, end: int) -> list[tuple[int, int]]:
    """Split an opening where its label changes, so that boards follow the kerb's step."""
    cuts = np.flatnonzero(np.diff(line[start:end])) + start + 1
    bounds = [start, *cuts.tolist(), end]
    return list(pairwise(bounds))
