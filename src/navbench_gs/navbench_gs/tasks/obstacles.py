"""Where obstacles stand on a route."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.captured import pinned
from navbench_gs.tasks.geodesic import Points
from navbench_gs.tasks.hazards import Patch, obstacle_patch
from navbench_gs.tasks.protocol import ObstacleRules
from navbench_gs.tasks.spec import ObstacleSpec
from s2e_core.robot import RobotProfile

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap

_TRIES = 60
_ON_LINE = 0.3


def place_obstacles(
    collision: CollisionMap,
    path: Points,
    rules: ObstacleRules,
    robot: RobotProfile,
    rng: np.random.Generator,
) -> tuple[ObstacleSpec, ...] | None:
    """Draw obstacles on the corridor of a route.

    Args:
        collision: Static map.
        path: The route's corners, start first. [Q, 2]
        rules: Density, kinds and distances.
        robot: Its footprint circle stays clear at both ends.
        rng: Source of randomness.

    Returns:
        The obstacles, or None if too few of them fit.
    """
    cells = corridor_cells(collision, path, rules.corridor)
    area = len(cells) * collision.resolution**2
    count = max(rules.on_line, round(rules.per_area * area / 100.0))
    pushable = rng.permutation(np.arange(count) < round(rules.pushable * count))
    line = _line_cells(collision, path)
    keep = robot.radius + rules.keep_clear
    placed: list[ObstacleSpec] = []
    patches: list[Patch] = []
    for number in range(count):
        pool = line if number < rules.on_line else cells
        spec = _draw(collision, pool, path, patches, bool(pushable[number]), rules, keep, rng)
        if spec is None:
            if number < rules.on_line:
                return None
            continue
        placed.append(spec)
        patches.append(obstacle_patch(spec))
    # A corridor with niches too small for the last few is accepted; an empty one is not.
    return tuple(placed) if len(placed) >= 0.7 * count else None


def corridor_cells(
    collision: CollisionMap, path: Points, half_width: float
) -> NDArray[np.float64]:
    """Centres of the free cells within `half_width` metres of a polyline. [N, 2]"""
    low = path.min(axis=0) - half_width
    high = path.max(axis=0) + half_width
    shape = np.array(collision.occupancy.shape)
    r0, c0 = np.clip(collision.cell(low), 0, shape - 1)
    r1, c1 = np.clip(collision.cell(high) + 1, 1, shape)
    rows, columns = np.nonzero(~collision.occupancy[r0:r1, c0:c1])
    centres = collision.centre(np.stack([rows + r0, columns + c0], axis=-1))
    return centres[distance_to_path(centres, path) <= half_width]


def distance_to_path(points: NDArray[np.floating], path: Points) -> NDArray[np.float64]:
    """Metres from points `[N, 2]` to a polyline `[Q, 2]`. [N]"""
    best = np.full(len(points), np.inf)
    for a, b in itertools.pairwise(path):
        edge = b - a
        share = np.clip((points - a) @ edge / max(float(edge @ edge), 1e-12), 0.0, 1.0)
        np.minimum(best, np.hypot(*(points - a - share[:, None] * edge).T), out=best)
    return best


def _line_cells(collision: CollisionMap, path: Points) -> NDArray[np.float64]:
    """Free points of the straight segment between the route's ends, 0.1 m apart. [N, 2]"""
    count = max(2, math.ceil(float(np.hypot(*(path[-1] - path[0]))) / 0.1))
    points = path[0] + np.linspace(0.0, 1.0, count)[:, None] * (path[-1] - path[0])
    return points[collision.clearance(points) > _ON_LINE]


def _draw(
    collision: CollisionMap, pool: NDArray[np.float64], path: Points, patches: list[Patch],
    pushable: bool, rules: ObstacleRules, keep: float, rng: np.random.Generator,
) -> ObstacleSpec | None:
    """Draw one obstacle from a pool of places until it stands free, or give up."""
    if not len(pool):
        return None
    kinds = rules.kinds_pushable if pushable else rules.kinds_fixed
    for _ in range(_TRIES):
        x, y = pool[rng.integers(len(pool))] + rng.uniform(-0.05, 0.05, 2)
        spec = ObstacleSpec(
            kind=pinned(str(kinds[rng.integers(len(kinds))])), seed=int(rng.integers(2**31)),
            x=float(x), y=float(y), yaw=float(rng.uniform(-math.pi, math.pi)), pushable=pushable,
        )
        patch = obstacle_patch(spec)
        place = np.array([spec.x, spec.y])
        ends = min(float(np.hypot(*(place - end))) for end in (path[0], path[-1]))
        crowded = any(
            math.hypot(p.x - spec.x, p.y - spec.y) < p.reach + patch.reach + rules.gap
            for p in patches
        )
        if ends >= keep + patch.reach and not crowded and _stands_free(collision, patch):
            return spec
    return None


def _stands_free(collision: CollisionMap, patch: Patch) -> bool:
    """Whether no occupied cell lies within the patch's circle."""
    return float(collision.clearance(np.array([patch.x, patch.y]))) >= patch.reach
