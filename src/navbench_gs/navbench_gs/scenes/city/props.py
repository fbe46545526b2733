"""What stands in a street: trees, lamps, cars, hedges, benches, barriers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.light import SHINE
from navbench_gs.scenes.objects import furniture_parts
from navbench_gs.scenes.solids import box, cylinder, ellipsoid
from navbench_gs.scenes.surfels import SurfelList, Surfels

Float = NDArray[np.float64]

_CARS = np.array(
    [[0.72, 0.72, 0.74], [0.12, 0.13, 0.15], [0.45, 0.08, 0.09], [0.10, 0.20, 0.42],
     [0.85, 0.85, 0.84], [0.30, 0.33, 0.32], [0.55, 0.50, 0.40]]
)


_AWNINGS = np.array([[0.75, 0.16, 0.14], [0.12, 0.36, 0.60], [0.14, 0.48, 0.30]])


@dataclass(frozen=True)
class Prop:
    """A fixed thing in its own frame: z up, origin on the floor, +x forward."""

    surfels: Surfels
    """Unlit."""
    half: tuple[float, float, float]
    """Half sizes of its body, which stands on the floor, metres; the body may be less than the
    picture above 1.2 m (a tree's crown)."""
    shadow: tuple[float, float, float]
    """Radius, top and density of what casts its shadow: metres, metres, 0 to 1."""
    light: float = 0.0
    """Height at which a lamp burns before it, metres; zero for none."""


def tree(rng: np.random.Generator) -> Prop:
    """A street tree in an earth disc, crown above head height."""
    clear, radius = rng.uniform(2.2, 2.7), rng.uniform(1.3, 2.0)
    trunk = rng.uniform(0.11, 0.17)
    bark = np.array([0.36, 0.29, 0.23]) * rng.uniform(0.8, 1.2)
    leaf = np.array([[0.24, 0.42, 0.14], [0.34, 0.46, 0.16], [0.18, 0.36, 0.17],
                     [0.50, 0.42, 0.14]])[rng.integers(4)]
    parts = [
        cylinder((0, 0, 0), (rng.normal(0, 0.08), rng.normal(0, 0.08), clear + 0.6),
                 (1.2 * trunk, 0.7 * trunk), (bark[0], bark[1], bark[2]), 0.10)
    ]
    middle = clear + 0.9 * radius
    for _ in range(7):
        direction = rng.normal(0.0, 1.0, 3) * np.array([0.5, 0.5, 0.35]) * radius
        lobe = ellipsoid(
            (direction[0], direction[1], middle + direction[2]),
            (0.62 * radius, 0.62 * radius, 0.55 * radius), (leaf[0], leaf[1], leaf[2]), 75,
        )
        depth = rng.uniform(0.75, 1.05, (len(lobe), 1))
        centre = np.array([direction[0], direction[1], middle + direction[2]])
        parts.append(
            Surfels(
                (lobe.points - centre) * depth + centre, lobe.normals, lobe.tangents,
                lobe.sizes * rng.uniform(0.8, 1.15, (len(lobe), 1)),
                lobe.colours * rng.uniform(0.6, 1.35, (len(lobe), 1)), lobe.opacities,
            )
        )
    disc = SurfelList()
    angle = np.linspace(0.0, 2.0 * np.pi, 14, endpoint=False)
    ring = np.column_stack([0.3 * np.cos(angle), 0.3 * np.sin(angle), np.full(14, 0.02)])
    disc.add(ring, (0, 0, 1), (1, 0, 0), (0.12, 0.12), np.array([0.24, 0.19, 0.14]))
    parts.append(disc.joined())
    return Prop(Surfels.join(parts), (trunk, trunk, 1.2), (0.9 * radius, middle + radius, 0.7))


LAMP_ARM = 0.95
"""How far a lamp's light hangs before its post, metres."""


def lamp(rng: np.random.Generator, lit: bool = False) -> Prop:
    """A street lamp whose arm reaches over +x."""
    height = rng.uniform(4.2, 5.0)
    iron = (0.20, 0.22, 0.23)
    head = (SHINE + 1.0, SHINE + 0.92, SHINE + 0.72) if lit else (0.75, 0.75, 0.72)
    parts = [
        cylinder((0, 0, 0), (0, 0, 0.7), (0.085, 0.075), iron, 0.07),
        cylinder((0, 0, 0.7), (0, 0, height), (0.055, 0.04), iron, 0.14),
        cylinder((0, 0, height), (0.9, 0, height + 0.15), (0.035, 0.035), iron, 0.14),
        box((LAMP_ARM, 0, height + 0.1), (0.28, 0.10, 0.06), head, 0.12, bottom=True),
    ]
    light = height if lit else 0.0
    return Prop(Surfels.join(parts), (0.09, 0.09, 0.5 * height), (0.0, 0.0, 0.0), light)


def car(rng: np.random.Generator) -> Prop:
    """A parked car along x."""
    length, width = rng.uniform(1.95, 2.25), rng.uniform(0.82, 0.90)
    paint_rgb = _CARS[rng.integers(len(_CARS))] * rng.uniform(0.9, 1.1)
    paint = (float(paint_rgb[0]), float(paint_rgb[1]), float(paint_rgb[2]))
    belt, roof = rng.uniform(0.82, 0.92), rng.uniform(1.38, 1.6)
    glass = (0.14, 0.18, 0.22)
    body = box((0, 0, 0.5 * (0.22 + belt)), (length, width, 0.5 * (belt - 0.22)), paint, 0.12)
    low = (body.points[:, 2] < 0.34) | (np.abs(body.points[:, 2] - 0.6) < 0.03)
    colours = np.where(low[:, None], body.colours * 0.45, body.colours)
    front = np.abs(body.points[:, 0]) > length - 1e-6
    lights = front & (np.abs(body.points[:, 1]) > 0.55 * width) & (body.points[:, 2] > 0.55)
    tail = lights & (body.points[:, 0] < 0.0)
    colours[lights], colours[tail] = (0.92, 0.92, 0.86), (0.70, 0.06, 0.05)
    plate = front & (np.abs(body.points[:, 1]) < 0.26) & (np.abs(body.points[:, 2] - 0.48) < 0.08)
    colours[plate] = 0.9
    half = 0.52 * length
    cabin = box((-0.15 * length, 0, 0.5 * (belt + roof)),
                (half, 0.88 * width, 0.5 * (roof - belt)), glass, 0.12)
    share = (cabin.points[:, 2] - belt) / (roof - belt)
    slim = 1.0 - 0.28 * share
    points = cabin.points.copy()
    points[:, 0] = -0.15 * length + (points[:, 0] + 0.15 * length) * slim
    pillar = np.abs(np.mod(cabin.points[:, 0] + half, 0.95) - 0.47) > 0.42
    tone = np.where(((share > 0.93) | (pillar & (np.abs(cabin.normals[:, 1]) > 0.5)))[:, None],
                    paint_rgb, cabin.colours * (1.0 + 0.8 * share[:, None]))
    cabin = Surfels(points, cabin.normals, cabin.tangents, cabin.sizes, tone, cabin.opacities)
    parts = [body.with_colours(colours), cabin]
    for x in (-0.62 * length, 0.64 * length):
        for side in (-1.0, 1.0):
            y = side * width
            parts.append(cylinder((x, y - 0.15 * side, 0.32), (x, y + 0.015 * side, 0.32),
                                  (0.32, 0.32), (0.07, 0.07, 0.08), 0.13))
            parts.append(ellipsoid((x, y + 0.02 * side, 0.32), (0.17, 0.02, 0.17),
                                   (0.62, 0.62, 0.64), 24))
    return Prop(Surfels.join(parts), (length, width + 0.02, 0.5 * roof), (1.2, 1.3, 1.0))


def hedge(rng: np.random.Generator, length: float, depth: float) -> Prop:
    """A clipped hedge along x."""
    height = rng.uniform(0.8, 1.15)
    half = (0.5 * length, 0.5 * depth, 0.5 * height)
    green = np.array([0.19, 0.35, 0.13]) * rng.uniform(0.85, 1.2)
    body = box((0, 0, half[2]), (half[0] - 0.05, half[1] - 0.05, half[2] - 0.03),
               (green[0], green[1], green[2]), 0.11)
    tone = rng.uniform(0.55, 1.45, (len(body), 1))
    push = body.normals * rng.uniform(-0.04, 0.04, (len(body), 1))
    sizes = body.sizes * np.array([1.1, 1.1, 2.0])
    surfels = Surfels(body.points + push, body.normals, body.tangents, sizes,
                      body.colours * tone, body.opacities)
    return Prop(surfels, half, (0.3, height, 1.0))


def barrier(length: float) -> Prop:
    """Red and white boards across a street that leaves the plan, along x."""
    half = (0.5 * length, 0.06, 0.5)
    parts = []
    for low, high in ((0.30, 0.52), (0.72, 0.98)):
        board = box((0, 0, 0.5 * (low + high)), (half[0], 0.03, 0.5 * (high - low)),
                    (0.9, 0.9, 0.88), 0.10, bottom=True)
        red = np.mod(board.points[:, 0] + 0.6 * board.points[:, 2], 0.6) < 0.3
        parts.append(board.with_colours(np.where(red[:, None], [0.78, 0.12, 0.10],
                                                 board.colours)))
    for x in np.arange(-half[0] + 0.2, half[0], 1.6):
        parts.append(box((float(x), 0, 0.06), (0.1, 0.06, 0.06), (0.2, 0.2, 0.2), 0.1))
        parts.append(box((float(x), 0, 0.5), (0.03, 0.025, 0.5), (0.35, 0.35, 0.36), 0.1))
    return Prop(Surfels.join(parts), half, (0.0, 0.0, 0.0))


def fountain(rng: np.random.Generator) -> Prop:
    """A round stone basin with a column in its middle."""
    radius = float(rng.uniform(1.3, 2.1))
    stone = (0.66, 0.64, 0.60)
    parts = [
        cylinder((0, 0, 0), (0, 0, 0.55), (radius, radius), stone, 0.12, cap=False),
        cylinder((0, 0, 0.55), (0, 0, 0.56), (radius, 0.85 * radius), stone, 0.12, cap=False),
        cylinder((0, 0, 0.3), (0, 0, 1.9), (0.28, 0.2), stone, 0.1),
        ellipsoid((0, 0, 2.1), (0.35, 0.35, 0.3), stone, 120),
    ]
    angle = rng.uniform(0.0, 2.0 * np.pi, 400)
    reach = 0.9 * radius * np.sqrt(rng.uniform(0.02, 1.0, 400))
    water = SurfelList()
    water.add(
        np.column_stack([reach * np.cos(angle), reach * np.sin(angle), np.full(400, 0.45)]),
        (0, 0, 1), (1, 0, 0), (0.12, 0.12),
        np.array([0.25, 0.42, 0.48]) * rng.uniform(0.8, 1.2, (400, 1)),
    )
    parts.append(water.joined())
    return Prop(Surfels.join(parts), (radius, radius, 0.9), (0.5, 2.2, 1.0))


def stall(rng: np.random.Generator, lit: bool = False) -> Prop:
    """A market stall, 2.6 m along x: a table of goods under a striped roof on four posts."""
    half = (1.3, 0.75, 1.15)
    wood, cloth = (0.48, 0.34, 0.20), _AWNINGS[rng.integers(len(_AWNINGS))]
    parts = [box((0, 0, 0.42), (1.25, 0.7, 0.42), wood, 0.16)]
    for x in (-1.22, 1.22):
        for y in (-0.68, 0.68):
            parts.append(cylinder((x, y, 0), (x, y, 2.2), (0.03, 0.03), (0.75, 0.74, 0.7), 0.14))
    roof = box((0, 0, 2.25), (1.4, 0.85, 0.06), (0.9, 0.9, 0.87), 0.16, bottom=True)
    striped = np.mod(roof.points[:, 0] + 1.4, 0.56) < 0.28
    parts.append(roof.with_colours(np.where(striped[:, None], cloth, roof.colours)))
    for x in np.arange(-1.05, 1.1, 0.35):
        for y in (-0.35, 0.3):
            hue = rng.uniform(0.15, 0.9, 3)
            parts.append(
                ellipsoid((x, y, 0.9), (0.16, 0.19, 0.10), (hue[0], hue[1], hue[2]), 12)
            )
    if lit:
        glow = (SHINE + 1.0, SHINE + 0.9, SHINE + 0.6)
        parts.append(ellipsoid((0, 0, 2.05), (0.09, 0.09, 0.09), glow, 24))
    return Prop(Surfels.join(parts), half, (1.0, 2.2, 1.0))


def furniture(kind: str, rng: np.random.Generator) -> Prop:
    """A bench, bin, planter or bollard of the same make as the movable ones."""
    surfels, half = furniture_parts(kind, rng)
    return Prop(surfels, half, (0.3, 2.0 * half[2], 0.8))
