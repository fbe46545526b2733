"""The numbers of runs as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.paired import Comparison
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.metrics.summary import Scored, Summary
from navbench_gs.runner.plan import write_atomically

_SPEC = ('scene', 'robot', 'task', 'index', 'seed', 'geodesic', 'straight', 'corner_blocked',
         'time_limit')


def write_episodes(scored: Sequence[Scored], path: Path) -> None:
    """Write one line for each episode: what it was and every metric; no value stands for inf.

    Raises:
        RunError: the folder cannot be written.
    """
    metrics = [field.name for field in fields(EpisodeScores)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['id', *_SPEC, *metrics])
    for item in scored:
        values = [getattr(item.spec, name) for name in _SPEC]
        values += [getattr(item.scores, name) for name in metrics[:-1]]
        writer.writerow([item.spec.id, *map(_cell, values), item.scores.cause.value])
    write_atomically(path, text.getvalue())


def summary_values(part: Summary) -> dict[str, Any]:
    """Return a summary as plain JSON values."""
    return {
        'name': part.name, 'episodes': part.episodes, 'scenes': part.scenes,
        'metrics': {name: estimate_values(value) for name, value in part.metrics.items()},
        'causes': part.causes,
    }


def comparison_values(part: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON values."""
    return {
        'name': part.name, 'pairs': part.pairs, 'only_a': part.only_a, 'only_b': part.only_b,
        'chance': round(part.chance, 6),
        'differences': {name: estimate_values(v) for name, v in part.differences.items()},
    }


def estimate_values(value: Estimate) -> dict[str, Any]:
    """Return a mean with its interval; what is not finite becomes null."""
    return {
        'mean': _finite(value.mean), 'low': _finite(value.low), 'high': _finite(value.high),
        'episodes': value.count,
    }


def write_json(values: Mapping[str, Any], path: Path) -> None:
    """Write values as JSON.

    Raises:
        RunError: the folder cannot be written.
    """
    write_atomically(path, json.dumps(values, indent=2, sort_keys=True) + '\n')


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return f'{value:.6g}' if math.isfinite(value) else ''
    return value
