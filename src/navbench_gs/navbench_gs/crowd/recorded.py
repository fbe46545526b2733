"""People who walk where people once walked, whatever the robot does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from navbench_gs.crowd.gait import shown_phases, walk_on
from navbench_gs.crowd.motion import TOUCH, stop_at_robot
from navbench_gs.physics.solids import PersonBody
from navbench_gs.tasks.spec import PersonSpec
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

APART = 3.0
"""Nobody appears or vanishes nearer to the robot's centre than this, metres: a person who is due
appears when the robot is farther away, one whose track has ended stands until then."""
CATCH_UP = 1.3
"""How much faster than recorded a person walks back to a place missed while held up."""
PATIENCE = 1.0
"""Pressed against the robot for longer than this a person steps past it sideways, seconds."""
LEAD = 2.0
"""Metres along the track up to which a person looks for a place beyond the robot."""
_FINE = 0.05
"""Seconds between two entries of the table that tracks are read from."""
_REACHED = 0.02
"""Metres from the place that was due at which a person is on time."""

Floats = NDArray[np.float64]


class RecordedCrowd:
    """Plays tracks; deterministic for a seed and the robot's way.

    Nobody avoids the robot. A body cannot pass through it either: who walks into it is stopped
    there like `Crowd`'s people, and the rest of the track comes later by the time that took.
    """

    def __init__(
        self, robot: RobotProfile, people: Sequence[PersonSpec], bodies: Sequence[PersonBody],
        seed: int,
    ) -> None:
        """Set everybody to time 0.

        Args:
            robot: Its footprint stops people.
            people: Who walks where; all with tracks.
            bodies: Their bodies, in the same order.
            seed: The episode's seed: draws gait phases and sides.
        """
        self._half = robot.length / 2.0, robot.width / 2.0
        self._radii = np.array([body.radius for body in bodies], dtype=np.float64)
        self._begin = np.array([person.track[0][0] for person in people])
        self._end = np.array([person.track[-1][0] for person in people])
        self._tables = [_table(person) for person in people]
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0xC41]))
        self._phases = rng.random(len(people))
        self._side = rng.choice((-1.0, 1.0), len(people))
        self._yaw = np.array([_first_heading(table) for table in self._tables])
        self._clock = np.zeros(len(people))
        self._late = np.zeros(len(people), bool)
        self._stopped = np.zeros(len(people), bool)
        self._pressed = np.zeros(len(people))
        self._here = self._begin <= 0.0
        self._places = np.array([table[0] for table in self._tables]).reshape(-1, 2)
        self._velocities = np.zeros_like(self._places)

    @property
    def places(self) -> Floats:
        """`[P, 3]` x, y, yaw in map; NaN for who is not there."""
        places = np.column_stack([self._places, self._yaw])
        places[~self._here] = np.nan
        return places

    @property
    def radii(self) -> Floats:
        """`[P]` body radii, metres."""
        return self._radii

    @property
    def velocities(self) -> Floats:
        """`[P, 2]` m/s, map; NaN for who is not there."""
        velocities = self._velocities.copy()
        velocities[~self._here] = np.nan
        return velocities

    @property
    def phases(self) -> list[float | None]:
        """Gait phase of each person in [0, 1), None for one who stands or is not there."""
        return shown_phases(self._phases, np.where(self._here[:, None], self._velocities, 0.0))

    def step(
        self, dt: float, robot: Pose2, velocity: tuple[float, float],
        solids_xy: NDArray[np.floating],
    ) -> None:
        """Walk on.

        Args:
            dt: Seconds.
            robot: map <- base_link.
            velocity: Of the robot; nobody looks at it.
            solids_xy: Where the obstacles are; tracks keep off where they stood.
        """
        far = np.hypot(self._places[:, 0] - robot.x, self._places[:, 1] - robot.y) >= APART
        due = self._due(self._clock + dt)
        self._move(due, dt, robot)
        self._here &= ~((self._clock >= self._end) & far)
        self._appear(robot)
        self._phases, self._yaw = walk_on(self._phases, self._yaw, self._velocities, dt)

    def _due(self, clock: Floats) -> Floats:
        """Return where everybody should be. [P, 2]"""
        return np.array([
            _at(table, time - begin)
            for table, time, begin in zip(self._tables, clock, self._begin, strict=True)
        ]).reshape(-1, 2)

    def _move(self, due: Floats, dt: float, robot: Pose2) -> None:
        """Take everybody towards where they should be, as far as the robot lets them."""
        away = due - self._places
        wanted = np.hypot(*away.T)
        recorded = np.hypot(*(due - self._due(self._clock)).T)
        # On time this is the recorded step; later at most somewhat faster than recorded.
        most = np.where(self._late, np.maximum(CATCH_UP * recorded, 0.5 * dt), np.inf)
        step = away * (np.minimum(wanted, most) / np.maximum(wanted, 1e-9))[:, None]
        aside = np.stack([-step[:, 1], step[:, 0]], axis=1)
        # Round the robot on the side that its centre leaves free; ahead of it, on one's own.
        left = (aside * ([robot.x, robot.y] - self._places)).sum(axis=1)
        side = np.where(np.abs(left) < 0.1 * dt, self._side, -np.sign(left))
        aside *= side[:, None]
        around = self._stopped & (self._pressed > PATIENCE)
        step = np.where(around[:, None], (step + aside) * math.sqrt(0.5), step)
        step[~self._here] = 0.0
        velocities = np.ascontiguousarray(step / dt)
        stop_at_robot(
            self._places, velocities, self._radii, np.array([robot.x, robot.y, robot.yaw]),
            *self._half, dt,
        )
        self._stopped = (velocities != step / dt).any(axis=1) & self._here
        velocities[around] += self._outwards(self._places + velocities * dt, robot)[around] / dt
        self._velocities, self._places = velocities, self._places + velocities * dt
        self._late = self._here & (np.hypot(*(due - self._places).T) > _REACHED)
        self._pressed = np.where(self._late, self._pressed + dt * self._stopped, 0.0)
        # Who goes round the robot heads for a place beyond it, not for the one it stands on.
        onwards = ~self._late | (around & (wanted < LEAD))
        self._clock = np.where(onwards, self._clock + dt, self._clock)

    def _outwards(self, places: Floats, robot: Pose2) -> Floats:
        """Return the way out for bodies that would lie deeper in the robot than a touch. [P, 2]

        Round a corner of the footprint `stop_at_robot` lets them in by up to 9 mm a tick.
        """
        c, s = math.cos(robot.yaw), math.sin(robot.yaw)
        local = (places - (robot.x, robot.y)) @ np.array([[c, -s], [s, c]])
        out = local - np.clip(local, np.negative(self._half), self._half)
        away = np.hypot(*out.T)
        deep = np.clip(self._radii - TOUCH - away, 0.0, 0.02) / np.maximum(away, 1e-6)
        return np.asarray((out * deep[:, None]) @ np.array([[c, s], [-s, c]]))

    def _appear(self, robot: Pose2) -> None:
        """Let those in whose time has come and whom the robot leaves room."""
        due = self._due(self._clock)
        waits = ~self._here & (self._clock >= self._begin) & (self._clock < self._end)
        waits &= np.hypot(due[:, 0] - robot.x, due[:, 1] - robot.y) >= APART
        if waits.any():
            ahead = self._due(self._clock + _FINE) - due
            self._places[waits] = due[waits]
            self._velocities[waits] = 0.0
            moving = waits & (np.hypot(*ahead.T) > 1e-3)
            self._yaw = np.where(moving, np.arctan2(ahead[:, 1], ahead[:, 0]), self._yaw)
            self._here |= waits


def _table(person: PersonSpec) -> Floats:
    """Return a track every `_FINE` seconds, smooth in velocity. [N, 2]"""
    rows = np.array(person.track)
    times = np.arange(rows[0, 0], rows[-1, 0] + 1e-9, _FINE)
    return np.asarray(PchipInterpolator(rows[:, 0], rows[:, 1:], axis=0)(times))


def _at(table: Floats, time: float) -> tuple[float, float]:
    """Return the place so many seconds after the table's begin; its ends outside."""
    place = min(max(time / _FINE, 0.0), len(table) - 1.0)
    low = min(int(place), len(table) - 2)
    part = place - low
    (ax, ay), (bx, by) = table[low], table[low + 1]
    return ax + part * (bx - ax), ay + part * (by - ay)


def _first_heading(table: Floats) -> float:
    """Return the direction of a track's first 0.3 m, radians; east where there are none."""
    away = np.hypot(*(table - table[0]).T)
    moved = np.flatnonzero(away > 0.3)
    if not len(moved):
        return 0.0
    dx, dy = table[moved[0]] - table[0]
    return math.atan2(dy, dx)
