"""Putting a recording of people onto a scene: a turn, a shift and a time for each episode."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.crowd.recording import STEP, Recording
from navbench_gs.tasks.geodesic import Points, path_length
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch
from navbench_gs.tasks.protocol import PeopleRules
from navbench_gs.tasks.recorded_rules import RecordedRules
from navbench_gs.tasks.spec import PersonSpec

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap

_BODY = PERSON_RADIUS + 0.1
_PARTS = 5
"""Points at which each step of a track is held against walls: every 0.1 m of a walk."""
_STAYS = 0.5
"""A person who never leaves a circle of this radius stands, metres."""


@dataclass(frozen=True)
class Placement:
    """Where and when a recording is played: map = turn(yaw) xy + shift, from a step on."""

    yaw: float
    """Radians."""
    shift: tuple[float, float]
    """Map, metres."""
    step: int
    """Of the recording, at time 0 of the episode."""

    def place(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points of the recording in map. [N, 2]"""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.stack([c * xy[:, 0] - s * xy[:, 1], s * xy[:, 0] + c * xy[:, 1]], 1) + self.shift


@dataclass(frozen=True)
class _Ground:
    """Where a body may be."""

    free: NDArray[np.bool_]
    collision: CollisionMap
    patches: tuple[Patch, ...]

    def holds(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a person fits at each point. [N]"""
        cells = self.collision.cell(xy)
        inside = ((cells >= 0) & (cells < self.free.shape)).all(axis=1)
        row, column = np.clip(cells, 0, np.array(self.free.shape) - 1).T
        fits = inside & self.free[row, column]
        for patch in self.patches:
            fits &= patch.distance(xy) > _BODY
        return np.asarray(fits)


def place_recorded(
    collision: CollisionMap,
    path: Points,
    patches: tuple[Patch, ...],
    rules: RecordedRules,
    people: PeopleRules,
    robot_speed: float,
    time_limit: float,
    rng: np.random.Generator,
) -> tuple[PersonSpec, ...] | None:
    """Play a recording around a route.

    Of `draws` placements, each of which brings someone near the route when the robot should come
    by, the one is taken that has most metres of tracks on free ground, among those that have at
    least `free_share` of their metres there. Where a track leaves free ground it is cut; each
    piece is a person. A piece begins and ends at least `off_route` from the route, unless its
    person is there when the episode begins or ends.

    Args:
        collision: Static map.
        path: The route's corners, start first. [Q, 2]
        patches: Obstacles, which tracks keep off.
        rules: File and rules of the placement.
        people: How near to the route people count, and how far from the start they keep.
        robot_speed: Top speed of the robot, m/s.
        time_limit: Longest time of the episode, seconds.
        rng: Source of randomness.

    Returns:
        The people; None if too little of every placement lies on free ground.

    Raises:
        TaskError: the tracks cannot be read.
    """
    recording = rules.recording()
    ground = _Ground(collision.free(_BODY) & collision.walkable, collision, patches)
    count = math.ceil(time_limit / STEP)
    best, most = None, 0.0
    for _ in range(rules.draws):
        placement, middle = _draw(recording, path, robot_speed, count, rng)
        walked, free = _walked(recording, placement, middle, people.within, count, ground)
        if free > max(most, rules.free_share * walked):
            best, most = placement, free
    if best is None:
        return None
    route = _dense(path)
    pieces = [
        (float(_gap(xy, route).min()), number, first, xy)
        for number, first, xy in _pieces(recording, best, count, ground, route, path[0], rules,
                                         people)
    ]
    near = sorted(p[:3] + (k,) for k, p in enumerate(pieces) if p[0] <= people.within)
    seeds = rng.integers(2**31, size=1 + max((p[1] for p in pieces), default=0))
    kept = sorted(item[3] for item in near[: rules.most])
    return tuple(_person(int(seeds[pieces[k][1]]), pieces[k][2], pieces[k][3]) for k in kept)


def stays(person: PersonSpec, time_limit: float) -> bool:
    """Whether a person stands in one place for more than half of an episode."""
    if person.behaviour != 'recorded':
        return person.behaviour == 'stand'
    rows = np.array(person.track)
    away = np.hypot(*(rows[:, 1:] - rows[0, 1:]).T)
    return bool(away.max() < _STAYS and rows[-1, 0] - rows[0, 0] > time_limit / 2)


def _draw(
    recording: Recording, path: Points, robot_speed: float, count: int, rng: np.random.Generator
) -> tuple[Placement, NDArray[np.float64]]:
    """Draw a placement that brings someone to the route as the robot comes, and where that is."""
    length = path_length(path)
    along = float(rng.uniform(0.15, 0.95)) * length
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    middle = np.array([np.interp(along, steps, path[:, axis]) for axis in (0, 1)])
    # Robots average about 0.8 of their top speed over a route.
    meeting = round(along / (0.8 * robot_speed) / STEP)
    who = int(rng.integers(len(recording.step)))
    first = int(recording.step[who]) - meeting
    # Not past the end where the recording is long enough: it would run empty.
    first = max(0, min(first, recording.steps - count))
    yaw = float(rng.uniform(-math.pi, math.pi))
    turned = Placement(yaw, (0.0, 0.0), 0).place(recording.xy[who : who + 1])[0]
    shift = middle + rng.normal(0.0, 1.0, 2) - turned
    return Placement(yaw, (float(shift[0]), float(shift[1])), first), middle


def _walked(
    recording: Recording, placement: Placement, middle: NDArray[np.float64], within: float,
    count: int, ground: _Ground,
) -> tuple[float, float]:
    """Return the metres of tracks near a point, and how many of them lie on free ground."""
    low, high = np.searchsorted(recording.step, [placement.step, placement.step + count + 1])
    xy = placement.place(recording.xy[low:high])
    near = np.hypot(*(xy - middle).T) <= within
    # Those who only stand count as if they moved by two centimetres a step.
    walked = recording.walked[low:high][near] + 0.02
    return float(walked.sum()), float(walked[ground.holds(xy[near])].sum())


def _pieces(
    recording: Recording, placement: Placement, count: int, ground: _Ground,
    route: NDArray[np.float64], start: NDArray[np.float64], rules: RecordedRules,
    people: PeopleRules,
) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Return track number, first step and points of every piece that can be played."""
    found = []
    for number, track in enumerate(recording.tracks):
        begin = track.first - placement.step
        low, high = max(0, -begin), min(len(track.xy), count + 1 - begin)
        if high - low < 2:
            continue
        xy = placement.place(track.xy[low:high])
        for a, b in _runs(ground.holds(_between(xy)).reshape(-1, _PARTS + 1).all(axis=1)):
            # Who is there at the beginning or still at the end neither appears nor vanishes.
            there = begin + low + a == 0 and np.hypot(*(xy[a] - start)) >= people.keep_clear
            remains = begin + low + b == count
            off = np.flatnonzero(_gap(xy[a : b + 1], route) >= rules.off_route)
            if not len(off) and not (there and remains):
                continue
            first = a if there else a + int(off[0])
            last = b if remains else a + int(off[-1])
            if (last - first) * STEP >= rules.shortest:
                found.append((number, begin + low + first, xy[first : last + 1]))
    return found


def _between(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points along each step, ends included. [(N - 1) * (_PARTS + 1), 2]"""
    part = np.linspace(0.0, 1.0, _PARTS + 1)[None, :, None]
    return np.asarray(xy[:-1, None] + part * (xy[1:] - xy[:-1])[:, None]).reshape(-1, 2)


def _runs(good: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each run of good steps: points a to b, both included."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _dense(path: Points) -> NDArray[np.float64]:
    """Return points of the route every 0.25 m. [Q, 2]"""
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.linspace(0.0, steps[-1], max(2, math.ceil(steps[-1] / 0.25)))
    return np.stack([np.interp(at, steps, path[:, axis]) for axis in (0, 1)], axis=1)


def _gap(xy: NDArray[np.float64], route: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return metres from points [N, 2] to the nearest point of the route. [N]"""
    return np.asarray(np.hypot(*np.moveaxis(xy[:, None] - route[None], -1, 0)).min(axis=1))


def _person(seed: int, first: int, xy: NDArray[np.float64]) -> PersonSpec:
    times = (first + np.arange(len(xy))) * STEP
    track = tuple(
        (round(float(t), 1), round(float(x), 3), round(float(y), 3))
        for t, (x, y) in zip(times, xy, strict=True)
    )
    length = float(np.hypot(*np.diff(xy, axis=0).T).sum())
    return PersonSpec(
        seed=seed, start=track[0][1:], goal=track[-1][1:],
        speed=round(length / (STEP * (len(xy) - 1)), 3), blind=True, behaviour='recorded',
        track=track,
    )
