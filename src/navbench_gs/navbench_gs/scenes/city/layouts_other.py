"""Layouts outside the training distribution: park, roundabout, canal and market."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.layouts import CROSSING_WIDTH, lay_street, lay_streets, passage, tenth
from navbench_gs.scenes.city.layouts import zebra as lay_zebra
from navbench_gs.scenes.city.plan import (
    BUILDING,
    LAWN,
    PLAZA,
    ROAD,
    SIDEWALK,
    WATER,
    Plan,
)

Float = NDArray[np.float64]


def make_other_plan(rng: np.random.Generator, seed: int) -> Plan:
    """Draw one of the layouts in turn, by the last digit of the seed."""
    name = list(LAYOUTS)[seed % len(LAYOUTS)]
    plan = Plan(half=tenth(rng.uniform(32.0, 36.0)), layout=name, other=True)
    LAYOUTS[name](plan, rng)
    return plan


def _disc(plan: Plan, x: float, y: float, radii: tuple[float, float], turn: float = 0.0) -> Float:
    """Return how far cells lie from a middle `[R, C]`, in units of an ellipse's radii."""
    gx, gy = plan.grid()
    dx, dy = gx - x, gy - y
    along = dx * np.cos(turn) + dy * np.sin(turn)
    across = dy * np.cos(turn) - dx * np.sin(turn)
    return np.asarray(np.hypot(along / radii[0], across / radii[1]))


def _park(plan: Plan, rng: np.random.Generator) -> None:
    """Curved paths between lawns, a pond, and houses all around."""
    half = plan.half
    rim = tenth(half - rng.uniform(5.0, 8.0))
    plan.fill((-rim, -rim, rim, rim), PLAZA)
    plan.plazas.append((-rim, -rim, rim, rim))
    for gate in rng.uniform(-0.5, 0.5, 2) * rim:
        passage(plan, (gate - 2.0, -half, gate + 2.0, half))
    pitch = rng.uniform(12.5, 15.0)
    steps = np.arange(-rim + 0.5 * pitch, rim, pitch)
    for row, y in enumerate(steps):
        for x in steps + (0.3 * pitch if row % 2 else 0.0):
            # Half the pitch less a path of 3.4 m or more.
            radius = 0.5 * pitch - rng.uniform(1.7, 2.3)
            radii = (radius * rng.uniform(0.9, 1.1), radius * rng.uniform(0.7, 0.95))
            inside = _disc(plan, float(x), float(y), radii, rng.uniform(0.0, np.pi)) < 1.0
            plan.fill_where(inside, WATER if rng.random() < 0.14 else LAWN, (PLAZA,))


def _roundabout(plan: Plan, rng: np.random.Generator) -> None:
    """Two streets meet in a roundabout with a green middle."""
    half = plan.half
    a = lay_street(plan, rng, 0, rng.uniform(-4.0, 4.0), -half, half)
    b = lay_street(plan, rng, 1, rng.uniform(-4.0, 4.0), -half, half)
    outer = tenth(rng.uniform(9.5, 11.0))
    walk = outer + max(a.pavement, b.pavement)
    plan.fill(
        (b.centre - walk, a.centre - walk, b.centre + walk, a.centre + walk), SIDEWALK, (BUILDING,)
    )
    lay_streets(plan)
    distance = _disc(plan, b.centre, a.centre, (1.0, 1.0))
    plan.fill_where(distance < outer, ROAD, (SIDEWALK, BUILDING))
    plan.fill_where(distance < outer - rng.uniform(4.6, 5.2), LAWN, (ROAD,))
    for one, other in ((a, b), (b, a)):
        for side in (other.centre + outer + 0.6, other.centre - outer - 0.6 - CROSSING_WIDTH):
            lay_zebra(plan, one, side)
    for sign in (-1.0, 1.0):
        x = b.centre + sign * (walk + rng.uniform(5.0, 8.0))
        passage(plan, (x - 2.0, -half, x + 2.0, half))
        y = a.centre + sign * (walk + rng.uniform(5.0, 8.0))
        passage(plan, (-half, y - 2.0, half, y + 2.0))


def _canal(plan: Plan, rng: np.random.Generator) -> None:
    """A winding canal with a quay on either side, bridges, and lanes behind the houses."""
    half = plan.half
    x, y = plan.grid()
    period, swing = rng.uniform(45.0, 70.0), rng.uniform(2.0, 4.0)
    middle = rng.uniform(-5.0, 5.0) + swing * np.sin(2.0 * np.pi * x / period + rng.uniform(0, 6))
    width, quay = rng.uniform(2.6, 3.6), rng.uniform(4.2, 5.6)
    # Fronts stay straight: the quay is as wide as the swing asks.
    low, high = (
        tenth(float(middle.min()) - width - quay),
        tenth(float(middle.max()) + width + quay),
    )
    plan.fill((-half, low, half, high), PLAZA)
    plan.plazas.append((-half, low, half, high))
    plan.fill_where(np.abs(y - middle) < width, WATER, (PLAZA,))
    for place in np.array([-0.6, 0.05, 0.62]) * half + rng.uniform(-3.0, 3.0, 3):
        bridge = np.abs(x - place) < rng.uniform(1.6, 2.4)
        plan.fill_where(bridge, PLAZA, (WATER,))
        passage(plan, (place - 1.9, -half, place + 1.9, half))
    for edge, sign in ((low, -1.0), (high, 1.0)):
        lane = 0.5 * (edge + sign * half)
        passage(plan, (-half, lane - 2.0, half, lane + 2.0))


def _market(plan: Plan, rng: np.random.Generator) -> None:
    """A large square full of stalls in rows; lanes lead to it from all sides."""
    half = plan.half
    rim = tenth(half - rng.uniform(9.0, 12.0))
    plan.fill((-rim, -rim, rim, rim), PLAZA)
    plan.plazas.append((-rim, -rim, rim, rim))
    for place in rng.uniform(-0.8, 0.8, 3) * rim:
        width = rng.uniform(3.6, 5.0)
        passage(plan, (place - width / 2, -half, place + width / 2, half))
        other = float(rng.uniform(-0.8, 0.8)) * rim
        passage(plan, (-half, other - width / 2, half, other + width / 2))
    ring = rim + 0.5 * (half - rim)
    for line in (-ring, ring):
        passage(plan, (-half, line - 1.8, half, line + 1.8))
        passage(plan, (line - 1.8, -half, line + 1.8, half))


def stall_rows(plan: Plan, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return x, y and heading of the stalls of a market, with 3 m lanes between the rows."""
    if plan.layout != 'market':
        return []
    x0, y0, x1, y1 = plan.plazas[0]
    stalls = []
    for row, y in enumerate(np.arange(y0 + 4.5, y1 - 4.0, 6.4)):
        for x in np.arange(x0 + 4.0, x1 - 3.5, 3.4):
            # Every fourth is missing, so that one can cross between the lanes.
            if rng.random() < 0.66:
                stalls.append((float(x), float(y), 0.0 if row % 2 else np.pi))
    return stalls


LAYOUTS: dict[str, Callable[[Plan, np.random.Generator], None]] = {
    'park': _park,
    'roundabout': _roundabout,
    'canal': _canal,
    'market': _market,
}
