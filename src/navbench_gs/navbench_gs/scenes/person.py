"""Walking people as splats: a jointed figure of capsules, posed by the phase of its gait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.solids import box, cylinder, ellipsoid
from navbench_gs.scenes.surfels import Surfels
from navbench_gs.splats.cloud import GaussianCloud

Float = NDArray[np.float64]
Colour = tuple[float, float, float]
Point = tuple[float, float, float]

PHASES = 12
"""Poses of one gait cycle (two steps): at 1.8 steps/s one pose lasts 0.09 s."""
RADIUS = 0.25
"""Radius of a person's body in physics, metres."""
SPACING = 0.05
"""Spacing of elements, metres."""

_SKIN: tuple[Colour, ...] = (
    (0.93, 0.76, 0.65), (0.82, 0.62, 0.48), (0.62, 0.44, 0.32), (0.40, 0.27, 0.19)
)
_HAIR: tuple[Colour, ...] = (
    (0.10, 0.08, 0.07), (0.28, 0.18, 0.11), (0.60, 0.47, 0.28), (0.55, 0.55, 0.56)
)
_TOPS: tuple[Colour, ...] = (
    (0.72, 0.14, 0.14), (0.14, 0.26, 0.55), (0.88, 0.86, 0.82), (0.13, 0.13, 0.15),
    (0.85, 0.66, 0.16), (0.20, 0.45, 0.30), (0.50, 0.50, 0.54), (0.62, 0.34, 0.48),
)
_LEGS: tuple[Colour, ...] = (
    (0.15, 0.19, 0.32), (0.12, 0.12, 0.13), (0.42, 0.37, 0.30), (0.30, 0.40, 0.55),
    (0.36, 0.36, 0.38),
)


@dataclass(frozen=True)
class _Looks:
    """What a person is made of."""

    height: float
    width: float
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shoes: Colour
    backpack: Colour | None


@dataclass(frozen=True)
class PersonSplats:
    """One person; every pose is its own cloud in the person's frame.

    The frame: z up, origin on the floor below the hips, +x the way they walk.
    """

    radius: float
    """Of the body in physics, metres."""
    height: float
    """Metres, 1.6 to 1.9."""
    poses: tuple[GaussianCloud, ...]
    """One per phase of the gait."""
    standing: GaussianCloud
    """At rest."""

    def frame(self, phase: float | None) -> GaussianCloud:
        """Return the pose at a phase of the gait in [0, 1) (wraps), or at rest for None."""
        if phase is None:
            return self.standing
        return self.poses[int(np.floor((phase % 1.0) * len(self.poses))) % len(self.poses)]


def make_person(rng: np.random.Generator) -> PersonSplats:
    """Draw a person: stature, skin, hair and clothes."""

    def pick(colours: tuple[Colour, ...]) -> Colour:
        chosen = np.array(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.85, 1.12)
        r, g, b = np.clip(chosen, 0.03, 0.95)
        return float(r), float(g), float(b)

    looks = _Looks(
        height=float(rng.uniform(1.6, 1.9)),
        width=float(rng.uniform(0.92, 1.12)),
        skin=pick(_SKIN),
        hair=pick(_HAIR),
        top=pick(_TOPS),
        legs=pick(_LEGS),
        shoes=pick(((0.1, 0.1, 0.1), (0.8, 0.8, 0.8), (0.4, 0.25, 0.15))),
        backpack=pick(_TOPS) if rng.random() < 0.3 else None,
    )
    poses = tuple(_pose(looks, k / PHASES, 1.0) for k in range(PHASES))
    return PersonSplats(RADIUS, looks.height, poses, _pose(looks, 0.25, 0.0))


