"""Movable things for episodes: each has a look in splats and a physical shape that agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.captured import captured_object, is_captured
from navbench_gs.scenes.person import PersonSplats, make_person
from navbench_gs.scenes.solids import box, cylinder, ellipsoid
from navbench_gs.scenes.surfels import Surfels
from navbench_gs.scenes.thing import SceneObject

__all__ = [
    'KINDS', 'PersonSplats', 'SceneObject', 'known_obstacle', 'make_obstacle', 'make_person',
]

Float = NDArray[np.float64]
Colour = tuple[float, float, float]

FINE = 0.05
"""Spacing of elements on small objects, metres."""


@dataclass(frozen=True)
class _Made:
    """What a maker returns: unlit elements and the body."""

    surfels: Surfels
    shape: Literal['box', 'cylinder']
    size: tuple[float, float, float]
    mass: float
    pushable: bool


def _pick(rng: np.random.Generator, *colours: Colour) -> Colour:
    """Choose one colour and vary it a little."""
    chosen = np.array(colours[int(rng.integers(len(colours)))])
    varied = np.clip(chosen * rng.uniform(0.85, 1.12) + rng.normal(0.0, 0.015, 3), 0.03, 0.95)
    return float(varied[0]), float(varied[1]), float(varied[2])


def _cardboard(rng: np.random.Generator) -> _Made:
    """A cardboard box with tape and a label."""
    half = (rng.uniform(0.18, 0.32), rng.uniform(0.18, 0.32), rng.uniform(0.16, 0.34))
    body = box((0.0, 0.0, half[2]), half, _pick(rng, (0.66, 0.48, 0.30), (0.72, 0.58, 0.40)), FINE)
    tape = np.abs(body.points[:, 1]) < 0.04
    label = (body.points[:, 0] > half[0] - 1e-3) & (np.abs(body.points[:, 2] - half[2]) < 0.07)
    colours = body.colours.copy()
    colours[tape], colours[label & (np.abs(body.points[:, 1]) < 0.11)] = (0.80, 0.70, 0.52), 0.9
    return _Made(body.with_colours(colours), 'box', half, float(rng.uniform(2.0, 8.0)), True)


def _crate(rng: np.random.Generator) -> _Made:
    """A wooden or plastic crate with slats."""
    half = (rng.uniform(0.25, 0.38), rng.uniform(0.20, 0.32), rng.uniform(0.18, 0.36))
    colour = _pick(rng, (0.58, 0.42, 0.24), (0.16, 0.38, 0.22), (0.18, 0.30, 0.55))
    body = box((0.0, 0.0, half[2]), half, colour, FINE)
    gap = np.mod(body.points[:, 2], 0.15) < 0.045
    gap &= np.abs(body.normals[:, 2]) < 0.5
    shade = np.where(gap, 0.45, 1.0)
    return _Made(
        body.with_colours(body.colours * shade[:, None]), 'box', half,
        float(rng.uniform(4.0, 15.0)), True,
    )


def _bin(rng: np.random.Generator) -> _Made:
    """A round litter bin with a lid and a stripe."""
    radius, height = rng.uniform(0.20, 0.28), rng.uniform(0.75, 1.0)
    colour = _pick(rng, (0.15, 0.34, 0.20), (0.35, 0.36, 0.38), (0.80, 0.42, 0.10))
    lid = height - 0.10
    body = cylinder((0, 0, 0), (0, 0, lid), (0.9 * radius, radius), colour, FINE)
    stripe = np.abs(body.points[:, 2] - 0.7 * lid) < 0.05
    colours = np.where(stripe[:, None], 0.88, body.colours)
    parts = [
        body.with_colours(colours),
        cylinder((0, 0, lid), (0, 0, height), (radius, 0.6 * radius), (0.12, 0.12, 0.13), FINE),
    ]
    size = (radius, 0.5 * height, 0.0)
    return _Made(Surfels.join(parts), 'cylinder', size, float(rng.uniform(6.0, 15.0)), True)


def _bollard(rng: np.random.Generator) -> _Made:
    """A steel post with a reflecting ring."""
    radius, height = rng.uniform(0.07, 0.11), rng.uniform(0.8, 1.0)
    colour = _pick(rng, (0.16, 0.17, 0.18), (0.45, 0.12, 0.10), (0.50, 0.50, 0.50))
    body = cylinder((0, 0, 0), (0, 0, height), (radius, radius), colour, 0.04)
    ring = np.abs(body.points[:, 2] - 0.82 * height) < 0.06
    colours = np.where(ring[:, None], 0.92, body.colours)
    size = (radius, 0.5 * height, 0.0)
    return _Made(body.with_colours(colours), 'cylinder', size, 60.0, False)


def _cone(rng: np.random.Generator) -> _Made:
    """A traffic cone with white bands on a square foot."""
    height, foot = rng.uniform(0.5, 0.75), rng.uniform(0.16, 0.20)
    body = cylinder((0, 0, 0.04), (0, 0, height), (0.8 * foot, 0.035), (0.90, 0.32, 0.08), 0.035)
    share = body.points[:, 2] / height
    band = ((share > 0.38) & (share < 0.55)) | ((share > 0.7) & (share < 0.82))
    colours = np.where(band[:, None], 0.93, body.colours)
    base = box((0, 0, 0.02), (foot, foot, 0.02), (0.15, 0.13, 0.12), FINE)
    parts = [base, body.with_colours(colours)]
    size = (foot, 0.5 * height, 0.0)
    return _Made(Surfels.join(parts), 'cylinder', size, float(rng.uniform(2.0, 4.0)), True)


def _planter(rng: np.random.Generator) -> _Made:
    """A tub with a shrub that stays above its rim."""
    half = (rng.uniform(0.28, 0.45), rng.uniform(0.28, 0.45), 0.0)
    rim, height = rng.uniform(0.38, 0.55), rng.uniform(0.85, 1.1)
    colour = _pick(rng, (0.55, 0.52, 0.48), (0.55, 0.30, 0.20), (0.25, 0.26, 0.28))
    tub = box((0, 0, 0.5 * rim), (half[0], half[1], 0.5 * rim), colour, 0.06)
    reach = 0.85 * min(half[:2])
    middle = 0.5 * (rim + height)
    bush = ellipsoid((0, 0, middle), (reach, reach, 0.5 * (height - rim)), (0.2, 0.4, 0.15), 420)
    jitter = rng.uniform(0.72, 1.0, (len(bush), 1))
    points = (bush.points - (0, 0, middle)) * jitter + (0, 0, middle)
    shade = rng.uniform(0.6, 1.35, (len(bush), 1))
    leaves = Surfels(points, bush.normals, bush.tangents, bush.sizes * 1.15,
                     bush.colours * shade, bush.opacities)
    size = (half[0], half[1], 0.5 * height)
    return _Made(Surfels.join([tub, leaves]), 'box', size, 80.0, False)


def _bench(rng: np.random.Generator) -> _Made:
    """A wooden bench with a back; sits along y, faces +x."""
    length, wood = rng.uniform(0.7, 0.9), _pick(rng, (0.50, 0.33, 0.18), (0.40, 0.28, 0.18))
    iron = (0.16, 0.17, 0.18)
    parts = [
        box((x, 0, 0.45), (0.055, length, 0.02), wood, 0.06, bottom=True)
        for x in (-0.16, -0.03, 0.10, 0.2)
    ]
    parts += [
        box((-0.24, 0, z), (0.02, length, 0.045), wood, 0.06) for z in (0.58, 0.70, 0.82)
    ]
    for y in (-0.8 * length, 0.8 * length):
        parts.append(box((0.0, y, 0.215), (0.24, 0.03, 0.215), iron, 0.06))
        parts.append(box((-0.25, y, 0.65), (0.015, 0.03, 0.22), iron, 0.06))
    size = (0.27, length, 0.44)
    return _Made(Surfels.join(parts), 'box', size, 50.0, False)


def _scooter(rng: np.random.Generator) -> _Made:
    """A parked kick scooter along x."""
    colour = _pick(rng, (0.15, 0.65, 0.35), (0.90, 0.45, 0.10), (0.20, 0.20, 0.22))
    black = (0.08, 0.08, 0.09)
    parts = [
        box((-0.02, 0, 0.14), (0.36, 0.07, 0.025), colour, 0.045, bottom=True),
        cylinder((0.42, 0, 0.12), (0.34, 0, 1.08), (0.032, 0.028), colour, 0.04),
        cylinder((0.34, -0.22, 1.08), (0.34, 0.22, 1.08), (0.024, 0.024), black, 0.04),
    ]
    for x in (-0.42, 0.45):
        parts.append(cylinder((x, -0.03, 0.11), (x, 0.03, 0.11), (0.105, 0.105), black, 0.045))
    return _Made(
        Surfels.join(parts), 'box', (0.55, 0.22, 0.56), float(rng.uniform(11.0, 15.0)), True
    )


_MAKERS: dict[str, Callable[[np.random.Generator], _Made]] = {
    'box': _cardboard,
    'bin': _bin,
    'bollard': _bollard,
    'cone': _cone,
    'crate': _crate,
    'planter': _planter,
    'bench': _bench,
    'scooter': _scooter,
}

KINDS = tuple(_MAKERS)
"""What `make_obstacle` makes."""


def make_obstacle(kind: str, rng: np.random.Generator) -> SceneObject:
    """Make a thing of a kind with drawn size and colours, or the captured one of that name.

    Raises:
        SceneError: the kind is unknown, or as `captured.captured_object`.
    """
    if is_captured(kind):
        return captured_object(kind)
    if kind not in _MAKERS:
        raise SceneError(f'obstacle kind must be one of {KINDS}, got {kind!r}')
    made = _MAKERS[kind](rng)
    cloud = shaded(made.surfels).cloud()
    size = (float(made.size[0]), float(made.size[1]), float(made.size[2]))
    return SceneObject(kind, cloud, made.shape, size, made.mass, made.pushable)


@lru_cache(maxsize=128)
def known_obstacle(kind: str, seed: int) -> SceneObject:
    """Return the thing that a kind and a seed name.

    Drawing an episode asks for the size of each of its things, building it for the things.
    """
    return make_obstacle(kind, np.random.default_rng(seed))


def shaded(surfels: Surfels) -> Surfels:
    """Light a movable thing by a plain overcast sky: it may turn, so no sun is baked in."""
    tone = 0.80 + 0.20 * surfels.normals[:, 2] + 0.06 * surfels.normals[:, 0]
    ground = 0.82 + 0.18 * np.clip(surfels.points[:, 2] / 0.25, 0.0, 1.0)
    return surfels.with_colours(np.clip(surfels.colours * (tone * ground)[:, None], 0.0, 1.0))


def furniture_parts(
    kind: str, rng: np.random.Generator
) -> tuple[Surfels, tuple[float, float, float]]:
    """Make a thing for a generated street.

    Returns:
        Unlit elements, and the half sizes of the box around its body, metres.

    Raises:
        SceneError: the kind is unknown.
    """
    if kind not in _MAKERS:
        raise SceneError(f'furniture kind must be one of {KINDS}, got {kind!r}')
    made = _MAKERS[kind](rng)
    if made.shape == 'box':
        return made.surfels, (float(made.size[0]), float(made.size[1]), float(made.size[2]))
    return made.surfels, (float(made.size[0]), float(made.size[0]), float(made.size[1]))
