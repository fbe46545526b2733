"""A planner that knows the true map: the benchmark's ceiling and the teacher for cloning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents import rollout
from navbench_gs.agents.terrain import Terrain, TerrainConfig, build_terrain
from navbench_gs.errors import TaskError
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch, obstacle_size, person_patch
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import WAYPOINT_DT, WAYPOINTS, Observation, PolicyOutput, PolicySpec
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

if TYPE_CHECKING:
    from navbench_gs.scenes.bundle import SceneBundle

_LOOKAHEAD = 6.0
_CIRCLES = 3
_WAYPOINT_STEPS = np.arange(1, WAYPOINTS + 1) * round(WAYPOINT_DT / rollout.STEP) - 1
# Costs in metres of way: touching something outweighs any progress a 2 s plan can make (3 m).
_TOUCH, _NEAR, _TOUCH_PERSON, _NEAR_PERSON, _HEADING = 400.0, 0.05, 40.0, 0.15, 1.0
# What avoiding a dead end may cost, and how near to the goal one is where the robot was sent.
_DEAD_END, _GOAL_NEAR = 20.0, 2.0


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

    At each call a handful of drives are simulated: along the way, shifted to both sides, slower,
    and plain arcs. The cheapest wins: progress is paid for, touching and nearness cost.
    """

    needs_images = False

    def __init__(self, v_max: float = 1.5, config: TerrainConfig | None = None) -> None:
        """Prepare an unbound planner.

        Args:
            v_max: Top speed, m/s; the robot's limit holds as well.
            config: Distances to keep.
        """
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
        self._limits = _limits(world.robot, self.spec.v_max)
        self._circles, self._circle_radius = _cover(world.robot)
        self._candidates = _candidates(self._limits)
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
        people = _predict(world, (t_ns - world.time_ns) * 1e-9)
        self._refresh(_planar(world.obstacle_poses()))
        terrain = self._terrain
        path = terrain.path((pose.x, pose.y), _LOOKAHEAD)
        goal = self._episode.goal
        ends = bool(np.hypot(*(path[-1] - np.asarray(goal))) < 1e-6)
        speed, ahead = rollout.speed_along(
            path, terrain.clearance, terrain.origin, terrain.resolution, self._robot.radius,
            self._limits, ends,
        )
        start = np.array([pose.x, pose.y, pose.yaw, max(v, 0.0), curvature])
        tracks, static, moving = rollout.drive_all(
            start, path, speed, ahead, ends, self._candidates, self._limits, self._circles,
            self._circle_radius, terrain.clearance, terrain.origin, terrain.resolution, people,
            PERSON_RADIUS,
        )
        best = self._choose(tracks, self._cost(tracks, static, moving))
        return pose.inverse().transform(tracks[best, _WAYPOINT_STEPS, :2])

    def _choose(self, tracks: NDArray[np.float64], cost: NDArray[np.float64]) -> int:
        """Return the cheapest drive that does not end where a base without reverse is stuck."""
        order = np.argsort(cost, kind='stable')
        terrain = self._terrain
        for index in order:
            if cost[index] > cost[order[0]] + _DEAD_END:
                break
            end = tracks[index, -1]
            near = math.hypot(self._episode.goal[0] - end[0], self._episode.goal[1] - end[1])
            if near < _GOAL_NEAR or rollout.can_go_on(
                end, self._limits[rollout.CURVATURE], self._circles, self._circle_radius,
                terrain.clearance, terrain.origin, terrain.resolution,
            ):
                return int(index)
        return int(order[0])

    def _cost(
        self,
        tracks: NDArray[np.float64],
        static: NDArray[np.float64],
        moving: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        field = self._terrain.field
        ends = tracks[:, -1]
        togo = np.array([field.at(end[:2]) for end in ends])
        togo[~np.isfinite(togo)] = 1e3
        away = np.array([self._misaligned(end) for end in ends])
        cost = togo + _HEADING * away + self._candidates[:, rollout.PENALTY]
        cost += self._out_of_reach(ends)
        cost += _TOUCH * static[:, 0] + _NEAR * static[:, 1]
        return cost + _TOUCH_PERSON * moving[:, 0] + _NEAR_PERSON * moving[:, 1]

    def _misaligned(self, end: NDArray[np.float64]) -> float:
        """Angle between the final heading and the way on, radians; 0 at the goal."""
        way = self._terrain.path((float(end[0]), float(end[1])), 0.6, step=0.2)
        step = way[-1] - way[0]
        if np.hypot(*step) < 0.3:
            return 0.0
        return abs(math.remainder(math.atan2(step[1], step[0]) - float(end[2]), 2.0 * math.pi))

    def _out_of_reach(self, ends: NDArray[np.float64]) -> NDArray[np.float64]:
        """Five times the metres the goal lies inside a turning circle: drive away first. [K]"""
        radius = 1.0 / self._limits[rollout.CURVATURE]
        if self._robot.min_turn_radius == 0.0:
            return np.zeros(len(ends))
        dx, dy = self._episode.goal[0] - ends[:, 0], self._episode.goal[1] - ends[:, 1]
        c, s = np.cos(ends[:, 2]), np.sin(ends[:, 2])
        forward, left = c * dx + s * dy, np.abs(c * dy - s * dx)
        # Within 0.3 m the navigator stands still: nothing is left to reach.
        inside = np.maximum(radius - np.hypot(forward, left - radius), 0.0)
        return np.where(np.hypot(dx, dy) < 0.3, 0.0, 5.0 * inside)

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
    return np.ascontiguousarray(np.hstack([places + ahead * velocities, velocities]))


def _planar(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x, y, yaw of poses `[B, 4, 4]`. [B, 3]"""
    poses = np.asarray(poses, np.float64).reshape(-1, 4, 4)
    return np.stack([poses[:, 0, 3], poses[:, 1, 3],
                     np.arctan2(poses[:, 1, 0], poses[:, 0, 0])], axis=-1)


def _limits(robot: RobotProfile, v_max: float) -> NDArray[np.float64]:
    """Limits of the simulated drives; half the robot's own, so that the follower can correct."""
    limits = np.empty(7)
    limits[rollout.V_MAX] = min(robot.v_max, v_max)
    limits[rollout.W_MAX] = 0.8 * robot.w_max
    # 10 % wider than the tightest turn; a base that turns on the spot plans 0.35 m arcs.
    limits[rollout.CURVATURE] = 1.0 / max(1.1 * robot.min_turn_radius, 0.35)
    limits[rollout.ACCELERATE] = 0.9 * robot.a_max
    limits[rollout.BRAKE] = 0.5 * robot.stop_deceleration
    # Curvature per second: wheels steer at 1.5 rad/s, other bases are bound by yaw acceleration.
    limits[rollout.TURN_RATE] = (
        1.5 / robot.wheelbase if robot.kinematics == 'car' else robot.w_acceleration / robot.v_max
    )
    limits[rollout.LATERAL] = 0.9
    return limits


def _cover(robot: RobotProfile) -> tuple[NDArray[np.float64], float]:
    """Cover the footprint by circles along its middle: their x, and their common radius."""
    piece = robot.length / _CIRCLES
    centres = (np.arange(_CIRCLES, dtype=np.float64) + 0.5) * piece - 0.5 * robot.length
    return centres, math.hypot(0.5 * robot.width, 0.5 * piece)


def _candidates(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drives to try: the way itself, shifted and slower ones, arcs, and standing still."""
    rows = [(0.0, 1.0, np.nan, 0.0)]
    rows += [
        (offset, speed, np.nan, 0.02 + 0.05 * abs(offset))
        for speed in (1.0, 0.65, 0.35)
        for offset in (0.0, -0.4, 0.4, -0.8, 0.8, -1.3, 1.3, -2.0, 2.0)
        if (offset, speed) != (0.0, 1.0)
    ]
    tight = limits[rollout.CURVATURE]
    rows += [
        (0.0, min(1.0, speed / limits[rollout.V_MAX]), share * tight, 0.3)
        for speed in (0.25, 0.6)
        for share in (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0)
    ]
    # Standing costs what 3 s at top speed could gain: it is for letting people pass, not for
    # places where every way first leads away from the goal.
    rows.append((0.0, 0.0, 0.0, 3.0))
    return np.array(rows)
