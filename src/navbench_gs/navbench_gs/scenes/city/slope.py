"""Streets that climb: a smooth rise of the whole plan, pavements, houses and all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.plan import RESOLUTION, Plan
from navbench_gs.scenes.surfels import Surfels

Float = NDArray[np.float64]

SHARE = 0.35
"""Share of the scenes that are not level."""
MAX_GRADE = 0.06
"""Steepest climb along the hill's direction: 6 % is what most cities allow a walkway."""


@dataclass(frozen=True)
class Rise:
    """Height of the plan's level over the scene's z = 0, which passes through its middle."""

    grade: float
    """Steepest climb, rise over run; zero for a level scene."""
    direction: float
    """Where it climbs towards, rad."""
    bend: float
    """Metres over which an S-shaped climb repeats; infinite for an even one."""

    def at(self, xy: Float) -> Float:
        """Return the rise `[...]` at points `[..., 2]`, metres."""
        along = xy[..., 0] * np.cos(self.direction) + xy[..., 1] * np.sin(self.direction)
        if not np.isfinite(self.bend):
            return np.asarray(self.grade * along)
        # The slope runs from 0.15 to 1 of the grade and back.
        wave = self.bend / (2.0 * np.pi) * np.sin(2.0 * np.pi * along / self.bend)
        return np.asarray(self.grade * (0.575 * along + 0.425 * wave))

    def lift(self, surfels: Surfels) -> Surfels:
        """Return the elements moved up with the ground below them."""
        if self.grade == 0.0:
            return surfels
        points = surfels.points.copy()
        points[:, 2] += self.at(points[:, :2])
        return Surfels(
            points,
            surfels.normals,
            surfels.tangents,
            surfels.sizes,
            surfels.colours,
            surfels.opacities,
        )

    def lift_boxes(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return physics boxes `[B, 7]` moved up, reaching down to their lowest ground."""
        if self.grade == 0.0 or len(boxes) == 0:
            return boxes
        moved = boxes.astype(np.float64)
        reach = np.hypot(moved[:, 3], moved[:, 4]) * self.grade
        # Down by the fall below the middle, so that no wheel passes under the low end.
        moved[:, 2] += self.at(moved[:, :2]) - 0.5 * reach
        moved[:, 5] += 0.5 * reach
        return moved.astype(np.float32)

    def ground(self, plan: Plan, height: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the floor `[R, C]` with the rise added."""
        axis = (np.arange(len(height)) + 0.5) * RESOLUTION - plan.half
        x, y = np.meshgrid(axis, axis)
        return (height + self.at(np.stack([x, y], axis=-1))).astype(np.float32)


def draw_rise(rng: np.random.Generator) -> Rise:
    """Draw whether and how a scene climbs."""
    grade = float(rng.uniform(0.02, MAX_GRADE))
    direction, bend = float(rng.uniform(0.0, 2.0 * np.pi)), float(rng.uniform(35.0, 70.0))
    kind = rng.random()
    if kind >= SHARE:
        return Rise(0.0, 0.0, float('inf'))
    return Rise(grade, direction, bend if kind < 0.6 * SHARE else float('inf'))
