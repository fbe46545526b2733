"""What is put into the physics of an episode besides the scene and the robot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from navbench_gs.physics import layers
from navbench_gs.scenes.thing import Slab

OBSTACLE_FRICTION = 0.5
"""Sliding friction of wood, plastic or card on paving."""


@dataclass(frozen=True)
class Solid:
    """An obstacle with its place on the floor."""

    name: str
    """Unique within the episode; contacts are reported under it."""
    shape: Literal['box', 'cylinder']
    size: tuple[float, float, float]
    """Half extents (box) or radius, half height, 0 (cylinder), metres."""
    mass: float
    """Kilograms; without effect on a fixed one."""
    x: float
    """Footprint centre, map, metres."""
    y: float
    """Footprint centre, map, metres."""
    yaw: float
    """Heading in map, radians."""
    pushable: bool
    """Whether it moves when pushed."""
    slabs: tuple[Slab, ...] = ()
    """Layers of its body, where it has a closer one than `shape`, which lies around them."""

    @property
    def half_height(self) -> float:
        """Half the height, metres."""
        return self.size[2] if self.shape == 'box' else self.size[1]

    @property
    def half_extents(self) -> tuple[float, float]:
        """Half sizes of the footprint along its own x and y, metres."""
        if self.shape == 'box':
            return self.size[0], self.size[1]
        return self.size[0], self.size[0]


@dataclass(frozen=True)
class PersonBody:
    """A walking person's body: an upright capsule that is moved, not pushed."""

    name: str
    radius: float
    """Metres."""
    height: float
    """Metres."""


def add_solid(spec: mujoco.MjSpec, solid: Solid, floor: float) -> None:
    """Add an obstacle standing on the floor: fixed, or free to be pushed and tipped.

    Args:
        spec: The model being built.
        solid: Shape and place.
        floor: Floor height at its centre, metres.
    """
    position = [solid.x, solid.y, floor + solid.half_height]
    quat = [np.cos(solid.yaw / 2.0), 0.0, 0.0, np.sin(solid.yaw / 2.0)]
    body = spec.worldbody.add_body(name=solid.name, pos=position, quat=quat)
    geoms = [_slab(spec, body, solid, k) for k in range(len(solid.slabs))] or [body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX if solid.shape == 'box' else mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=list(solid.size),
    )]
    for geom in geoms:
        geom.friction = [OBSTACLE_FRICTION, 0.005, 0.0001]
        geom.contype = layers.PUSHABLE if solid.pushable else layers.WALL
        geom.conaffinity = layers.EVERYTHING if solid.pushable else 0
    if solid.pushable:
        body.add_freejoint()
        shares = _volumes(solid.slabs) if solid.slabs else np.ones(1)
        for geom, share in zip(geoms, shares / shares.sum(), strict=True):
            geom.mass = float(share * solid.mass)


def _slab(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, solid: Solid, number: int
) -> mujoco.MjsGeom:
    """Add one layer of a body as a convex mesh."""
    slab = solid.slabs[number]
    levels = (slab.bottom - solid.half_height, slab.top - solid.half_height)
    name = f'{solid.name}_slab_{number}'
    spec.add_mesh(
        name=name, uservert=[part for z in levels for x, y in slab.outline for part in (x, y, z)]
    )
    return body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name)


def _volumes(slabs: Sequence[Slab]) -> NDArray[np.float64]:
    """Return the volume of each slab, m3 (shoelace formula)."""
    found = []
    for slab in slabs:
        x, y = np.array(slab.outline).T
        area = 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
        found.append(area * (slab.top - slab.bottom))
    return np.array(found)


def add_person(spec: mujoco.MjSpec, person: PersonBody) -> None:
    """Add a person as a mocap body whose origin lies on the floor.

    The capsule's lower centre lies at floor level: seen by a low robot the body is a full
    cylinder, and since people do not collide with the floor the half ball below is harmless.
    """
    body = spec.worldbody.add_body(name=person.name, mocap=True)
    top = max(person.height - person.radius, person.radius)
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        size=[person.radius, 0.0, 0.0],
        fromto=[0.0, 0.0, 0.0, 0.0, 0.0, top],
        friction=[OBSTACLE_FRICTION, 0.005, 0.0001],
        contype=layers.PERSON,
        conaffinity=0,
    )


def footprints(
    solids: Sequence[Solid], poses: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the obstacles' shapes on the floor as they stand.

    Args:
        solids: Obstacles.
        poses: `[S, 4, 4]` map <- obstacle.

    Returns:
        **discs**: `[D, 3]` x, y, radius of the round ones.
        **rectangles**: `[B, 5]` x, y, half length, half width, yaw of the others.
    """
    discs, rectangles = [], []
    for solid, pose in zip(solids, poses, strict=True):
        if solid.shape == 'cylinder':
            discs.append((pose[0, 3], pose[1, 3], solid.size[0]))
        else:
            yaw = math.atan2(pose[1, 0], pose[0, 0])
            rectangles.append((pose[0, 3], pose[1, 3], *solid.half_extents, yaw))
    return np.array(discs).reshape(-1, 3), np.array(rectangles).reshape(-1, 5)
