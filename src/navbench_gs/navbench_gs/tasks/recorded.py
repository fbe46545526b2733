"""Putting a recording of people onto a scene: a turn, a shift and a time for each episode."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navbench_gs.tasks.geodesic import Points
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch, clearance_with
from navbench_gs.tasks.protocol import PeopleRules
from navbench_gs.tasks.recorded_rules import RecordedRules
from navbench_gs.tasks.recording import STEP, Recording
from navbench_gs.tasks.spec import PersonSpec

if TYPE_CHECKING:
    from navbench_gs.scenes.collision import CollisionMap

_BODY = PERSON_RADIUS + 0.1
_PARTS = 5
"""Points at which each step of a track is held against walls: every 0.1 m of a walk."""
_MEETING = 8.0
"""People this near to where the robot should be then can get in its way, metres."""
_CANDIDATES = 6
"""Of all placements so many are cut at walls, to see what is left of them."""
_STANDING = 0.02
"""Those who only stand count as if they walked this far in a step, metres."""
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
    """Cells in which a body is clear of walls and obstacles. [R, C]"""
    collision: CollisionMap

    def holds(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a person fits at each point. [N]"""
        cells = self.collision.cell(xy)
        inside = ((cells >= 0) & (cells < self.free.shape)).all(axis=1)
        row, column = np.clip(cells, 0, np.array(self.free.shape) - 1).T
        return np.asarray(inside & self.free[row, column])


def _ground(collision: CollisionMap, patches: tuple[Patch, ...]) -> _Ground:
    clearance = clearance_with(
        collision.distance, patches, collision.origin, collision.resolution, _BODY
    )
    return _Ground((clearance >= _BODY) & ~collision.occupancy & collision.walkable, collision)


@dataclass(frozen=True)
class _Piece:
    """A part of a track that can be played."""

    track: int
    first: int
    """Step of the episode."""
    xy: NDArray[np.float64]
    """Map, metres. [N, 2]"""


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

    Of `draws` placements, each of which brings someone to the route when the robot should come
    by, those count that have at least `free_share` of their metres on free ground; of these the
    one is taken in which people walk most metres within 8 m of where the robot should be then.
    Where a track leaves free ground it is cut; each piece is a person. A piece begins and ends
    at least `off_route` from the route, unless its person is there when the episode begins or
    ends.

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
    ground = _ground(collision, patches)
    count = math.ceil(time_limit / STEP)
    expected = _expected(path, robot_speed, count)
    tried = []
    for _ in range(rules.draws):
        placement = _draw(recording, expected, count, rng)
        walked, free, met = _walked(recording, placement, expected, people.within, ground)
        if met > 0.0 and free >= rules.free_share * walked:
            tried.append((met, placement))
    if not tried:
        return None
    tried.sort(key=lambda item: -item[0])
    route = _dense(path)
    played = [
        _pieces(recording, placement, count, ground, route, path[0], rules, people)
        for _, placement in tried[:_CANDIDATES]
    ]
    pieces = max(played, key=lambda found: sum(_metres_met(p, expected) for p in found))
    gaps = [float(_away(piece, expected).min()) for piece in pieces]
    near = [k for k in np.argsort(gaps, kind='stable') if gaps[k] <= people.within]
    seeds = rng.integers(2**31, size=len(recording.tracks))
    return tuple(
        _person(int(seeds[pieces[k].track]), pieces[k]) for k in sorted(near[: rules.most])
    )


def stays(person: PersonSpec, time_limit: float) -> bool:
    """Whether a person stands in one place for more than half of an episode."""
    if person.behaviour != 'recorded':
        return person.behaviour == 'stand'
    rows = np.array(person.track)
    away = np.hypot(*(rows[:, 1:] - rows[0, 1:]).T)
    return bool(away.max() < _STAYS and rows[-1, 0] - rows[0, 0] > time_limit / 2)


