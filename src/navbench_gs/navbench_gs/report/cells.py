"""Numbers and tables as reports show them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.interval import wilson
from navbench_gs.metrics.summary import PROPORTIONS, Summary

COLUMNS = {
    'SR': ('success', 2), 'collision-free SR': ('collision_free_success', 2),
    'RC': ('route_completion', 2), 'CT': ('collisions', 2), 'SPL': ('spl', 2),
    'time s': ('duration', 1), 'clearance m': ('clearance', 2),
    'TTC s': ('ttc', 1), 'intrusion s': ('intrusion', 1), 'jerk': ('jerk', 1),
    'freezing': ('freezing', 2),
}
"""Columns of the tables: metric and digits."""
TILES = {
    'Success rate': 'success', 'Collision-free success': 'collision_free_success',
    'Route completion': 'route_completion', 'Collisions per episode': 'collisions',
}
"""Headline numbers."""


def tile(name: str, value: Estimate) -> dict[str, Any]:
    """Return a headline number with its interval on a track from 0 to 1."""
    share = name != 'Collisions per episode'
    low, high = 100 * max(value.low, 0.0), 100 * min(value.high, 1.0)
    return {
        'name': name, 'value': number(value.mean, 2), 'range': bounds(value, 2) + ' (95 %)',
        'track': share and math.isfinite(value.mean), 'low': round(low, 1),
        'span': round(max(high - low, 0.5), 1), 'at': round(100 * value.mean, 1),
    }


def row(part: Summary) -> dict[str, Any]:
    """Return a line of a table of tasks or runs."""
    cells = [
        {'mean': number(part.metrics[m].mean, digits), 'range': bounds(part.metrics[m], digits)}
        for m, digits in COLUMNS.values()
    ]
    causes = ', '.join(f'{count} {cause}' for cause, count in part.causes.items())
    return {
        'name': part.name.replace('_', ' + '), 'kind': part.name if part.name == 'all' else '',
        'episodes': part.episodes, 'cells': cells, 'causes': causes,
    }


def interval_note(parts: Sequence[Summary]) -> str:
    """Say what the intervals are, and what they cannot say.

    Args:
        parts: Every summary that is shown; the last one decides whether there is one scene.
    """
    if parts[-1].scenes == 1:
        return (
            'Small print below each mean: 95 % interval; Wilson for rates, bootstrap over '
            'episodes for the rest. One scene: the intervals say nothing about other scenes.'
        )
    note = (
        'Small print below each mean: 95 % interval by hierarchical bootstrap over scenes, then '
        'episodes.'
    )
    return ' '.join(filter(None, [note, width_note(parts)]))


def width_note(parts: Sequence[Summary]) -> str:
    """Say how far rates without width may be off; nothing where there is none.

    Where all episodes end alike the bootstrap draws the same again and again.
    """
    counts = [
        value.count for part in parts for name in PROPORTIONS
        if (value := part.metrics[name]).count and value.low == value.high
    ]
    if not counts:
        return ''
    count = min(counts)
    return (
        'Where an interval has no width all its episodes ended alike: it is not certainty. '
        f"Wilson's interval of {count} such episodes reaches {wilson(0, count)[1]:.2f} from the "
        'end.'
    )


def latency_table(latency: Any) -> dict[str, Any] | None:
    """Turn {'stage': {'p50': ms, ...}} into a table."""
    if not isinstance(latency, Mapping) or not latency:
        return None
    stages = {name: value for name, value in latency.items() if isinstance(value, Mapping)}
    columns = list(dict.fromkeys(key for value in stages.values() for key in value))
    rows = [
        {'name': name, 'cells': [plain(value.get(key, '')) for key in columns]}
        for name, value in stages.items()
    ]
    return {'columns': columns, 'rows': rows} if rows else None


def number(value: float, digits: int) -> str:
    """Return a number with so many digits, a dash for none."""
    return f'{value:.{digits}f}' if math.isfinite(value) else '-'


def bounds(value: Estimate, digits: int) -> str:
    """Return the interval as '0.10 to 0.30'."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return ''
    return f'{value.low:.{digits}f} to {value.high:.{digits}f}'


def plain(value: Any) -> str:
    """Return a value of a record."""
    return f'{value:.1f}' if isinstance(value, float) else str(value)
