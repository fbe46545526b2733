"""Street layouts: how a seed's streets, alleys and squares cut through the blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navbench_gs.scenes.city.plan import (
    ALLEY,
    BUILDING,
    CROSSING,
    PLAZA,
    ROAD,
    SIDEWALK,
    Plan,
    Street,
    strip,
)

CROSSING_WIDTH = 3.2
"""Width of a zebra crossing, metres."""


def make_plan(rng: np.random.Generator) -> Plan:
    """Draw a layout and its measures."""
    name = str(rng.choice(list(LAYOUTS), p=_WEIGHTS))
    plan = Plan(half=tenth(rng.uniform(32.0, 37.0)), layout=name)
    LAYOUTS[name](plan, rng)
    _setbacks(plan, rng)
    return plan


def tenth(value: float) -> float:
    """Snap to the plan's cells."""
    return round(float(value), 1)


def lay_street(
    plan: Plan, rng: np.random.Generator, axis: int, centre: float, start: float, end: float
) -> Street:
    """Draw the cross-section of a street and add it."""
    parking = (bool(rng.random() < 0.5), bool(rng.random() < 0.5))
    road = 2.8 + 1.0 * sum(parking) + rng.uniform(0.0, 0.5)
    street = Street(
        axis, tenth(centre), tenth(road), tenth(rng.uniform(2.8, 4.6)), start, end, parking
    )
    plan.streets.append(street)
    return street


def lay_streets(plan: Plan) -> None:
    """Label pavements first, so that roads cut through them at crossings."""
    for street in plan.streets:
        edge = street.road + street.pavement
        plan.fill(strip(street, -edge, edge), SIDEWALK)
    for street in plan.streets:
        plan.fill(strip(street, -street.road, street.road), ROAD)


def zebra(plan: Plan, street: Street, along: float) -> None:
    """Lay a raised crossing over a street; `along` is its low edge on the street's axis."""
    a, b = tenth(along), tenth(along + CROSSING_WIDTH)
    low, high = street.centre - street.road, street.centre + street.road
    rectangle = (a, low, b, high) if street.axis == 0 else (low, a, high, b)
    plan.fill(rectangle, CROSSING, over=(ROAD,))
    plan.crossings.append((*rectangle, street.axis))


def passage(plan: Plan, rectangle: tuple[float, float, float, float]) -> None:
    """Cut a paved passage through buildings."""
    snapped = tuple(tenth(v) for v in rectangle)
    x0, y0, x1, y1 = snapped
    plan.fill((x0, y0, x1, y1), ALLEY, over=(BUILDING,))
    plan.alleys.append((x0, y0, x1, y1))


def _square(plan: Plan, rectangle: tuple[float, float, float, float]) -> None:
    """Cut a paved square through buildings."""
    x0, y0, x1, y1 = (tenth(v) for v in rectangle)
    plan.fill((x0, y0, x1, y1), PLAZA, over=(BUILDING, ALLEY))
    plan.plazas.append((x0, y0, x1, y1))


def _crossing(plan: Plan, rng: np.random.Generator) -> None:
    """Two streets cross; passages cut the larger blocks."""
    half = plan.half
    a = lay_street(plan, rng, 0, rng.uniform(-7.0, 7.0), -half, half)
    b = lay_street(plan, rng, 1, rng.uniform(-7.0, 7.0), -half, half)
    lay_streets(plan)
    for street, other in ((a, b), (b, a)):
        gap = other.road + 0.4
        zebra(plan, street, other.centre + gap)
        zebra(plan, street, other.centre - gap - CROSSING_WIDTH)
    _block_passages(plan, rng, a, b)


def _tee(plan: Plan, rng: np.random.Generator) -> None:
    """A street ends at another; a passage opens where it would have gone on."""
    half = plan.half
    a = lay_street(plan, rng, 0, rng.uniform(-12.0, -4.0), -half, half)
    b = lay_street(plan, rng, 1, rng.uniform(-9.0, 9.0), a.centre, half)
    lay_streets(plan)
    plan.fill(strip(a, -a.road - a.pavement, -a.road), SIDEWALK)
    zebra(plan, b, a.centre + a.road + 0.4)
    for side in (b.road + 0.4, -b.road - 0.4 - CROSSING_WIDTH):
        zebra(plan, a, b.centre + side)
    _block_passages(plan, rng, a, b)


def _mainstreet(plan: Plan, rng: np.random.Generator) -> None:
    """One street with passages to both sides and a courtyard behind the houses."""
    half = plan.half
    a = lay_street(plan, rng, 0, rng.uniform(-9.0, 9.0), -half, half)
    lay_streets(plan)
    for along in np.array([-0.55, 0.05, 0.6]) * half + rng.uniform(-3.0, 3.0, 3):
        zebra(plan, a, float(along))
    edge = a.road + a.pavement
    for sign in (-1.0, 1.0):
        back = sign * half
        places = np.sort(rng.uniform(-0.8, 0.8, 2)) * half + np.array([-2.0, 2.0])
        for x in places:
            width = rng.uniform(3.2, 5.5)
            low, high = sorted((a.centre + sign * edge, back))
            passage(plan, (x - width / 2, low, x + width / 2, high))
        depth = rng.uniform(0.4, 0.6)
        y = a.centre + sign * edge + (back - a.centre - sign * edge) * depth
        width = rng.uniform(3.6, 5.5)
        passage(plan, (-half, y - width / 2, half, y + width / 2))
        x = float(rng.uniform(-0.5, 0.5)) * half
        size = rng.uniform(8.0, 12.0, 2)
        _square(plan, (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2))


