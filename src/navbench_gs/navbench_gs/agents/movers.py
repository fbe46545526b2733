"""Things the size of a person that move, told from scans one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.depth_scan import DepthScan
from navbench_gs.tasks.hazards import PERSON_RADIUS
from s2e_core.config import check, option
from s2e_core.se2 import Pose2

Floats = NDArray[np.float64]
_FAR = 1e3


@dataclass(frozen=True)
class MoverConfig:
    """What is followed, and when it counts as moving."""

    jump: float = option(0.35, unit='m', low=0.05, high=2, help='Range step between things.')
    widest: float = option(0.9, unit='m', low=0.1, high=5, help='Wider things are not people.')
    gate: float = option(0.5, unit='m', low=0.1, high=3, help='Farther is another thing.')
    # The middle of what is visible of a thing at rest wanders by some 5 cm between images, which
    # these gains turn into 0.1 m/s.
    place_gain: float = option(0.6, low=0.05, high=1, help='Weight of a new place.')
    speed_gain: float = option(0.3, low=0.01, high=1, help='Weight of a new velocity.')
    slowest: float = option(0.35, unit='m/s', low=0.05, high=3, help='Slower things stand.')
    fastest: float = option(2.5, unit='m/s', low=0.5, high=10, help='Faster ones are mistaken.')
    sightings: int = option(3, low=2, high=50, help='Images before a thing is believed.')
    patience: float = option(0.6, unit='s', low=0, high=10, help='Unseen movers are kept.')

    def __post_init__(self) -> None:
        check(self, source='movers')


@dataclass
class _Track:
    place: Floats
    velocity: Floats
    seen_ns: int
    sightings: int = 1


class MoverTracker:
    """Follows person-sized things with an alpha-beta filter each."""

    def __init__(self, config: MoverConfig | None = None) -> None:
        """Start without any.

        Args:
            config: Gates and gains.
        """
        self._config = config or MoverConfig()
        self._tracks: list[_Track] = []
        self._now_ns = 0

    def clear(self) -> None:
        """Forget everything."""
        self._tracks = []

    def update(self, scan: DepthScan, pose: Pose2, now_ns: int) -> NDArray[np.bool_]:
        """Take a scan.

        Args:
            scan: Distances along bearings.
            pose: odom <- base_link at the scan.
            now_ns: Its stamp.

        Returns:
            Bearings whose obstacle is something that moves. [B]
        """
        dt = (now_ns - self._now_ns) * 1e-9
        self._now_ns = now_ns
        for track in self._tracks:
            track.place = track.place + dt * track.velocity
        free = list(self._tracks)
        moving = np.zeros(len(scan.bearings), bool)
        for bearings, middle in self._things(scan, pose):
            away = [float(np.hypot(*(track.place - middle))) for track in free]
            if not away or min(away) > self._config.gate:
                self._tracks.append(_Track(middle, np.zeros(2), now_ns))
                continue
            track = free.pop(int(np.argmin(away)))
            self._correct(track, middle, dt)
            moving[bearings] = self._moves(track)
        patience = round(self._config.patience * 1e9)
        self._tracks = [t for t in self._tracks if now_ns - t.seen_ns <= patience]
        return moving

    @property
    def movers(self) -> Floats:
        """x, y, vx, vy of what moves, odom. [P, 4]"""
        rows = [[*t.place, *t.velocity] for t in self._tracks if self._moves(t)]
        return np.array(rows, np.float64).reshape(-1, 4)

    def _things(self, scan: DepthScan, pose: Pose2) -> list[tuple[slice, Floats]]:
        """Bearings and middle, odom, of each person-sized thing in the scan."""
        # Beyond the ends of the view nobody knows: what lies there counts as nearer.
        reach = np.concatenate([[0.0], np.minimum(scan.blocked, _FAR), [0.0]])
        edges = np.flatnonzero(np.abs(np.diff(reach)) > self._config.jump)
        found = []
        for first, end in pairwise(edges):
            part, stands_out = slice(first, end), reach[first] > reach[first + 1]
            stands_out &= reach[end + 1] > reach[end]
            if end - first < 2 or not stands_out:
                continue
            ways = np.stack([np.cos(scan.bearings[part]), np.sin(scan.bearings[part])], axis=1)
            rim = scan.blocked[part, None] * ways + scan.foot
            if float(np.hypot(*(rim[-1] - rim[0]))) <= self._config.widest:
                middle = rim.mean(axis=0) + PERSON_RADIUS * ways.mean(axis=0)
                found.append((part, pose.transform(middle)))
        return found

    def _correct(self, track: _Track, middle: Floats, dt: float) -> None:
        error = middle - track.place
        track.place = track.place + self._config.place_gain * error
        if dt > 0.0:
            track.velocity = track.velocity + self._config.speed_gain / dt * error
        track.seen_ns = self._now_ns
        track.sightings += 1

    def _moves(self, track: _Track) -> bool:
        speed = float(np.hypot(*track.velocity))
        believed = track.sightings >= self._config.sightings
        return believed and self._config.slowest <= speed <= self._config.fastest
