"""The scene's floor and walls as MuJoCo geoms."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from navbench_gs.physics import layers
from navbench_gs.physics.slabs import level_rectangles, sink
from navbench_gs.scenes.collision import CollisionMap

FLAT = 0.01
"""A floor whose heights differ by less is a plane, metres: below what a wheel notices."""
GROUND_FRICTION = 0.9
THICK = 0.25
"""Half the thickness of a slab, metres: too thick to be driven through in one step."""
APRON = 10.0
"""The floor goes on level beyond the map for this far, metres: leaving it is not a fall."""
MOST_VERTICES = 4_000_000
"""Larger floors keep every second (third, ...) vertex: 200 x 200 m at 0.1 m."""


def add_ground(spec: mujoco.MjSpec, collision: CollisionMap) -> bool:
    """Add the floor: a plane where it is flat, else a height field with slabs where it is level.

    Returns:
        Whether the floor is a plane.
    """
    heights = collision.height.astype(np.float64)
    common: dict[str, Any] = {
        'friction': [GROUND_FRICTION, 0.005, 0.0001],
        'contype': layers.GROUND,
        'conaffinity': 0,
    }
    if heights.max() - heights.min() < FLAT:
        spec.worldbody.add_geom(
            name='floor', type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 1.0],
            pos=[0.0, 0.0, float(np.median(heights))], **common,
        )
        return True
    margin = round(APRON / collision.resolution)
    heights = np.pad(heights, margin, mode='edge')
    corner = collision.centre(np.array([-margin, -margin]))
    stride = int(np.ceil(np.sqrt(heights.size / MOST_VERTICES)))
    _add_field(spec, heights[::stride, ::stride], corner, collision.resolution * stride, common)
    return False


def _add_field(
    spec: mujoco.MjSpec, heights: NDArray[np.float64], corner: NDArray[np.float64],
    resolution: float, common: dict[str, Any],
) -> None:
    """Add a height field whose vertex (0, 0) lies at `corner`, and slabs over its level parts."""
    rectangles, levels = level_rectangles(heights)
    for (row, column, last_row, last_column), level in zip(rectangles, levels, strict=True):
        size = np.array([last_column - column, last_row - row]) * resolution / 2.0
        centre = corner + np.array([column, row]) * resolution + size
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=[*size, THICK], pos=[*centre, level - THICK],
            **common,
        )
    heights = sink(heights, rectangles)
    rows, columns = heights.shape
    low, high = float(heights.min()), float(heights.max())
    half = np.array([columns - 1, rows - 1]) * resolution / 2.0
    spec.add_hfield(
        name='floor', nrow=rows, ncol=columns, size=[half[0], half[1], high - low, 1.0],
        userdata=((heights - low) / (high - low)).astype(np.float32).ravel(),
    )
    spec.worldbody.add_geom(
        name='floor', type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname='floor',
        pos=[corner[0] + half[0], corner[1] + half[1], low], **common,
    )


def add_walls(spec: mujoco.MjSpec, collision: CollisionMap) -> None:
    """Add the static boxes, named ``wall_<index>``."""
    for index, (cx, cy, cz, hx, hy, hz, yaw) in enumerate(collision.boxes.astype(np.float64)):
        spec.worldbody.add_geom(
            name=f'wall_{index}', type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[cx, cy, cz], size=[hx, hy, hz],
            quat=[np.cos(yaw / 2.0), 0.0, 0.0, np.sin(yaw / 2.0)],
            contype=layers.WALL, conaffinity=0,
        )