def _pose(looks: _Looks, phase: float, swing: float) -> GaussianCloud:
    """Build the figure at a phase; `swing` scales all motion (0: standing)."""
    h, w = looks.height, looks.width
    angle = 2.0 * np.pi * phase
    # Hips fall by about 2 % of the height when the legs are spread (inverted pendulum).
    hip = 0.52 * h - 0.012 * h * swing * (1.0 - np.cos(2.0 * angle))
    parts: list[Surfels] = []
    for side, shift in ((1.0, 0.0), (-1.0, np.pi)):
        parts += _leg(looks, side, angle + shift, hip, swing)
        parts += _arm(looks, side, angle + shift + np.pi, hip + 0.30 * h, swing)
    chest: Point = (0.012 * h * swing, 0.0, hip + 0.19 * h)
    parts.append(ellipsoid((0.0, 0.0, hip + 0.01), (0.11 * w, 0.155 * w, 0.09), looks.legs, 110))
    parts.append(ellipsoid(chest, (0.125 * w, 0.20 * w, 0.15 * h), looks.top, 420))
    parts.append(
        cylinder((0.01, 0, hip + 0.31 * h), (0.015, 0, hip + 0.37 * h), (0.055, 0.05), looks.skin,
                 SPACING)
    )
    head = h - 0.068 * h - (0.52 * h - hip)
    parts.append(ellipsoid((0.02, 0.0, head), (0.095, 0.078, 0.068 * h), looks.skin, 150))
    parts.append(ellipsoid((0.0, 0.0, head + 0.025), (0.10, 0.086, 0.062 * h), looks.hair, 150))
    if looks.backpack is not None:
        pack = box((-0.19, 0.0, hip + 0.2 * h), (0.08, 0.14, 0.20), looks.backpack, SPACING)
        parts.append(pack)
    body = Surfels.join(parts)
    tone = 0.82 + 0.18 * body.normals[:, 2] + 0.07 * body.normals[:, 0]
    return body.with_colours(body.colours * tone[:, None]).cloud()


def _leg(looks: _Looks, side: float, angle: float, hip: float, swing: float) -> list[Surfels]:
    """Thigh, shank and shoe; the knee bends while the leg swings forward."""
    h, y = looks.height, side * 0.085 * looks.width
    thigh_length, shank_length = 0.245 * h, 0.235 * h
    thigh = swing * 0.42 * np.sin(angle)
    bend = swing * (0.12 + 0.75 * max(0.0, float(np.cos(angle))) ** 2)
    knee: Point = (thigh_length * np.sin(thigh), y, hip - thigh_length * np.cos(thigh))
    shank = thigh - bend
    ankle: Point = (
        knee[0] + shank_length * np.sin(shank), y,
        max(0.045, knee[2] - shank_length * np.cos(shank)),
    )
    return [
        cylinder((0.0, y, hip), knee, (0.085 * looks.width, 0.06), looks.legs, SPACING),
        cylinder(knee, ankle, (0.06, 0.045), looks.legs, SPACING),
        ellipsoid((ankle[0] + 0.055, y, max(0.04, ankle[2] - 0.01)), (0.13, 0.05, 0.045),
                  looks.shoes, 46),
    ]


def _arm(looks: _Looks, side: float, angle: float, shoulder: float, swing: float) -> list[Surfels]:
    """Upper arm, fore-arm and hand, swinging against the leg of the same side."""
    h, y = looks.height, side * 0.205 * looks.width
    upper = swing * 0.38 * np.sin(angle)
    fore = upper + 0.12 + swing * 0.28
    length = 0.165 * h
    elbow: Point = (length * np.sin(upper), y + side * 0.02, shoulder - length * np.cos(upper))
    wrist: Point = (
        elbow[0] + 0.9 * length * np.sin(fore), elbow[1], elbow[2] - 0.9 * length * np.cos(fore)
    )
    return [
        cylinder((0.0, y, shoulder), elbow, (0.055, 0.046), looks.top, SPACING),
        cylinder(elbow, wrist, (0.044, 0.034), looks.top, SPACING),
        ellipsoid((wrist[0] + 0.01, wrist[1], wrist[2] - 0.05), (0.04, 0.03, 0.06), looks.skin,
                  30),
    ]
