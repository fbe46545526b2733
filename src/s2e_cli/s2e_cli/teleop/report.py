"""The report of a comparison: page, CSV files and plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.report.html import template
from navbench_gs.report.page import STYLE
from navbench_gs.runner.plan import write_atomically
from s2e_cli.teleop.comparison import Difference, difference, load_difference, load_of, mean_of
from s2e_cli.teleop.curves import draw_curves, draw_load
from s2e_cli.teleop.drives import LINK, METRICS, Driver
from s2e_cli.teleop.page import PAGE
from s2e_cli.teleop.reading import read_drivers
from s2e_cli.teleop.routes import MOST_ROUTES, route_table
from s2e_cli.teleop.tables import drives_csv, forms_csv, summary_csv
from s2e_teleop.study.workload import SCALES

FEWEST = 5
"""Pairs from which on a difference may stand out."""
SLOW = 0.9
"""A world slower than this share of real time gave people more time than its clock says."""
LINK_TITLES = {
    'round_trip': 'round trip, ms', 'command_age': 'command, ms', 'glass_to_glass': 'view, ms',
    'frame_rate': 'pictures/s', 'refused': 'commands refused', 'lost': 'lost messages a drive',
}
_MILLISECONDS = ('round_trip', 'command_age', 'glass_to_glass')


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write `compare.html`, `drives.csv`, `summary.csv`, `curves` and, of people, `workload`.

    Returns:
        The page.

    Raises:
        ReportError: A run cannot be read.
        RunError: The folder cannot be written.
    """
    drivers = read_drivers(folders)
    return write_files(drivers, out)


def write_files(drivers: Sequence[Driver], out: Path) -> Path:
    """Write the report of drivers that were read.

    Raises:
        RunError: The folder cannot be written.
    """
    write_atomically(out / 'drives.csv', drives_csv(drivers))
    write_atomically(out / 'summary.csv', summary_csv(drivers))
    rated = [driver for driver in drivers if driver.forms]
    if rated:
        write_atomically(out / 'workload.csv', forms_csv(drivers))
    for form in ('svg', 'pdf'):
        write_atomically(out / f'curves.{form}', draw_curves(drivers, form))
        if rated:
            write_atomically(out / f'workload.{form}', draw_load(rated, form))
    write_atomically(out / 'compare.html', _page(drivers, rated))
    return out / 'compare.html'


def _page(drivers: Sequence[Driver], rated: Sequence[Driver]) -> str:
    base = drivers[0]
    people = sorted({number for driver in drivers for number in driver.participants})
    return template(PAGE).render(
        style=STYLE, base=base.name, metrics=list(METRICS.values()), people=len(people),
        scripted=any(driver.kind == 'scripted operator' for driver in drivers),
        warnings=_warnings(drivers), protocol=base.protocol[:12],
        curves=_inline(draw_curves(drivers)), load=_inline(draw_load(rated)) if rated else '',
        rows=[{
            'name': driver.name, 'inputs': driver.inputs, 'kind': driver.kind,
            'delay': _delay(driver), 'episodes': len(driver.rows),
            'people': len(driver.participants) or '',
            'cells': [_cell(mean_of(driver.rows, name)) for name in METRICS],
        } for driver in drivers],
        parts=[{
            'name': driver.name,
            'rows': [_difference(title, difference(base, driver, name))
                     for name, title in METRICS.items()],
        } for driver in drivers[1:]],
        scales=[*SCALES, 'raw TLX'], calm=rated[0].name if rated else '',
        loads=[{
            'name': driver.name, 'forms': len(driver.forms),
            'apart': _difference('', load_difference(rated[0], driver)),
            'cells': [_cell(load_of(driver.forms, name), '.0f') for name in (*SCALES, 'raw_tlx')],
        } for driver in rated],
        link_titles=list(LINK_TITLES.values()), links=_links(drivers),
        routes=route_table(drivers), most_routes=MOST_ROUTES,
    )


def _inline(svg: bytes) -> str:
    text = svg.decode()
    return text[text.index('<svg'):]


def _delay(driver: Driver) -> str:
    if driver.delay is None:
        return 'on board'
    how = 'measured' if driver.participants else 'by the model'
    return f'{driver.delay:.2f} s {how}' if math.isfinite(driver.delay) else 'not measured'


def _warnings(drivers: Sequence[Driver]) -> list[str]:
    found = []
    if len({driver.protocol for driver in drivers}) > 1:
        found.append('The runs were driven by different protocols: do not compare them.')
    for driver in drivers:
        slow = sum(row.pace < SLOW for row in driver.rows)
        if slow:
            found.append(
                f'{driver.name}: in {slow} of {len(driver.rows)} drives the simulator ran slower '
                f'than {SLOW:g} of real time: links and reactions were quicker, measured in the '
                "world's time, than in earnest."
            )
    return found


def _links(drivers: Sequence[Driver]) -> list[dict[str, Any]]:
    """Return the link statistics of everyone who drove over one: medians over drives."""
    found = []
    for driver in drivers:
        rows = [row for row in driver.rows if row.link]
        if not rows:
            continue
        cells = [_spread([row.link[name] for row in rows], name) for name in LINK]
        found.append({'name': driver.name, 'drives': len(rows), 'cells': cells})
    return found


def _spread(values: Sequence[float], name: str) -> str:
    finite = np.array([value for value in values if math.isfinite(value)])
    if not len(finite):
        return '-'
    scale, form = (1e3, '.0f') if name in _MILLISECONDS else (1.0, '.2g')
    low, middle, high = scale * np.quantile(finite, [0.0, 0.5, 1.0])
    return f'{middle:{form}} ({low:{form}} to {high:{form}})'


def _difference(title: str, found: Difference) -> dict[str, Any]:
    value = found.estimate
    # One pair has an interval of no width; it says nothing.
    apart = value.count >= FEWEST and (value.low > 0.0 or value.high < 0.0)
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
