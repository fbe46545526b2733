"""Reading a run folder back: its record, its episodes and their metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navbench_gs.errors import ReportError, TaskError
from navbench_gs.metrics.record import EpisodeLog, read_log
from navbench_gs.metrics.scores import evaluate
from navbench_gs.metrics.summary import Scored
from navbench_gs.tasks.protocol import Protocol
from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError


def read_run(run_dir: Path) -> tuple[dict[str, Any], list[EpisodeLog], list[Scored]]:
    """Read a run folder.

    Returns:
        **record**: Content of run.json; empty when there is none.
        **logs**: Its finished episodes.
        **scored**: Their metrics, in the same order.

    Raises:
        ReportError: there is no finished episode, or one cannot be read.
    """
    record = _read_record(run_dir / 'run.json')
    logs = _read_logs(run_dir / 'episodes')
    protocol = _protocol(record)
    for log in logs if 'protocol' in record else ():
        if log.protocol != protocol.hash:
            raise ReportError(
                f'{run_dir}: {log.spec.id} was driven by protocol {log.protocol[:12]}, run.json '
                f'holds {protocol.hash[:12]}'
            )
    return record, logs, [_scored(run_dir, log, protocol) for log in logs]


def _scored(run_dir: Path, log: EpisodeLog, protocol: Protocol) -> Scored:
    try:
        return Scored(log.spec, evaluate(log, protocol.judge))
    except ValueError as error:
        raise ReportError(f'{run_dir}: {log.spec.id} is not an episode: {error}') from error


def inputs_of(record: Mapping[str, Any]) -> str:
    """Say what the policy of a run saw: runs with another sensor are a column of their own.

    So are runs whose gate knew what was in the way.
    """
    stated = record.get('details', {}).get('inputs')
    policy = str(stated or record.get('inputs') or 'RGB, odometry, goal')
    conditions = record.get('conditions', {})
    source = conditions.get('gate_source', 'none')
    gate = [] if source == 'none' else [f'the gate sees {source.replace("_", " ")}']
    if 'gate_cap' in conditions:
        gate.append(f'at most {conditions["gate_cap"]:g} m/s')
    return '; '.join([policy, *gate])


def _read_record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ReportError(f'{path}: cannot be read: {error}') from error
    if not isinstance(record, dict):
        raise ReportError(f'{path}: must hold a JSON object, got {type(record).__name__}')
    return record


def _read_logs(folder: Path) -> list[EpisodeLog]:
    paths = sorted(folder.glob('*.json')) if folder.is_dir() else []
    if not paths:
        raise ReportError(f'{folder}: holds no finished episode')
    try:
        return [read_log(path) for path in paths]
    except TaskError as error:
        raise ReportError(str(error)) from error


def _protocol(record: Mapping[str, Any]) -> Protocol:
    values = record.get('protocol', {}).get('values')
    if values is None:
        return Protocol('default', 1)
    try:
        return from_mapping(Protocol, values, source='run.json: protocol')
    except ConfigError as error:
        raise ReportError(str(error)) from error
