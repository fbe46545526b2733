"""A planner that knows the true map: the benchmark's ceiling and the teacher for cloning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.drives import Caution, DriveChooser
from navbench_gs.agents.terrain import Terrain, TerrainConfig, build_terrain
from navbench_gs.errors import TaskError
from navbench_gs.tasks.hazards import Patch, obstacle_size, person_patch
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import Observation, PolicyOutput, PolicySpec
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

if TYPE_CHECKING:
    from navbench_gs.scenes.bundle import SceneBundle


class World(Protocol):
    """What the planner may see of the world; `env.Simulation` fulfils it."""

    bundle: SceneBundle
    robot: RobotProfile
    time_ns: int

    def true_pose(self) -> Pose2:
        """Return map <- base_link."""

    def true_velocity(self) -> tuple[float, float]:
        """Return forward speed, m/s, and yaw rate, rad/s."""

    def people_positions(self) -> NDArray[np.float64]:
        """Return x, y, yaw of each person, map. [P, 3]"""

    def people_velocities(self) -> NDArray[np.float64]:
        """Return m/s, map. [P, 2]"""

    def obstacle_poses(self) -> NDArray[np.float64]:
        """Return map <- obstacle. [B, 4, 4]"""


class PrivilegedPlanner:
    """Follows the cheapest way on the true map and steers around people.

    At each call the best of a handful of simulated drives is answered (`DriveChooser`).
    """

    needs_images = False

    def __init__(
        self, v_max: float = 1.5, config: TerrainConfig | None = None,
        caution: Caution | None = None,
    ) -> None:
        """Prepare an unbound planner.

        Args:
            v_max: Top speed, m/s; the robot's limit holds as well.
            config: Distances that the way keeps.
            caution: What nearness costs a drive along it.
        """
        self._caution = caution
        self.spec = PolicySpec('privileged', 1, SMALL_CAMERA, v_max, 3.0)
        self._config = config or TerrainConfig()
        self._world: World | None = None

    def reset(self) -> None:
        """Nothing to forget: the world is asked at each call."""

    def bind(self, world: World, spec: EpisodeSpec) -> None:
        """Take the world and route of one episode and solve the way to its goal."""
        self._world = world
        self._episode = spec
        self._robot = world.robot
        self._sizes = [obstacle_size(item.kind, item.seed) for item in spec.obstacles]
        self._chooser = DriveChooser(world.robot, self.spec.v_max, self._caution)
        self._solve(np.array([(o.x, o.y, o.yaw) for o in spec.obstacles]).reshape(-1, 3))

    @property
    def terrain(self) -> Terrain:
        """The solved ground of the bound episode."""
        return self._terrain

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with one mode, from the world's true state."""
        world = self._require_world()
        v, w = world.true_velocity()
        # Below 0.2 m/s the quotient is noise.
        curvature = w / v if v > 0.2 else 0.0
        points = self.trajectory(world.true_pose(), world.time_ns, v, curvature)
        modes = points[None].astype(np.float32)
        return PolicyOutput(observation.stamp_ns, modes, np.ones(1, np.float32))

    def trajectory(
        self, pose: Pose2, t_ns: int, v: float, curvature: float = 0.0
    ) -> NDArray[np.float64]:
        """Plan 2 s from any pose.

        Args:
            pose: map <- base_link.
            t_ns: Time of the pose, nanoseconds; people are predicted from now to then.
            v: Speed, m/s.
            curvature: Curvature driven now, 1/m.

        Returns:
            Waypoints 0.2 s apart, base_link, metres. [10, 2]
        """
        world = self._require_world()
        people = self._people(t_ns)
        self._refresh(_planar(world.obstacle_poses()))
        return self._chooser.trajectory(
            self._terrain, self._episode.goal, pose, (v, curvature), people
        )

    def foresee(self, plans: NDArray[np.floating]) -> NDArray[np.float64]:
        """Say what following each of several plans from here would cost.

        Args:
            plans: Waypoints 0.2 s apart, base_link, metres. [K, T, 2]

        Returns:
            Metres of way; see `DriveChooser.foresee`. [K]
        """
        world = self._require_world()
        v, w = world.true_velocity()
        curvature = w / v if v > 0.2 else 0.0
        self._refresh(_planar(world.obstacle_poses()))
        return self._chooser.foresee(
            self._terrain, self._episode.goal, world.true_pose(), (v, curvature),
            self._people(world.time_ns), plans,
        )

    def _people(self, t_ns: int) -> NDArray[np.float64]:
        """Return x, y, vx, vy of the people it knows of, predicted to a time; map. [P, 4]"""
        world = self._require_world()
        return _predict(world, (t_ns - world.time_ns) * 1e-9)

    def _refresh(self, poses: NDArray[np.float64]) -> None:
        """Solve again once a pushed obstacle has moved by more than 0.15 m."""
        if len(poses) and np.abs(poses[:, :2] - self._placed[:, :2]).max() > 0.15:
            self._solve(poses)

    def _solve(self, poses: NDArray[np.float64]) -> None:
        world, spec = self._require_world(), self._episode
        self._placed = poses.copy()
        patches = [
            Patch(float(x), float(y), float(yaw), *size)
            for (x, y, yaw), size in zip(poses, self._sizes, strict=True)
        ]
        patches += [person_patch(*p.start) for p in spec.people if p.behaviour == 'stand']
        pose = world.true_pose()
        self._terrain = build_terrain(
            world.bundle.collision, tuple(patches), (pose.x, pose.y), spec.goal,
            self._robot.radius, self._config,
        )

    def _require_world(self) -> World:
        if self._world is None:
            raise TaskError('the privileged planner must be bound to a world first')
        return self._world


def _predict(world: World, ahead: float) -> NDArray[np.float64]:
    """Return x, y, vx, vy of each person `ahead` seconds from now at constant velocity. [P, 4]"""
    places = np.asarray(world.people_positions(), np.float64).reshape(-1, 3)[:, :2]
    velocities = np.asarray(world.people_velocities(), np.float64).reshape(-1, 2)
    here = np.isfinite(places[:, 0])
    places, velocities = places[here], velocities[here]
    return np.ascontiguousarray(np.hstack([places + ahead * velocities, velocities]))


def _planar(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x, y, yaw of poses `[B, 4, 4]`. [B, 3]"""
    poses = np.asarray(poses, np.float64).reshape(-1, 4, 4)
    return np.stack([poses[:, 0, 3], poses[:, 1, 3],
                     np.arctan2(poses[:, 1, 0], poses[:, 0, 0])], axis=-1)
