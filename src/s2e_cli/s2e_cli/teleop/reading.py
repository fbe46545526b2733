"""Reads run folders, of programs and of people, into drivers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from navbench_gs.errors import ReportError
from navbench_gs.metrics.record import TICK, EpisodeLog
from navbench_gs.metrics.summary import Scored
from navbench_gs.report.read import inputs_of, read_run
from s2e_cli.teleop.drives import AUTONOMY, LINK, PERSON, SCRIPTED, Driver, Form, Row, rounded
from s2e_core.interventions import InterventionKind
from s2e_teleop.study.link_summary import LinkSummary
from s2e_teleop.study.smoothness import idle_time, reversals, spectral_arc_length
from s2e_teleop.study.workload import SCALES

PRACTICE = 'practice'
SHORT = 1.0
"""Metres below which a count for each kilometre says nothing."""


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """Return run folders: those named, and those inside of folders that are none.

    Raises:
        ReportError: A folder holds no run.
    """
    found: list[Path] = []
    for folder in map(Path, folders):
        inside = [folder] if (folder / 'episodes').is_dir() else sorted(
            path.parent for path in folder.rglob('episodes')
            if path.is_dir() and PRACTICE not in path.relative_to(folder).parts
        )
        if not inside:
            raise ReportError(f'{folder}: holds no run with episodes')
        found += inside
    return list(dict.fromkeys(found))


def read_drivers(folders: Sequence[Path]) -> list[Driver]:
    """Read runs; who drives on board goes first, then the sooner before the later.

    Blocks of several people under one condition are one driver; programs are one for each run.

    Raises:
        ReportError: A folder has no finished episode, or one that cannot be read.
    """
    merged: dict[str, Driver] = {}
    for number, folder in enumerate(find_runs(folders)):
        driver = _read(folder)
        if driver is None:
            continue
        people = any(row.participant is not None for row in driver.rows)
        key = driver.name if people else str(number)
        merged[key] = _join(merged[key], driver) if key in merged else driver
    if not merged:
        raise ReportError('no drive is finished')
    drivers = [_with_measured_delay(driver) for driver in merged.values()]
    # A program on board is what everyone is compared with; then autonomy that people watched.
    return sorted(drivers, key=lambda d: (
        d.delay is not None, bool(d.participants),
        d.delay if d.delay is not None and math.isfinite(d.delay) else math.inf, d.name,
    ))


def _read(folder: Path) -> Driver | None:
    record, logs, scored = read_run(folder)
    about = record.get('details', {})
    kind, participant = about.get('kind'), about.get('participant')
    if kind not in (SCRIPTED, PERSON):
        kind = AUTONOMY
    delay = None
    if kind == SCRIPTED:
        if not isinstance(about.get('delay'), (int, float)):
            raise ReportError(f'{folder}: says no delay; run the study again')
        delay = float(about['delay'])
    drives = _drives(folder)
    rows = [
        _row(log, item, participant, drives.get(log.spec.id, {}))
        for log, item in zip(logs, scored, strict=True)
        # A person's run that was broken off at its very end has a log, but is driven again.
        if participant is None or log.spec.id in drives
    ]
    if not rows:
        return None
    return Driver(
        str(record.get('policy') or folder.name), kind, inputs_of(record), delay,
        logs[0].protocol, rows, _forms(folder), bool(about.get('assisted')),
    )


def _drives(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what was kept beside each run of a person, by the name of its episode."""
    records = (_object(path) for path in sorted((folder / 'drives').glob('*/drive.json')))
    return {str(record.get('id')): record for record in records}


def _forms(folder: Path) -> list[Form]:
    path = folder / 'workload.json'
    if not path.is_file():
        return []
    values = _object(path)
    try:
        answers = {name: float(values[name]) for name in (*SCALES, 'raw_tlx')}
        return [Form(int(values['participant']), answers)]
    except (KeyError, TypeError, ValueError) as error:
        raise ReportError(f'{path}: is no form: {error!r}') from error


def _object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ReportError(f'{path}: cannot be read: {error}') from error
    if not isinstance(values, dict):
        raise ReportError(f'{path}: must hold an object, got {type(values).__name__}')
    return values


def _row(
    log: EpisodeLog, item: Scored, participant: int | None, drive: Mapping[str, Any]
) -> Row:
    scores, speed = item.scores, log.ticks['v']
    often, slowings = _often(participant, drive, scores.path_length)
    link = drive.get('link', {})
    values = {
        'success': float(scores.success), 'clean': float(scores.collision_free_success),
        'collisions': float(scores.collisions),
        'time': scores.duration if scores.success else math.nan, 'path': scores.path_length,
        'clearance': scores.clearance, 'jerk': scores.jerk,
        'arc': spectral_arc_length(speed, TICK), 'reversals': reversals(log.ticks['w'], TICK),
        'idle': idle_time(speed, TICK), 'interventions': often, 'slowings': slowings,
    }
    return Row(
        item.spec.scene, item.spec.task, item.spec.index, item.spec.to_json(),
        {name: rounded(value) for name, value in values.items()}, participant,
        {name: _number(link.get(name)) for name in LINK} if link else {},
        _number(drive.get('real_time_factor')),
    )


def _often(
    participant: int | None, drive: Mapping[str, Any], path: float
) -> tuple[float, float]:
    """Return interventions, and slowings by the gate, for each kilometre."""
    steps = drive.get('interventions')
    if participant is None or not isinstance(steps, list) or path < SHORT:
        # Where nobody could step in there is no number, not a 0.
        return math.nan, math.nan
    kinds = [step.get('kind') if isinstance(step, dict) else None for step in steps]
    slowed = kinds.count(InterventionKind.SLOWED.value)
    return 1000.0 * (len(kinds) - slowed) / path, 1000.0 * slowed / path


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _join(a: Driver, b: Driver) -> Driver:
    protocol = a.protocol if a.protocol == b.protocol else f'{a.protocol} and {b.protocol}'
    return Driver(
        a.name, a.kind, a.inputs, a.delay, protocol, a.rows + b.rows, a.forms + b.forms,
        a.assisted,
    )


def _with_measured_delay(driver: Driver) -> Driver:
    """A person's delay is what was measured while they drove: the median of their runs."""
    if driver.kind != PERSON:
        return driver
    delays = np.array(list(_delays(driver.rows)))
    delay = float(np.median(delays)) if len(delays) else math.nan
    return Driver(
        driver.name, driver.kind, driver.inputs, delay, driver.protocol, driver.rows,
        driver.forms, driver.assisted,
    )


def _delays(rows: Iterable[Row]) -> Iterable[float]:
    for row in rows:
        if not row.link:
            continue
        values = {name: row.link[name] for name in LINK if name != 'lost'}
        delay = LinkSummary(**values, lost=0).delay
        if math.isfinite(delay):
            yield delay
