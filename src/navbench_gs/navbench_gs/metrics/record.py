"""The log of one episode: everything that metrics, maps and replays need, and no wall-clock."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import TaskError
from navbench_gs.tasks.spec import EpisodeSpec

LOG_VERSION = 1
TICK = 0.05
"""Seconds between two rows of the log."""
PEOPLE_EVERY = 10
"""Ticks between two logged positions of the people."""
MAX_BYTES = 64_000_000
"""An hour of ticks takes 8 MB; a larger file is not a log."""

COLUMNS: dict[str, int] = {
    'x': 4, 'y': 4, 'yaw': 5, 'v': 4, 'w': 4,
    'odom_x': 4, 'odom_y': 4, 'odom_yaw': 5,
    'command_v': 4, 'command_w': 4,
    'geodesic': 4, 'clearance': 4, 'person_gap': 4, 'ttc': 4,
}
"""Columns of a tick and the decimals they are stored with.

`x y yaw v w` are true (map, metres, radians, m/s, rad/s), `odom_*` what odometry said,
`command_*` what went to the base, `geodesic` the metres left to the goal, `clearance` the gap
between footprint and the nearest static thing or obstacle, `person_gap` that to the nearest
person, `ttc` the seconds until discs of robot and person touch at constant velocity (inf: never).
"""


@dataclass(frozen=True)
class Contact:
    """The robot touched a body during a tick."""

    tick: int
    """Row of the log."""
    body: str
    """Name of the body."""
    kind: str
    """static, obstacle, person or occupied."""


@dataclass(frozen=True)
class EpisodeLog:
    """One finished episode; row 0 is its beginning, then one row per tick of 50 ms."""

    spec: EpisodeSpec
    protocol: str
    """Hash of the protocol."""
    policy: str
    """Name and hash of the policy."""
    outcome: str
    """How it ended; see `metrics.outcome`."""
    detail: str
    """The exception or number behind the outcome, or empty."""
    ticks: dict[str, NDArray[np.float64]]
    """Columns by name, each [N]."""
    contacts: tuple[Contact, ...] = ()
    modes: tuple[int, ...] = ()
    """Index of the mode chosen at each image, -1 where the robot was to stand still."""
    people: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 2)))
    """Positions of the people every half second, map, metres; NaN for who was not there.
    [S, P, 2]"""
    route: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """Shortest way on the static map, map, metres, start first. [Q, 2]"""
    pushed: float = 0.0
    """Sum of the distances by which obstacles were moved, metres."""

    @property
    def duration(self) -> float:
        """Simulated seconds."""
        return TICK * (len(self.ticks['x']) - 1)

    def to_json(self) -> str:
        """Return the log as JSON; equal logs give equal bytes."""
        mapping = {
            'version': LOG_VERSION,
            'spec': self.spec.to_mapping(),
            'protocol': self.protocol,
            'policy': self.policy,
            'outcome': self.outcome,
            'detail': self.detail,
            'ticks': {
                name: [_rounded(value, digits) for value in self.ticks[name]]
                for name, digits in COLUMNS.items()
            },
            'contacts': [[c.tick, c.body, c.kind] for c in self.contacts],
            'modes': list(self.modes),
            'people': [[[_rounded(v, 2) for v in xy] for xy in row] for row in self.people],
            'route': [[_rounded(v, 2) for v in xy] for xy in self.route],
            'pushed': _rounded(self.pushed, 4),
        }
        return json.dumps(mapping, sort_keys=True, separators=(',', ':')) + '\n'

    @staticmethod
    def from_json(text: str) -> EpisodeLog:
        """Parse `to_json` output.

        Raises:
            TaskError: the text is not an episode log of this version.
        """
        try:
            mapping = json.loads(text)
            return _from_mapping(mapping)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise TaskError(f'not an episode log: {type(error).__name__}: {error}') from error


def read_log(path: Path) -> EpisodeLog:
    """Read an episode file.

    Raises:
        TaskError: naming the file and what is wrong with it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TaskError(f'a log has at most {MAX_BYTES} bytes, got {path.stat().st_size}')
        return EpisodeLog.from_json(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, TaskError) as error:
        raise TaskError(f'{path}: {error}') from error


def _from_mapping(mapping: Mapping[str, Any]) -> EpisodeLog:
    if mapping['version'] != LOG_VERSION:
        raise TaskError(f'log version must be {LOG_VERSION}, got {mapping["version"]!r}')
    ticks = {
        name: np.array([math.inf if v is None else v for v in mapping['ticks'][name]], np.float64)
        for name in COLUMNS
    }
    lengths = {len(column) for column in ticks.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise TaskError(f'columns must have one length above 0, got {sorted(lengths)}')
    people = np.array(mapping['people'], np.float64)
    return EpisodeLog(
        spec=EpisodeSpec.from_mapping(mapping['spec']),
        protocol=str(mapping['protocol']),
        policy=str(mapping['policy']),
        outcome=str(mapping['outcome']),
        detail=str(mapping['detail']),
        ticks=ticks,
        contacts=tuple(Contact(int(t), str(b), str(k)) for t, b, k in mapping['contacts']),
        modes=tuple(int(m) for m in mapping['modes']),
        people=people if people.ndim == 3 else np.zeros((len(people), 0, 2)),
        route=np.array(mapping['route'], np.float64).reshape(-1, 2),
        pushed=float(mapping['pushed']),
    )


def _rounded(value: float, digits: int) -> float | None:
    """Round for storage; what is not finite becomes null, minus zero zero."""
    value = float(value)
    return round(value, digits) + 0.0 if math.isfinite(value) else None
