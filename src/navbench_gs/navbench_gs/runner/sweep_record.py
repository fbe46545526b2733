"""What a sweep consists of, written into its folder, and its results read back from there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navbench_gs.errors import ReportError
from navbench_gs.metrics.summary import by_task
from navbench_gs.report.read import read_run
from navbench_gs.runner.identity import versions
from navbench_gs.runner.plan import write_atomically
from navbench_gs.runner.sweep import AXES, Measured, Point

PLAN = 'plan.json'
MAX_BYTES = 16_000_000
"""A plan has some kilobytes."""


@dataclass(frozen=True)
class SweepRecord:
    """A sweep as its folder tells it."""

    facts: dict[str, Any]
    """Policy, scenes, episodes, seed, robot, protocol and versions."""
    nominal: dict[str, float | None]
    """The protocol's own value of each axis, None where it is not known."""
    measured: list[Measured]
    missing: list[str]
    """Values that are not driven to the end, as AXIS=VALUE."""


def write_plan(
    points: Sequence[Point], policy: str, details: Mapping[str, Any], out: Path
) -> None:
    """Write what the sweep will run, before it runs.

    Raises:
        RunError: the folder cannot be written.
    """
    config = points[0].config
    usual = {p.axis.name: p.value for p in points if p.folder == out / 'nominal'}
    protocol = next((p.config.protocol for p in points if p.folder == out / 'nominal'),
                    config.protocol)
    facts = {
        'policy': policy, 'scenes': list(config.scenes),
        'tasks': list(dict.fromkeys(task for p in points for task in p.config.tasks)),
        'episodes per scene and task': config.episodes, 'seed': config.seed,
        'robot': config.robot, 'backend': config.backend,
        'protocol': {'name': protocol.name, 'version': protocol.version, 'hash': protocol.hash},
        'details': dict(details), 'versions': versions(),
    }
    rows = [
        {'axis': p.axis.name, 'value': p.value, 'tasks': list(p.config.tasks),
         'folder': p.folder.relative_to(out).as_posix(), 'episodes': p.episodes,
         'protocol': p.config.protocol.hash} for p in points
    ]
    nominal = {name: usual.get(name) for name in dict.fromkeys(p.axis.name for p in points)}
    text = json.dumps({'facts': facts, 'nominal': nominal, 'points': rows}, indent=1)
    write_atomically(out / PLAN, text + '\n')


def read_sweep(out: Path) -> SweepRecord:
    """Read plan and results of a sweep; runs that have not begun are missing.

    Raises:
        ReportError: it is not the folder of a sweep, or one of its runs cannot be read.
    """
    path = out / PLAN
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReportError(f'{path}: has more than {MAX_BYTES} bytes')
        plan = json.loads(path.read_text(encoding='utf-8'))
        facts, nominal, points = dict(plan['facts']), dict(plan['nominal']), list(plan['points'])
        rows = [
            (str(p['axis']), float(p['value']), list(p['tasks']), out / str(p['folder']),
             int(p['episodes']), str(p['protocol'])) for p in points
        ]
    except OSError as error:
        raise ReportError(f'{path}: cannot be read: {error.strerror}') from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReportError(f'{path}: is not the plan of a sweep: {error!r}') from error
    measured: list[Measured] = []
    missing = []
    for axis, value, tasks, folder, episodes, protocol in rows:
        if axis not in AXES or not folder.resolve().is_relative_to(out.resolve()):
            raise ReportError(f'{path}: has an axis or folder that no sweep has: {axis}, {folder}')
        scored = []
        if any((folder / 'episodes').glob('*.json')):
            scored = [item for item in read_run(folder)[2] if item.spec.task in tasks]
        if len(scored) < episodes:
            missing.append(f'{axis}={value:g} ({len(scored)} of {episodes})')
        measured += [Measured(axis, value, protocol, part) for part in by_task(scored)]
    return SweepRecord(facts, nominal, measured, missing)
