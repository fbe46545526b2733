"""The metrics: pure functions of an episode's log."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from navbench_gs.metrics.collisions import CollisionTally
from navbench_gs.metrics.outcome import Cause, Outcome, cause_of
from navbench_gs.metrics.record import TICK, EpisodeLog
from navbench_gs.tasks.protocol import JudgeRules

STANDING_SPEED = 0.05
"""Slower is standing, m/s."""
_JERK_ROWS = 4


@dataclass(frozen=True)
class EpisodeScores:
    """Every metric of one episode."""

    success: bool
    collision_free_success: bool
    route_completion: float
    """0 to 1."""
    collisions: int
    """CT."""
    contact_time: float
    """Seconds in contact with anything."""
    pushed: float
    """Metres obstacles were moved."""
    spl: float
    """Success weighted by path length, 0 to 1."""
    duration: float
    """Seconds."""
    path_length: float
    """Metres driven."""
    clearance: float
    """Smallest gap to static things and obstacles, metres."""
    person_gap: float
    """Smallest gap to a person, metres; inf without people."""
    ttc: float
    """Smallest time to collision with a person, seconds; inf if never on course to one."""
    intrusion: float
    """Seconds within people's personal space."""
    jerk: float
    """Root mean square, m/s^3."""
    freezing: float
    """Share of time spent standing in stretches of at least the protocol's frozen time."""
    cause: Cause
    """Why it failed."""


def evaluate(log: EpisodeLog, rules: JudgeRules) -> EpisodeScores:
    """Compute every metric of an episode."""
    success = succeeded(log)
    return EpisodeScores(
        success=success,
        collision_free_success=success and not log.contacts,
        route_completion=route_completion(log),
        collisions=collision_count(log, rules.debounce),
        contact_time=contact_time(log),
        pushed=log.pushed,
        spl=spl(log),
        duration=log.duration,
        path_length=path_length(log),
        clearance=float(log.ticks['clearance'].min()),
        person_gap=float(log.ticks['person_gap'].min()),
        ttc=float(log.ticks['ttc'].min()),
        intrusion=intrusion_time(log, rules.personal_space),
        jerk=jerk(log),
        freezing=freezing(log, rules.frozen_time, rules.frozen_distance),
        cause=cause_of(log, rules),
    )


def succeeded(log: EpisodeLog) -> bool:
    """Whether the robot came to rest at the goal in time."""
    return log.outcome == Outcome.SUCCESS.value


def route_completion(log: EpisodeLog) -> float:
    """RC = clip((d_start - d_last) / d_start, 0, 1) on geodesic distance; 1 on success."""
    if succeeded(log):
        return 1.0
    first, last = float(log.ticks['geodesic'][0]), float(log.ticks['geodesic'][-1])
    if not (math.isfinite(last) and first > 0.0):
        return 0.0
    return min(max((first - last) / first, 0.0), 1.0)


def collision_count(log: EpisodeLog, debounce: float) -> int:
    """Count collisions (CT); see `CollisionTally`."""
    tally = CollisionTally(debounce)
    for contact in sorted(log.contacts, key=lambda contact: contact.tick):
        tally.add(contact.tick, contact.body)
    return tally.count


def contact_time(log: EpisodeLog) -> float:
    """Seconds in contact with at least one body."""
    return TICK * len({contact.tick for contact in log.contacts})


def path_length(log: EpisodeLog) -> float:
    """Metres driven, true frame."""
    return float(np.hypot(np.diff(log.ticks['x']), np.diff(log.ticks['y'])).sum())


def spl(log: EpisodeLog) -> float:
    """Success times shortest / max(driven, shortest) (Anderson et al. 2018)."""
    if not succeeded(log):
        return 0.0
    return log.spec.geodesic / max(path_length(log), log.spec.geodesic, 1e-9)


def intrusion_time(log: EpisodeLog, personal_space: float) -> float:
    """Seconds with a gap to a person below `personal_space` metres."""
    return TICK * int((log.ticks['person_gap'] < personal_space).sum())


def jerk(log: EpisodeLog) -> float:
    """Root mean square of the second difference of speed at 0.2 s, m/s^3."""
    v = log.ticks['v'][::_JERK_ROWS]
    if len(v) < 3:
        return 0.0
    step = TICK * _JERK_ROWS
    return float(np.sqrt(np.mean((np.diff(v, 2) / step**2) ** 2)))


def freezing(log: EpisodeLog, seconds: float, distance: float) -> float:
    """Share of the episode in stretches of at least `seconds` that moved less than `distance`.

    A stretch is a run of ticks below 0.05 m/s whose ends lie closer than `distance` metres.
    """
    still = np.abs(log.ticks['v']) < STANDING_SPEED
    x, y = log.ticks['x'], log.ticks['y']
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
    frozen = 0
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        moved = math.hypot(x[end - 1] - x[begin], y[end - 1] - y[begin])
        if (end - begin) * TICK >= seconds and moved < distance:
            frozen += end - begin
    return frozen / len(still)
