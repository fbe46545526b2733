"""The report of a study: page, CSV of every drive, CSV of the summary, curves over the delay."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.report.html import template
from navbench_gs.report.page import STYLE
from navbench_gs.runner.plan import write_atomically
from s2e_cli.teleop.curves import draw_curves
from s2e_cli.teleop.drives import METRICS, Driver, difference, mean_of, read_drivers
from s2e_cli.teleop.page import PAGE


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write `compare.html`, `drives.csv`, `summary.csv` and `curves.svg`.

    Returns:
        The page.

    Raises:
        ReportError: A run cannot be read.
        RunError: The folder cannot be written.
    """
    drivers = read_drivers(folders)
    write_atomically(out / 'drives.csv', _drives_csv(drivers))
    write_atomically(out / 'summary.csv', _summary_csv(drivers))
    curves = draw_curves(drivers)
    write_atomically(out / 'curves.svg', curves)
    write_atomically(out / 'compare.html', _page(drivers, curves))
    return out / 'compare.html'


def _page(drivers: Sequence[Driver], curves: str) -> str:
    base = drivers[0]
    warnings = []
    if len({driver.protocol for driver in drivers}) > 1:
        warnings.append('The runs were driven by different protocols: do not compare them.')
    return template(PAGE).render(
        style=STYLE, base=base.name, metrics=list(METRICS.values()), warnings=warnings,
        protocol=base.protocol[:12], curves=curves[curves.index('<svg'):],
        rows=[{
            'name': driver.name, 'inputs': driver.inputs,
            'delay': 'on board' if driver.delay is None else f'{driver.delay:.2f} s',
            'episodes': len(driver.rows),
            'cells': [_cell(mean_of(driver.rows, name)) for name in METRICS],
        } for driver in drivers],
        parts=[{
            'name': driver.name,
            'rows': [_difference(base, driver, name, title) for name, title in METRICS.items()],
        } for driver in drivers[1:]],
    )


def _difference(base: Driver, driver: Driver, name: str, title: str) -> dict[str, Any]:
    found = difference(base, driver, name)
    value = found.estimate
    apart = value.low > 0.0 or value.high < 0.0
    return {
        'title': title, 'pairs': value.count, 'cell': _cell(value, '+.2f'), 'apart': apart,
        'd': _number(found.d, '+.2f'), 'more': _number(found.more, '.0%'),
    }


def _cell(value: Estimate, form: str = '.2f') -> dict[str, str]:
    if not value.count:
        return {'mean': 'none', 'range': ''}
    low, high = _number(value.low, form), _number(value.high, form)
    return {'mean': _number(value.mean, form), 'range': f'{low} to {high}'}


def _number(value: float, form: str) -> str:
    if math.isnan(value):
        return '-'
    return format(value, form) if math.isfinite(value) else f'{value:+}'


def _drives_csv(drivers: Sequence[Driver]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['driver', 'delay', 'scene', 'task', 'index', *METRICS])
    for driver in drivers:
        for row in driver.rows:
            values = [f'{row.values[name]:.6g}' for name in METRICS]
            writer.writerow([
                driver.name, '' if driver.delay is None else driver.delay, row.scene, row.task,
                row.index, *values,
            ])
    return text.getvalue()


def _summary_csv(drivers: Sequence[Driver]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow([
        'driver', 'delay', 'metric', 'drives', 'mean', 'low', 'high', 'pairs', 'difference',
        'difference_low', 'difference_high', 'cohens_d', 'share_more', 'protocol',
    ])
    for driver in drivers:
        for name in METRICS:
            own = mean_of(driver.rows, name)
            found = difference(drivers[0], driver, name)
            apart = found.estimate
            numbers = [own.mean, own.low, own.high]
            others = [apart.mean, apart.low, apart.high, found.d, found.more]
            writer.writerow([
                driver.name, '' if driver.delay is None else driver.delay, name, own.count,
                *(f'{n:.5g}' for n in numbers), apart.count, *(f'{n:.5g}' for n in others),
                driver.protocol[:12],
            ])
    return text.getvalue()
