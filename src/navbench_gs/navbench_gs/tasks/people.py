"""Who walks where near a route."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
_APART = 1.0
"""Between the beginnings of two walks, metres; within a group its gap holds."""
_Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class _Place:
    """Where people may be."""

    collision: CollisionMap
    free: NDArray[np.bool_]
    """Walkable cells with room for a body. [R, C]"""
    path: Points
    """The route's corners, start first. [Q, 2]"""
    patches: tuple[Patch, ...]
    """Obstacles, which walks keep off."""
    rules: PeopleRules

    @cached_property
    def length(self) -> float:
        """Of the route, metres."""
        return path_length(self.path)

    @cached_property
    def steps(self) -> NDArray[np.float64]:
        """Metres along the route at which its corners lie. [Q]"""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.path, axis=0).T))])

    def holds(self, a: NDArray[np.float64], b: NDArray[np.float64],
              others: Sequence[PersonSpec]) -> bool:
        """Whether a walk is free, near the route, and starts away from the robot and others."""
        if float(np.hypot(*(a - self.path[0]))) < self.rules.keep_clear:
            return False
        if any(math.hypot(p.start[0] - a[0], p.start[1] - a[1]) < _APART for p in others):
            return False
        if float(np.hypot(*(self.path - a).T).min()) > self.rules.within:
            return False
        grid = self.collision
        if not line_of_sight(self.free, grid.resolution, grid.origin, a, b):
            return False
        count = max(2, math.ceil(float(np.hypot(*(b - a))) / 0.2))
        points = a + np.linspace(0.0, 1.0, count)[:, None] * (b - a)
        return all(float(patch.distance(points).min()) > _BODY for patch in self.patches)


def place_people(
    collision: CollisionMap,
    path: Points,
    patches: tuple[Patch, ...],
    rules: PeopleRules,
    robot_speed: float,
    rng: np.random.Generator,
) -> tuple[PersonSpec, ...]:
    """Draw people near a route: some cross it, some walk along it, some stand, some wait.

    Those who cross set out so that they meet a robot of the given speed; those who wait do so
    when it is near. Each walk is a free straight line, so that people without eyes for the robot
    have none for walls either. A group walks one line side by side.

    Args:
        collision: Static map.
        path: The route's corners, start first. [Q, 2]
        patches: Obstacles, which walks keep off.
        rules: Number, shares and speeds.
        robot_speed: Top speed of the robot, m/s.
        rng: Source of randomness.
    """
    place = _Place(collision, collision.free(_BODY) & collision.walkable, path, patches, rules)
    blind = rng.permutation(np.arange(rules.count) < round(rules.blind * rules.count))
    stand = rng.permutation(np.arange(rules.count) < round(rules.standing * rules.count))
    groups, waits = _company(stand, rules, rng)
    people: list[PersonSpec] = []
    for number in range(rules.count):
        group = int(groups[number])
        person = _companion(place, [p for p in people if group and p.group == group], people, rng)
        if person is None:
            person = _single(
                place, people, robot_speed, rng, blind=bool(blind[number]),
                stands=bool(stand[number]), waits=bool(waits[number]), group=group,
            )
        if person is not None:
            people.append(person)
    sizes = Counter(person.group for person in people)
    return tuple(replace(p, group=0) if sizes[p.group] == 1 else p for p in people)


def _company(
    stand: NDArray[np.bool_], rules: PeopleRules, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Say who walks in which group, 0 for none, and who waits. [P], [P]

    Nothing is drawn for what a protocol does not have: its episodes stay what they were.
    """
    walkers = np.flatnonzero(~stand)
    groups, waits = np.zeros(len(stand), np.int64), np.zeros(len(stand), bool)
    left, number = round(rules.groups * len(walkers)), 0
    while left >= 2:
        size = left if left <= 3 else int(rng.integers(2, 4))
        first = round(rules.groups * len(walkers)) - left
        number += 1
        groups[walkers[first : first + size]] = number
        left -= size
    if rules.waiting:
        waits[rng.permutation(walkers)[: round(rules.waiting * len(walkers))]] = True
    return groups, waits


def _single(
    place: _Place, people: Sequence[PersonSpec], robot_speed: float, rng: np.random.Generator,
    *, blind: bool, stands: bool, waits: bool, group: int,
) -> PersonSpec | None:
    """Draw someone who follows nobody; None where no walk was free."""
    rules = place.rules
    for _ in range(_TRIES):
        speed = float(rng.uniform(rules.speed_low, rules.speed_high))
        wakes = float(rng.uniform(rules.wake_low, rules.wake_high)) if waits else 0.0
        a, b = _walk(place, speed, robot_speed, wakes, rng)
        if stands:
            b = a
        if place.holds(a, b, people):
            seed = int(rng.integers(2**31))
            # A capture does not move its legs, so it stands.
            look = pinned(rules.looks[seed % len(rules.looks)]) if stands and rules.looks else ''
            return PersonSpec(
                seed=seed, start=_pair(a), goal=_pair(b), speed=speed, blind=blind,
                behaviour='stand' if stands else 'walk', look=look, group=group, wakes=wakes,
            )
    return None


def _companion(
    place: _Place, members: Sequence[PersonSpec], people: Sequence[PersonSpec],
    rng: np.random.Generator,
) -> PersonSpec | None:
    """Put someone beside those of a group; None if it has none yet or no room."""
    if not members:
        return None
    others = [person for person in people if person not in members]
    for a, b in _beside(members, place.rules.group_gap):
        if place.holds(a, b, others):
            return replace(
                members[0], seed=int(rng.integers(2**31)), start=_pair(a), goal=_pair(b)
            )
    return None


def _beside(members: Sequence[PersonSpec], gap: float) -> Iterator[_Ends]:
    """Give the free places in a row across the way of a group, the nearest first."""
    leader = members[0]
    a, b = np.array(leader.start), np.array(leader.goal)
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    across = gap * np.array([-along[1], along[0]])
    for step in (1, -1, 2, -2):
        start = a + step * across
        if all(np.hypot(*(start - m.start)) > 0.5 * gap for m in members):
            yield start, b + step * across


def _walk(
    place: _Place, speed: float, robot_speed: float, wakes: float, rng: np.random.Generator
) -> _Ends:
    """Draw the two ends of a walk. [2], [2]"""
    path, steps, rules = place.path, place.steps, place.rules
    along = float(rng.uniform(0.15, 0.95)) * place.length
    at = np.array([np.interp(along, steps, path[:, axis]) for axis in (0, 1)])
    edge = int(np.clip(np.searchsorted(steps, along) - 1, 0, len(path) - 2))
    heading = math.atan2(*(path[edge + 1] - path[edge])[::-1])
    walk = float(rng.uniform(rules.walk_low, rules.walk_high))
    if rng.uniform() < rules.crossing:
        # Robots average about 0.8 of their top speed over a route. One who waits has the time
        # that the robot takes for the rest of its way.
        before = min(speed * (wakes or along) / (0.8 * robot_speed), 0.85 * walk)
        angle = heading + rng.choice((-1.0, 1.0)) * math.pi / 2 + rng.uniform(-0.7, 0.7)
    else:
        at = at + rng.uniform(-1.0, 1.0, 2) * min(6.0, rules.within)
        before = float(rng.uniform(0.2, 0.9)) * walk
        angle = heading + (math.pi if rng.uniform() < 0.7 else 0.0) + rng.normal(0.0, 0.4)
    direction = np.array([math.cos(angle), math.sin(angle)])
    return at - before * direction, at + (walk - before) * direction


def _pair(xy: NDArray[np.float64]) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])
