"""The CSV files of a comparison: every drive, every form, and every figure of the page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from s2e_cli.teleop.comparison import (
    Difference,
    difference,
    load_difference,
    load_of,
    mean_of,
)
from s2e_cli.teleop.drives import LINK, METRICS, Driver
from s2e_teleop.study.workload import SCALES

DRIVES = ('driver', 'kind', 'participant', 'delay', 'scene', 'task', 'index', *METRICS, *LINK,
          'pace')
FORMS = ('driver', 'participant', *SCALES, 'raw_tlx')
SUMMARY = (
    'driver', 'kind', 'delay', 'metric', 'drives', 'mean', 'low', 'high', 'pairs', 'difference',
    'difference_low', 'difference_high', 'cohens_d', 'share_more', 'protocol',
)


def drives_csv(drivers: Sequence[Driver]) -> str:
    """Return a line for each drive."""
    return _csv(DRIVES, (
        [driver.name, driver.kind, _known(row.participant), _known(driver.delay), row.scene,
         row.task, row.index, *(f'{row.values[name]:.6g}' for name in METRICS),
         *(f'{row.link.get(name, math.nan):.6g}' for name in LINK), f'{row.pace:.4g}']
        for driver in drivers for row in driver.rows
    ))


def forms_csv(drivers: Sequence[Driver]) -> str:
    """Return a line for each form."""
    return _csv(FORMS, (
        [driver.name, form.participant, *(f'{form.answers[name]:g}' for name in FORMS[2:])]
        for driver in drivers for form in driver.forms
    ))


def summary_csv(drivers: Sequence[Driver]) -> str:
    """Return every mean, interval, difference from the first driver, and effect size.

    Loads are compared with that of the first driver whom people rated.
    """
    lines = []
    rated = [driver for driver in drivers if driver.forms]
    for driver in drivers:
        head = [driver.name, driver.kind, _known(driver.delay)]
        for name in METRICS:
            own = mean_of(driver.rows, name)
            found = difference(drivers[0], driver, name)
            numbers = [own.count, own.mean, own.low, own.high, *_difference(found)]
            lines.append([*head, name, *map(_number, numbers), driver.protocol[:12]])
        if driver.forms:
            load = load_of(driver.forms, 'raw_tlx')
            found = load_difference(rated[0], driver)
            numbers = [load.count, load.mean, load.low, load.high, *_difference(found)]
            lines.append([*head, 'raw_tlx', *map(_number, numbers), driver.protocol[:12]])
    return _csv(SUMMARY, lines)


def _difference(found: Difference) -> list[float]:
    value = found.estimate
    return [value.count, value.mean, value.low, value.high, found.d, found.more]


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f'{value:.5g}'


def _known(value: float | None) -> str:
    if value is None:
        return ''
    return str(value) if isinstance(value, int) else f'{value:.4f}'


def _csv(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(head)
    writer.writerows(lines)
    return text.getvalue()
