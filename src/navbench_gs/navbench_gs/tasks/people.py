"""Who walks where near a route."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.captured import pinned
from navbench_gs.tasks.geodesic import Points, line_of_sight, path_length
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch
from navbench_gs.tasks.protocol import PeopleRules
from navbench_gs.tasks.spec import PersonSpec

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap

_TRIES = 80
_BODY = PERSON_RADIUS + 0.1


def place_people(
    collision: CollisionMap,
    path: Points,
    patches: tuple[Patch, ...],
    rules: PeopleRules,
    robot_speed: float,
    rng: np.random.Generator,
) -> tuple[PersonSpec, ...]:
    """Draw people near a route: some cross it, some walk along it, some stand.

    Those who cross set out so that they meet a robot of the given speed. Each walk is a free
    straight line, so that people without eyes for the robot have none for walls either.

    Args:
        collision: Static map.
        path: The route's corners, start first. [Q, 2]
        patches: Obstacles, which walks keep off.
        rules: Number, shares and speeds.
        robot_speed: Top speed of the robot, m/s.
        rng: Source of randomness.
    """
    free = collision.free(_BODY) & collision.walkable
    blind = rng.permutation(np.arange(rules.count) < round(rules.blind * rules.count))
    stand = rng.permutation(np.arange(rules.count) < round(rules.standing * rules.count))
    people: list[PersonSpec] = []
    for number in range(rules.count):
        for _ in range(_TRIES):
            speed = float(rng.uniform(rules.speed_low, rules.speed_high))
            a, b = _walk(path, rules, speed, robot_speed, rng)
            if stand[number]:
                b = a
            if _fits(collision, free, a, b, path, patches, people, rules):
                seed = int(rng.integers(2**31))
                # A capture does not move its legs, so it stands.
                look = pinned(rules.looks[seed % len(rules.looks)]) if (
                    stand[number] and rules.looks
                ) else ''
                people.append(PersonSpec(
                    seed=seed, start=(float(a[0]), float(a[1])),
                    goal=(float(b[0]), float(b[1])), speed=speed, blind=bool(blind[number]),
                    behaviour='stand' if stand[number] else 'walk', look=look,
                ))
                break
    return tuple(people)


def _walk(
    path: Points, rules: PeopleRules, speed: float, robot_speed: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw the two ends of a walk. [2], [2]"""
    length = path_length(path)
    along = float(rng.uniform(0.15, 0.95)) * length
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.array([np.interp(along, steps, path[:, axis]) for axis in (0, 1)])
    edge = int(np.clip(np.searchsorted(steps, along) - 1, 0, len(path) - 2))
    heading = math.atan2(*(path[edge + 1] - path[edge])[::-1])
    walk = float(rng.uniform(rules.walk_low, rules.walk_high))
    if rng.uniform() < rules.crossing:
        # Robots average about 0.8 of their top speed over a route.
        before = min(speed * along / (0.8 * robot_speed), 0.85 * walk)
        angle = heading + rng.choice((-1.0, 1.0)) * math.pi / 2 + rng.uniform(-0.7, 0.7)
    else:
        at = at + rng.uniform(-1.0, 1.0, 2) * min(6.0, rules.within)
        before = float(rng.uniform(0.2, 0.9)) * walk
        angle = heading + (math.pi if rng.uniform() < 0.7 else 0.0) + rng.normal(0.0, 0.4)
    direction = np.array([math.cos(angle), math.sin(angle)])
    return at - before * direction, at + (walk - before) * direction


def _fits(
    collision: CollisionMap, free: NDArray[np.bool_], a: NDArray[np.float64],
    b: NDArray[np.float64], path: Points, patches: tuple[Patch, ...], people: list[PersonSpec],
    rules: PeopleRules,
) -> bool:
    """Whether a walk is free, near the route, and starts away from the robot and others."""
    if float(np.hypot(*(a - path[0]))) < rules.keep_clear:
        return False
    if any(math.hypot(p.start[0] - a[0], p.start[1] - a[1]) < 1.0 for p in people):
        return False
    if float(np.hypot(*(path - a).T).min()) > rules.within:
        return False
    if not line_of_sight(free, collision.resolution, collision.origin, a, b):
        return False
    count = max(2, math.ceil(float(np.hypot(*(b - a))) / 0.2))
    points = a + np.linspace(0.0, 1.0, count)[:, None] * (b - a)
    return all(float(patch.distance(points).min()) > _BODY for patch in patches)
