"""The planner that knows the true map, but only of those people whom a camera shows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.drives import Caution
from navbench_gs.agents.privileged import PrivilegedPlanner, World
from navbench_gs.agents.terrain import TerrainConfig
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import PolicySpec
from s2e_core.se2 import Pose2

MEMORY = 2.0
"""Who is out of sight is taken to walk on for so long, seconds: what a policy's history spans."""


class OnlookerPlanner(PrivilegedPlanner):
    """Plans as `PrivilegedPlanner` does, around those walking people whom it has seen.

    It looks whenever it plans. Seen is whose middle lies within the policy's lens, in the robot's
    own mount, with nothing occupied between. What this planner lacks beside the other no forward
    camera can give, however well understood: those who come from the side and from behind. Who
    stands for the whole episode is on its map, as obstacles are.
    """

    def __init__(
        self, v_max: float = 1.5, config: TerrainConfig | None = None,
        caution: Caution | None = None,
    ) -> None:
        """Prepare an unbound planner; see `PrivilegedPlanner`."""
        super().__init__(v_max, config, caution)
        self.spec = PolicySpec('onlooker', 1, SMALL_CAMERA, v_max, 3.0)

    def bind(self, world: World, spec: EpisodeSpec) -> None:
        """Take the world and route of one episode; nobody has been seen yet."""
        super().bind(world, spec)
        count = len(world.people_positions())
        self._tracks = np.full((count, 4), np.nan)
        self._seen_ns = np.full(count, np.iinfo(np.int64).min // 2)

    def _look(self) -> None:
        """Note place and velocity of everybody in view."""
        world = self._require_world()
        places = np.asarray(world.people_positions(), np.float64).reshape(-1, 3)[:, :2]
        eye = _eye(world)
        for index in np.flatnonzero(np.isfinite(places[:, 0])):
            if in_view(eye, places[index], world.bundle.collision):
                self._tracks[index, :2] = places[index]
                self._tracks[index, 2:] = world.people_velocities()[index]
                self._seen_ns[index] = world.time_ns

    def _people(self, t_ns: int) -> NDArray[np.float64]:
        """Return x, y, vx, vy of those seen lately, walking on as they did. [P, 4]"""
        self._look()
        world = self._require_world()
        lately = (world.time_ns - self._seen_ns) * 1e-9 <= MEMORY
        tracks = self._tracks[lately].copy()
        ages = (t_ns - self._seen_ns[lately]) * 1e-9
        tracks[:, :2] += ages[:, None] * tracks[:, 2:]
        return np.ascontiguousarray(tracks)


PLANNERS: dict[str, type[PrivilegedPlanner]] = {
    'privileged': PrivilegedPlanner, 'onlooker': OnlookerPlanner,
}
"""Planners on the true map, by what they know of people."""


def in_view(eye: Pose2, place: NDArray[np.float64], collision: CollisionMap) -> bool:
    """Say whether a camera sees a point on the ground.

    Args:
        eye: map <- camera, x along its axis.
        place: `[2]` metres, map.
        collision: What may stand between.
    """
    ahead, left = eye.inverse().transform(place)
    if abs(math.atan2(left, ahead)) > math.atan2(0.5 * SMALL_CAMERA.width, SMALL_CAMERA.fx):
        return False
    here = np.array([eye.x, eye.y])
    steps = max(2, math.ceil(math.hypot(ahead, left) / collision.resolution) + 1)
    cells = collision.cell(here + np.linspace(0.0, 1.0, steps)[:, None] * (place - here))
    inside = ((cells >= 0) & (cells < np.array(collision.shape))).all(axis=1)
    return bool(inside.all() and not collision.occupancy[cells[:, 0], cells[:, 1]].any())


def _eye(world: World) -> Pose2:
    """Return map <- camera in the plane."""
    mount = world.robot.camera
    return world.true_pose().compose(Pose2(mount.x, mount.y, 0.0))
