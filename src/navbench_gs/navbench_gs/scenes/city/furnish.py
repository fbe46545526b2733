"""Placing street furniture, trees and parked cars on a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.surfels import SurfelList, Surfels
from navbench_gs.scenes.city.plan import RESOLUTION, Plan

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


def furnish(plan: Plan, height: NDArray[np.float32], rng: np.random.Generator) -> Furniture:
    """Place furniture."""
    return Furniture(
        SurfelList().joined(), np.zeros(plan.labels.shape, dtype=bool),
        np.zeros((0, 7), dtype=np.float32), np.zeros((0, 3)),
    )