def _plaza(plan: Plan, rng: np.random.Generator) -> None:
    """A square beside a street, with passages leaving its corners."""
    half = plan.half
    a = lay_street(plan, rng, 0, rng.uniform(-20.0, -14.0), -half, half)
    lay_streets(plan)
    for along in np.array([-0.4, 0.35]) * half + rng.uniform(-4.0, 4.0, 2):
        zebra(plan, a, float(along))
    low = a.centre + a.road + a.pavement
    width, depth = rng.uniform(24.0, 32.0), rng.uniform(20.0, 27.0)
    x = rng.uniform(-6.0, 6.0)
    _square(plan, (x - width / 2, low, x + width / 2, low + depth))
    for y in (low + rng.uniform(3.0, 8.0), low + depth - rng.uniform(3.0, 7.0)):
        size = rng.uniform(3.4, 5.5)
        passage(plan, (-half, y - size / 2, half, y + size / 2))
    for place in (x - width / 4, x + width / 3):
        size = rng.uniform(3.4, 5.5)
        passage(plan, (place - size / 2, low + depth, place + size / 2, half))
    bottom = a.centre - a.road - a.pavement
    for place in rng.uniform(-0.7, 0.7, 2) * half:
        size = rng.uniform(3.4, 5.0)
        passage(plan, (place - size / 2, -half, place + size / 2, bottom))
    for place in (-0.75 * half, 0.75 * half):
        size = rng.uniform(3.4, 5.0)
        passage(plan, (place - size / 2, low, place + size / 2, half))


def _alleys(plan: Plan, rng: np.random.Generator) -> None:
    """An old quarter without cars: a net of narrow lanes and two small squares."""
    half = plan.half
    xs = np.array([-0.62, -0.05, 0.55]) * half + rng.uniform(-3.5, 3.5, 3)
    ys = np.array([-0.62, 0.0, 0.6]) * half + rng.uniform(-3.5, 3.5, 3)
    for x in xs:
        width = rng.uniform(3.4, 6.5)
        passage(plan, (x - width / 2, -half, x + width / 2, half))
    for y in ys:
        # A lane that changes line where it crosses another blocks the view along it.
        width, shift = rng.uniform(3.4, 6.0), rng.uniform(-4.5, 4.5)
        turn = float(xs[1])
        passage(plan, (-half, y - width / 2, turn, y + width / 2))
        passage(plan, (turn, y + shift - width / 2, half, y + shift + width / 2))
    for _ in range(2):
        x, y = rng.choice(xs), rng.choice(ys)
        size = rng.uniform(10.0, 15.0, 2)
        _square(plan, (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2))


def _block_passages(plan: Plan, rng: np.random.Generator, a: Street, b: Street) -> None:
    """Cut the four blocks around a crossing by passages parallel to the streets."""
    half = plan.half
    x_gap, y_gap = b.road + b.pavement, a.road + a.pavement
    for sx in (-1.0, 1.0):
        inner, outer = b.centre + sx * x_gap, sx * half
        x = inner + (outer - inner) * rng.uniform(0.4, 0.65)
        width = rng.uniform(3.2, 5.5)
        passage(plan, (x - width / 2, -half, x + width / 2, half))
    for sy in (-1.0, 1.0):
        inner, outer = a.centre + sy * y_gap, sy * half
        y = inner + (outer - inner) * rng.uniform(0.4, 0.65)
        width = rng.uniform(3.2, 5.5)
        passage(plan, (-half, y - width / 2, half, y + width / 2))
        if rng.random() < 0.7:
            sx = float(rng.choice([-1.0, 1.0]))
            x = b.centre + sx * (x_gap + rng.uniform(8.0, 14.0))
            size = rng.uniform(7.0, 11.0, 2)
            _square(plan, (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2))


def _setbacks(plan: Plan, rng: np.random.Generator) -> None:
    """Step some house fronts back from the pavement: corners, niches, shop entrances."""
    for street in plan.streets:
        edge = street.road + street.pavement
        for sign in (-1.0, 1.0):
            place = street.start + rng.uniform(2.0, 8.0)
            while place < street.end - 6.0:
                length, depth = rng.uniform(4.0, 10.0), rng.uniform(0.8, 2.2)
                if rng.random() < 0.45:
                    a, b = sorted((street.centre + sign * edge,
                                   street.centre + sign * (edge + depth)))
                    along = (tenth(place), tenth(place + length))
                    rectangle = (
                        (along[0], a, along[1], b) if street.axis == 0
                        else (a, along[0], b, along[1])
                    )
                    plan.fill(rectangle, SIDEWALK, over=(BUILDING,))
                place += length + rng.uniform(3.0, 12.0)


LAYOUTS: dict[str, Callable[[Plan, np.random.Generator], None]] = {
    'crossing': _crossing,
    'tee': _tee,
    'street': _mainstreet,
    'plaza': _plaza,
    'alleys': _alleys,
}
_WEIGHTS = (0.26, 0.2, 0.2, 0.18, 0.16)
