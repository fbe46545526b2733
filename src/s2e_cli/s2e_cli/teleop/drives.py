"""What each drive of a study was like, and the differences between drivers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navbench_gs.metrics.estimate import Estimate, estimate
from navbench_gs.metrics.record import TICK, EpisodeLog
from navbench_gs.metrics.summary import Scored
from navbench_gs.report.read import inputs_of, read_run
from s2e_teleop.study.effect import cohens_d, win_share
from s2e_teleop.study.smoothness import idle_time, reversals, spectral_arc_length

METRICS: dict[str, str] = {
    'success': 'success', 'clean': 'success without contact', 'collisions': 'collisions',
    'time': 'time of successes, s', 'path': 'path, m', 'clearance': 'least clearance, m',
    'jerk': 'jerk, m/s^3', 'arc': 'spectral arc length', 'reversals': 'reversals a minute',
    'idle': 'standing, s',
}
"""Metrics of a drive by name, with their titles."""
PROPORTIONS = ('success', 'clean')


@dataclass(frozen=True)
class Difference:
    """How one driver differs from another in a metric."""

    estimate: Estimate
    d: float
    """Cohen's d of the pairs."""
    more: float
    """Share of the pairs in which the other has more."""


@dataclass(frozen=True)
class Row:
    """One drive."""

    scene: str
    task: str
    index: int
    spec: str
    """The episode, so that only the same ones are paired."""
    values: dict[str, float]


@dataclass(frozen=True)
class Driver:
    """One run: a policy, or an operator over a link."""

    name: str
    folder: Path
    inputs: str
    delay: float | None
    """Seconds from the world to the wheels; None on board."""
    protocol: str
    rows: list[Row]


def read_drivers(folders: Sequence[Path]) -> list[Driver]:
    """Read runs; who drives on board goes first, then the sooner before the later.

    Raises:
        ReportError: A folder has no finished episode, or one that cannot be read.
    """
    drivers = []
    for folder in map(Path, folders):
        record, logs, scored = read_run(folder)
        about = record.get('details', {})
        drivers.append(Driver(
            str(record.get('policy') or folder.name), folder, inputs_of(record),
            about.get('latency'), logs[0].protocol,
            [_row(log, item) for log, item in zip(logs, scored, strict=True)],
        ))
    return sorted(drivers, key=lambda driver: driver.delay or 0.0)


def _row(log: EpisodeLog, item: Scored) -> Row:
    scores, speed = item.scores, log.ticks['v']
    return Row(item.spec.scene, item.spec.task, item.spec.index, item.spec.to_json(), {
        'success': float(scores.success), 'clean': float(scores.collision_free_success),
        'collisions': float(scores.collisions),
        'time': scores.duration if scores.success else math.nan, 'path': scores.path_length,
        'clearance': scores.clearance, 'jerk': scores.jerk,
        'arc': spectral_arc_length(speed, TICK), 'reversals': reversals(log.ticks['w'], TICK),
        'idle': idle_time(speed, TICK),
    })


def mean_of(rows: Sequence[Row], metric: str) -> Estimate:
    """Return a metric's mean over drives."""
    values = ((row.scene, row.values[metric]) for row in rows)
    return estimate(values, proportion=metric in PROPORTIONS)


def difference(a: Driver, b: Driver, metric: str) -> Difference:
    """Return how driver b differs from a over the episodes that both drove."""
    known = {row.spec: row for row in a.rows}
    pairs = [
        (row.scene, row.values[metric] - known[row.spec].values[metric])
        for row in b.rows if row.spec in known
    ]
    changes = np.array([change for _, change in pairs if math.isfinite(change)])
    return Difference(estimate(pairs), cohens_d(changes), win_share(changes))
