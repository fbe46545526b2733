"""The scene's floor and walls as MuJoCo geoms, cut to what one episode can reach."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Reach:
    """All places a robot can come to: the ellipse of paths no longer than `length`."""

    start: tuple[float, float]
    """First focus, map, metres."""
    goal: tuple[float, float]
    """Second focus, map, metres."""
    length: float
    """Sum of the distances to both foci on the border, metres."""

    def contains(self, xy: NDArray[np.floating], margin: NDArray[np.floating] | float = 0.0
                 ) -> NDArray[np.bool_]:
        """Return `[N]` True where discs of radius `margin` around points `[N, 2]` touch it."""
        xy = np.asarray(xy, dtype=np.float64)
        total = np.hypot(xy[:, 0] - self.start[0], xy[:, 1] - self.start[1])
        total = total + np.hypot(xy[:, 0] - self.goal[0], xy[:, 1] - self.goal[1])
        return np.asarray(total <= self.length + 2.0 * np.asarray(margin))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """x_min, y_min, x_max, y_max of the ellipse, metres."""
        dx, dy = self.goal[0] - self.start[0], self.goal[1] - self.start[1]
        apart = float(np.hypot(dx, dy))
        long = max(self.length, apart) / 2.0
        short = float(np.sqrt(max(long * long - apart * apart / 4.0, 0.0)))
        c, s = (dx / apart, dy / apart) if apart > 0.0 else (1.0, 0.0)
        half_x = float(np.hypot(long * c, short * s))
        half_y = float(np.hypot(long * s, short * c))
        x, y = (self.start[0] + self.goal[0]) / 2.0, (self.start[1] + self.goal[1]) / 2.0
        return x - half_x, y - half_y, x + half_x, y + half_y


def add_ground(spec: mujoco.MjSpec, collision: CollisionMap, reach: Reach) -> bool:
    """Add the floor: a plane where it is flat, else a height field with slabs where it is level.

    Returns:
        Whether the floor is a plane.
    """
    x0, y0, x1, y1 = reach.bounds
    (r0, c0), (r1, c1) = collision.cell(np.array([[x0, y0], [x1, y1]]))
    rows, columns = collision.shape
    r0, c0 = int(np.clip(r0, 0, rows - 2)), int(np.clip(c0, 0, columns - 2))
    r1, c1 = int(np.clip(r1 + 1, r0 + 2, rows)), int(np.clip(c1 + 1, c0 + 2, columns))
    patch = collision.height[r0:r1, c0:c1].astype(np.float64)
    low, high = float(patch.min()), float(patch.max())
    common: dict[str, Any] = {
        'friction': [GROUND_FRICTION, 0.005, 0.0001],
        'contype': layers.GROUND,
        'conaffinity': 0,
    }
    if high - low < FLAT:
        spec.worldbody.add_geom(
            name='floor', type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 1.0],
            pos=[0.0, 0.0, float(np.median(patch))], **common,
        )
        return True
    _add_field(spec, patch, collision.centre(np.array([r0, c0])), collision.resolution, common)
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
        userdata=((heights - low) / (high - low)).ravel().tolist(),
    )
    spec.worldbody.add_geom(
        name='floor', type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname='floor',
        pos=[corner[0] + half[0], corner[1] + half[1], low], **common,
    )


def add_walls(spec: mujoco.MjSpec, collision: CollisionMap, reach: Reach) -> int:
    """Add the static boxes within reach, named ``wall_<index>``.

    Returns:
        How many were added.
    """
    boxes = collision.boxes.astype(np.float64)
    extent = np.hypot(boxes[:, 3], boxes[:, 4])
    chosen = np.flatnonzero(reach.contains(boxes[:, :2], extent))
    for index in chosen:
        cx, cy, cz, hx, hy, hz, yaw = boxes[index]
        spec.worldbody.add_geom(
            name=f'wall_{index}', type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[cx, cy, cz], size=[hx, hy, hz],
            quat=[np.cos(yaw / 2.0), 0.0, 0.0, np.sin(yaw / 2.0)],
            contype=layers.WALL, conaffinity=0,
        )
    return len(chosen)