def _expected(path: Points, robot_speed: float, count: int) -> NDArray[np.float64]:
    """Return where the robot should be at each step. [count + 1, 2]"""
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    # Robots average about 0.8 of their top speed over a route.
    along = np.minimum(0.8 * robot_speed * STEP * np.arange(count + 1), steps[-1])
    return np.stack([np.interp(along, steps, path[:, axis]) for axis in (0, 1)], axis=1)


def _draw(
    recording: Recording, expected: NDArray[np.float64], count: int, rng: np.random.Generator
) -> Placement:
    """Draw a placement that brings someone to where the robot should be."""
    arrival = int(np.argmin(np.hypot(*(expected - expected[-1]).T)))
    meeting = round(float(rng.uniform(0.15, 0.95)) * arrival)
    who = int(rng.integers(len(recording.step)))
    # Not past the end where the recording is long enough: it would run empty.
    first = max(0, min(int(recording.step[who]) - meeting, recording.steps - count))
    yaw = float(rng.uniform(-math.pi, math.pi))
    turned = Placement(yaw, (0.0, 0.0), 0).place(recording.xy[who : who + 1])[0]
    shift = expected[meeting] + rng.normal(0.0, 1.0, 2) - turned
    return Placement(yaw, (float(shift[0]), float(shift[1])), first)


def _walked(
    recording: Recording, placement: Placement, expected: NDArray[np.float64], within: float,
    ground: _Ground,
) -> tuple[float, float, float]:
    """Return metres of tracks near the robot, those on free ground, and of those the nearest."""
    low, high = np.searchsorted(recording.step, [placement.step, placement.step + len(expected)])
    xy = placement.place(recording.xy[low:high])
    gap = np.hypot(*(xy - expected[recording.step[low:high] - placement.step]).T)
    near = gap <= within
    walked = recording.walked[low:high][near] + _STANDING
    free = ground.holds(xy[near])
    met = free & (gap[near] <= _MEETING)
    return float(walked.sum()), float(walked[free].sum()), float(walked[met].sum())


def _pieces(
    recording: Recording, placement: Placement, count: int, ground: _Ground,
    route: NDArray[np.float64], start: NDArray[np.float64], rules: RecordedRules,
    people: PeopleRules,
) -> list[_Piece]:
    """Return every piece of a track that can be played."""
    found = []
    for number, track in enumerate(recording.tracks):
        begin = track.first - placement.step
        low, high = max(0, -begin), min(len(track.xy), count + 1 - begin)
        if high - low < 2:
            continue
        xy = placement.place(track.xy[low:high])
        free = ground.holds(_between(xy)).reshape(-1, _PARTS + 1)
        for a, b in _runs(np.asarray(free.all(axis=1))):
            # Who is there at the beginning or still at the end neither appears nor vanishes.
            there = begin + low + a == 0 and np.hypot(*(xy[a] - start)) >= people.keep_clear
            remains = begin + low + b == count
            off = np.flatnonzero(_gap(xy[a : b + 1], route) >= rules.off_route)
            if not len(off) and not (there and remains):
                continue
            first = a if there else a + int(off[0])
            last = b if remains else a + int(off[-1])
            if (last - first) * STEP >= rules.shortest:
                found.append(_Piece(number, begin + low + first, xy[first : last + 1]))
    return found


def _away(piece: _Piece, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return metres from a person to where the robot should be, by step. [N]"""
    return np.asarray(np.hypot(*(piece.xy - expected[piece.first :][: len(piece.xy)]).T))


def _metres_met(piece: _Piece, expected: NDArray[np.float64]) -> float:
    """Return the metres of a piece near where the robot should be."""
    walked = np.hypot(*np.diff(piece.xy, axis=0).T) + _STANDING
    return float(walked[_away(piece, expected)[1:] <= _MEETING].sum())


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


def _person(seed: int, piece: _Piece) -> PersonSpec:
    xy = piece.xy
    times = (piece.first + np.arange(len(xy))) * STEP
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
