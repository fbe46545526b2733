"""Everything that is written of a sweep: page, table, curves and JSON, from its folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from navbench_gs.errors import ReportError
from navbench_gs.report.band import band_chart
from navbench_gs.report.cells import bounds, number
from navbench_gs.report.command import sweep_command
from navbench_gs.report.curves import COLUMNS, draw_curves, write_table
from navbench_gs.report.ecdf import legend
from navbench_gs.report.html import template
from navbench_gs.report.page import STYLE as BASE_STYLE
from navbench_gs.report.sweep_page import PAGE, STYLE
from navbench_gs.report.tables import summary_values, write_json
from navbench_gs.runner.plan import write_atomically
from navbench_gs.runner.sweep import AXES, Measured
from navbench_gs.runner.sweep_record import SweepRecord, read_sweep

_CHARTS = {'SR': 'success', 'clean SR': 'collision_free_success', 'CT': 'collisions'}


def write_sweep(out: Path) -> Path:
    """Write `sweep.html`, `.csv`, `.json` and `.png` of a sweep, finished or not.

    Args:
        out: Its folder.

    Returns:
        The page.

    Raises:
        ReportError: nothing of it has been driven, or it is not the folder of a sweep.
        RunError: the folder cannot be written.
    """
    record = read_sweep(out)
    if not record.measured:
        raise ReportError(f'{out}: holds no finished episode')
    write_table(record.measured, out / 'sweep.csv')
    write_json({
        'sweep': record.facts, 'nominal': record.nominal, 'missing': record.missing,
        'points': [
            {'axis': item.axis, 'value': item.value, 'protocol': item.protocol,
             **summary_values(item.summary)} for item in record.measured
        ],
    }, out / 'sweep.json')
    draw_curves(record.measured, str(record.facts.get('policy', '')), out / 'sweep.png')
    path = out / 'sweep.html'
    write_atomically(path, render(record))
    return path


def render(record: SweepRecord) -> str:
    """Return the page."""
    facts = record.facts
    tasks = list(dict.fromkeys(
        item.summary.name for item in record.measured if item.summary.name != 'all'))
    scenes = max(item.summary.scenes for item in record.measured)
    protocol = facts.get('protocol', {})
    top = max(item.summary.metrics['collisions'].high for item in record.measured)
    return template(PAGE).render(
        title=f'Robustness: {facts.get("policy", "?")}',
        subtitle=f'{scenes} {"scene" if scenes == 1 else "scenes"} · episodes per scene, task and '
        f'value: {facts.get("episodes per scene and task", "?")} · seed {facts.get("seed", "?")}'
        f' · robot {facts.get("robot", "?")}'
        f' · protocol {protocol.get("name", "?")} {str(protocol.get("hash", "?"))[:12]}',
        style=BASE_STYLE + STYLE,
        missing=', '.join(record.missing),
        legend=legend([task.replace('_', ' + ') for task in tasks]),
        intervals='by bootstrap over scenes, then episodes' if scenes > 1 else
        'within one scene (Wilson for rates): they say nothing about other scenes',
        axes=[
            _axis(name, record, tasks, top if math.isfinite(top) and top > 0.0 else 1.0)
            for name in dict.fromkeys(item.axis for item in record.measured)
        ],
        columns=list(COLUMNS), command=sweep_command(facts, _values(record)),
        facts=yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=96).strip(),
    )


def _values(record: SweepRecord) -> dict[str, list[float]]:
    """Return the values of each axis, ascending."""
    found: dict[str, set[float]] = {}
    for item in record.measured:
        found.setdefault(item.axis, set()).add(item.value)
    return {name: sorted(values) for name, values in found.items()}


def _axis(name: str, record: SweepRecord, tasks: Sequence[str], top: float) -> dict[str, Any]:
    items = sorted((item for item in record.measured if item.axis == name),
                   key=lambda item: item.value)
    found = record.nominal.get(name)
    nominal = math.nan if found is None else float(found)
    charts = []
    for title, metric in _CHARTS.items():
        # Every task in every chart, so that colours stay with their tasks.
        series = {
            task: [(item.value, item.summary.metrics[metric]) for item in items
                   if item.summary.name == task] for task in tasks
        }
        charts.append(band_chart(title, series, top if title == 'CT' else 1.0, nominal))
    label = AXES[name].label
    return {
        'name': name, 'label': label[:1].upper() + label[1:], 'note': AXES[name].note,
        'charts': charts,
        'rows': [_row(item, nominal) for item in items],
    }


def _row(item: Measured, nominal: float) -> dict[str, Any]:
    part = item.summary
    cells = [part.metrics[metric] for metric in COLUMNS.values()]
    return {
        'value': f'{item.value:g}', 'usual': item.value == nominal,
        'task': part.name.replace('_', ' + '), 'episodes': part.episodes,
        'cells': [{'mean': number(e.mean, 2), 'range': bounds(e, 2)} for e in cells],
        'causes': ', '.join(f'{count} {cause}' for cause, count in part.causes.items()),
        'protocol': item.protocol[:12],
    }
