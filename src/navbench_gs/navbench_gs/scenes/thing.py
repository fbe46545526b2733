"""What every movable thing has: a look in splats and a physical shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navbench_gs.splats.cloud import GaussianCloud


@dataclass(frozen=True)
class Slab:
    """An upright prism, one layer of a body."""

    bottom: float
    """Height over the floor, metres."""
    top: float
    """Height over the floor, metres."""
    outline: tuple[tuple[float, float], ...]
    """Corners of its convex outline in the thing's frame, in order, metres."""


@dataclass(frozen=True)
class SceneObject:
    """A thing that can stand in the way."""

    kind: str
    """One of `objects.KINDS`, or 'CATALOGUE:NAME' of a captured one."""
    cloud: GaussianCloud
    """Own frame: z up, origin on the floor at the footprint's centre, +x forward."""
    shape: Literal['box', 'cylinder']
    """Physical shape, standing on the floor; around the slabs where there are any."""
    size: tuple[float, float, float]
    """Half extents of a box, or (radius, half height, 0) of a cylinder, metres."""
    mass: float
    """Kilograms."""
    pushable: bool
    """Whether a robot can move it."""
    slabs: tuple[Slab, ...] = ()
    """A body that follows the look more closely than one shape could."""
