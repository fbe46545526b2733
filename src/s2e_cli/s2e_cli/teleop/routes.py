"""Route by route: what each driver made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from s2e_cli.teleop.drives import Driver, Row

MOST_ROUTES = 60
"""Rows of the table in the page; drives.csv has all."""


def route_table(drivers: Sequence[Driver]) -> list[dict[str, Any]]:
    """Return a line for each route that more than one driver drove."""
    by_route: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for driver in drivers:
        for row in driver.rows:
            by_route.setdefault((row.route, row.spec), {}).setdefault(driver.name, []).append(row)
    shared = [item for item in sorted(by_route.items()) if len(item[1]) > 1]
    return [
        {'name': name, 'cells': [_cell(rows.get(driver.name, [])) for driver in drivers]}
        for (name, _), rows in shared[:MOST_ROUTES]
    ]


def _cell(rows: Sequence[Row]) -> dict[str, str]:
    if not rows:
        return {'text': '', 'kind': ''}
    reached = sum(row.values['success'] for row in rows)
    clean = sum(row.values['clean'] for row in rows)
    times = [row.values['time'] for row in rows if math.isfinite(row.values['time'])]
    time = f'{np.mean(times):.0f} s' if times else 'not reached'
    touched = sum(row.values['collisions'] for row in rows) / len(rows)
    many = f'{reached:.0f} of {len(rows)}, ' if len(rows) > 1 else ''
    return {
        'text': f'{many}{time}' + (f', {touched:.3g} collisions' if touched else ''),
        'kind': 'plus' if clean == len(rows) else '' if reached else 'minus',
    }
