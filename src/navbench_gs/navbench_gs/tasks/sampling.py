"""Drawing episodes: start, goal and everything that is put on the route."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import TaskError
from navbench_gs.tasks.geodesic import (
    Points,
    geodesic_field,
    line_of_sight,
    path_length,
    shorten,
)
from navbench_gs.tasks.hazards import Patch, obstacle_patch, person_patch
from navbench_gs.tasks.obstacles import place_obstacles
from navbench_gs.tasks.people import place_people
from navbench_gs.tasks.protocol import Protocol
from navbench_gs.tasks.recorded import place_recorded, stays
from navbench_gs.tasks.refusal import why_no_route
from navbench_gs.tasks.spec import TASKS, EpisodeSpec, ObstacleSpec, PersonSpec, Task
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2, wrap_angle

if TYPE_CHECKING:
    from navbench_gs.scenes.bundle import SceneBundle

_HAZARD_DRAWS = 8


@dataclass(frozen=True)
class Route:
    """A start, a goal and the shortest way between them."""

    start: tuple[float, float]
    """Map, metres."""
    goal: tuple[float, float]
    """Map, metres."""
    geodesic: float
    """Length of the shortest free way, metres."""
    path: Points
    """Its corners, start first. [Q, 2]"""
    corner_blocked: bool
    """Whether the straight segment, as wide as the footprint, hits static occupancy."""

    @property
    def straight(self) -> float:
        """Straight distance, metres."""
        return math.hypot(self.goal[0] - self.start[0], self.goal[1] - self.start[1])


def sample_episode(
    bundle: SceneBundle,
    task: Task,
    index: int,
    seed: int,
    protocol: Protocol,
    robot: RobotProfile,
    *,
    scene: str | None = None,
) -> EpisodeSpec:
    """Draw one episode; equal arguments give equal episodes.

    Args:
        bundle: The scene.
        task: What is put on the route.
        index: Number of the episode within scene and task.
        seed: Seed of the run.
        protocol: Rules of routes and hazards.
        robot: Footprint and top speed.
        scene: The scene as the user named it; by default 'city:<seed>' or the bundle's name.

    Raises:
        TaskError: No draw fits the rules.
    """
    if task not in TASKS:
        raise TaskError(f'task must be one of {TASKS}, got {task!r}')
    name = scene or default_name(bundle)
    entropy = [seed, zlib.crc32(name.encode('utf-8')), index]
    # Start and goal are the same in every task, so that tasks compare route by route.
    route_rng, hazard_rng = (
        np.random.default_rng(child)
        for child in (
            np.random.SeedSequence([*entropy, 0]),
            np.random.SeedSequence([*entropy, 1 + TASKS.index(task)]),
        )
    )
    routes = 0
    for _ in range(protocol.route.draws):
        route = draw_route(bundle, index, protocol, robot, route_rng)
        if route is None:
            continue
        routes += 1
        for _ in range(_HAZARD_DRAWS):
            hazards = _draw_hazards(bundle, task, route, protocol, robot, hazard_rng)
            if hazards is not None:
                return _episode(bundle, name, task, index, route, hazards, protocol, robot,
                                route_rng, hazard_rng)
            if task in ('empty',):
                break
    reason = (
        f'obstacles and people left no way on any of {routes} routes' if routes
        else why_no_route(bundle, protocol.route, robot)
    )
    raise TaskError(
        f'{name}: no {task} episode {index} fits the protocol in {protocol.route.draws} draws: '
        f'{reason}'
    )


def default_name(bundle: SceneBundle) -> str:
    """Return the name under which a bundle is asked for."""
    generated = bundle.kind == 'generated' and bundle.seed is not None
    name = f'city:{bundle.seed}' if generated else bundle.name
    return f'{name}@{bundle.part}' if bundle.part else name


def draw_route(
    bundle: SceneBundle, index: int, protocol: Protocol, robot: RobotProfile,
    rng: np.random.Generator,
) -> Route | None:
    """Draw a start and a goal, or None where this start has no goal that fits."""
    rules, collision = protocol.route, bundle.collision
    radius = robot.radius + rules.inflation
    spawn = np.asarray(bundle.spawn, np.float64).reshape(-1, 2)
    spawn = spawn[collision.clearance(spawn) >= radius]
    if len(spawn) < 2:
        raise TaskError(
            f'{bundle.name}: needs two spawn points clear by {radius:.2f} m, has {len(spawn)}'
        )
    start = spawn[rng.integers(len(spawn))]
    field = geodesic_field(
        collision, (float(start[0]), float(start[1])), radius, reach=rules.geodesic_high + 2.0
    )
    lengths = np.array([field.at(xy) for xy in spawn])
    straights = np.hypot(*(spawn - start).T)
    fits = (lengths >= rules.geodesic_low) & (lengths <= rules.geodesic_high)
    fits &= lengths <= rules.detour * np.maximum(straights, 1e-9)
    wanted = rng.uniform(rules.geodesic_low, rules.geodesic_high)
    order = np.nonzero(fits)[0]
    order = order[np.argsort(np.abs(lengths[order] - wanted), kind='stable')][:40]
    if not len(order):
        return None
    corner = _wants_corner(index, rules.corner_share)
    free = collision.free(robot.radius)
    for goal_index in rng.permutation(order):
        goal = spawn[goal_index]
        blocked = not line_of_sight(free, collision.resolution, collision.origin, start, goal)
        if blocked == corner:
            way = field.path(goal)[::-1]
            way = shorten(way, collision.free(radius), collision.resolution, collision.origin)
            return Route((float(start[0]), float(start[1])), (float(goal[0]), float(goal[1])),
                         float(lengths[goal_index]), way, blocked)
    return None


def _wants_corner(index: int, share: float) -> bool:
    """Spread a share of episodes evenly over the indices: 0.5 gives every second one."""
    return math.floor((index + 1) * share) > math.floor(index * share)


def _draw_hazards(
    bundle: SceneBundle, task: Task, route: Route, protocol: Protocol, robot: RobotProfile,
    rng: np.random.Generator,
) -> tuple[tuple[ObstacleSpec, ...], tuple[PersonSpec, ...]] | None:
    """Put obstacles and people on the route; None if they close it."""
    obstacles: tuple[ObstacleSpec, ...] = ()
    people: tuple[PersonSpec, ...] = ()
    collision = bundle.collision
    if 'obstacle' in task:
        placed = place_obstacles(collision, route.path, protocol.obstacle, robot, rng)
        if placed is None:
            return None
        obstacles = placed
    if 'pedestrian' in task:
        walkers = _draw_people(bundle, route, obstacles, protocol, robot, rng)
        if walkers is None:
            return None
        people = walkers
    limit = protocol.time_limit(route.geodesic, robot.v_max)
    patches = tuple(obstacle_patch(item) for item in obstacles)
    patches += tuple(person_patch(*p.start) for p in people if stays(p, limit))
    if patches and not _open(bundle, route, patches, protocol, robot):
        return None
    return obstacles, people


def _draw_people(
    bundle: SceneBundle, route: Route, obstacles: tuple[ObstacleSpec, ...], protocol: Protocol,
    robot: RobotProfile, rng: np.random.Generator,
) -> tuple[PersonSpec, ...] | None:
    """Put people near the route: recorded ones where the protocol names tracks."""
    patches = tuple(obstacle_patch(item) for item in obstacles)
    speed = min(robot.v_max, protocol.judge.v_max)
    if not protocol.recorded.tracks:
        return place_people(bundle.collision, route.path, patches, protocol.people, speed, rng)
    limit = protocol.time_limit(route.geodesic, robot.v_max)
    return place_recorded(
        bundle.collision, route.path, patches, protocol.recorded, protocol.people, speed, limit,
        rng,
    )


def _open(
    bundle: SceneBundle, route: Route, patches: tuple[Patch, ...], protocol: Protocol,
    robot: RobotProfile,
) -> bool:
    """Whether the inflated footprint still has a route that is not too long."""
    rules = protocol.route
    limit = rules.detour * route.straight
    field = geodesic_field(
        bundle.collision, route.goal, robot.radius + rules.inflation, patches=patches,
        reach=max(rules.geodesic_high, limit) + 2.0, only=route.start, limit=limit,
    )
    return field.at(route.start) <= limit


def _episode(
    bundle: SceneBundle, name: str, task: Task, index: int, route: Route,
    hazards: tuple[tuple[ObstacleSpec, ...], tuple[PersonSpec, ...]], protocol: Protocol,
    robot: RobotProfile, route_rng: np.random.Generator, hazard_rng: np.random.Generator,
) -> EpisodeSpec:
    spread = math.radians(protocol.route.heading)
    heading = wrap_angle(route_heading(route.path) + float(route_rng.uniform(-spread, spread)))
    return EpisodeSpec(
        scene=name, scene_hash=bundle.hash, robot=robot.name, task=task, index=index,
        seed=int(hazard_rng.integers(2**31)), start=Pose2(*route.start, heading),
        goal=route.goal, geodesic=route.geodesic, straight=route.straight,
        corner_blocked=route.corner_blocked,
        time_limit=protocol.time_limit(route.geodesic, robot.v_max),
        obstacles=hazards[0], people=hazards[1],
    )


def route_heading(path: Points, ahead: float = 2.0) -> float:
    """Direction from the start to the point of the route `ahead` metres on, radians."""
    target = point_along(path, min(ahead, path_length(path)))
    return math.atan2(target[1] - path[0, 1], target[0] - path[0, 0])


def point_along(path: Points, distance: float) -> NDArray[np.float64]:
    """Return the point of a polyline at a distance from its start, metres. [2]"""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return np.array([np.interp(distance, along, path[:, axis]) for axis in (0, 1)])
