"""One episode over time: speed, what is left to the goal, and the gap to whatever is nearest."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.metrics.record import TICK, EpisodeLog
from navbench_gs.report.ecdf import round_numbers

WIDTH, ROW = 560.0, 78.0
_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 34.0, 8.0, 4.0, 22.0, 18.0
_EVERY = 4
"""Ticks between two points of a line: 0.2 s."""
_FAR = 3.0
"""Gaps beyond this are not told apart, metres."""
Line = tuple[str, NDArray[np.float64]]


def profile_svg(log: EpisodeLog) -> str:
    """Draw an episode over time.

    Returns:
        An `<svg>` element, self-contained: three rows above one axis of seconds, with a red mark
        in the last where something was touched.
    """
    ticks = log.ticks
    gap = np.minimum(np.minimum(ticks['clearance'], ticks['person_gap']), _FAR)
    left = np.where(np.isfinite(ticks['geodesic']), ticks['geodesic'], np.nan)
    rows: list[tuple[str, Sequence[Line]]] = [
        ('speed, m/s (thin: told)', [('told', ticks['command_v']), ('went', ticks['v'])]),
        ('left to the goal, m', [('left', left)]),
        (f'nearest thing or person, m (up to {_FAR:g})', [('near', gap)]),
    ]
    height = _TOP + len(rows) * (ROW + _GAP) + _BOTTOM
    end = max(log.duration, TICK)
    wide = WIDTH - _LEFT - _RIGHT
    head = (
        f'<svg class="profile" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="{log.spec.id} over time">'
    )
    parts = [head]
    for number, (title, lines) in enumerate(rows):
        top = _TOP + _GAP - 8.0 + number * (ROW + _GAP)
        parts += _row(title, lines, top, wide)
    base = _TOP + _GAP - 8.0 + (len(rows) - 1) * (ROW + _GAP) + ROW
    parts += [
        f'<path class="touch" d="M{_LEFT + wide * first * TICK / end:.1f},{base:.1f} '
        f'h{max(wide * (last - first) * TICK / end, 1.5):.1f}"/>'
        for first, last in _touched(log)
    ]
    for value in round_numbers(0.0, end):
        x = _LEFT + wide * value / end
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 13:.1f}" '
                     f'text-anchor="middle">{value:g} s</text>')
    return ''.join([*parts, '</svg>'])


def _row(title: str, lines: Sequence[Line], top: float, wide: float) -> list[str]:
    """Draw one quantity or two over the whole time."""
    values = np.concatenate([line for _, line in lines])
    values = values[np.isfinite(values)]
    high = max(float(values.max(initial=0.0)), 0.1)
    low = float(values.min(initial=0.0))
    # A robot that settles moves by millimetres: no scale of its own for that.
    low = low if low < -0.05 * high else 0.0
    parts = [f'<text class="tick" x="{_LEFT}" y="{top - 4:.1f}">{title}</text>']
    for value in (low, high):
        y = top + ROW * (high - value) / (high - low)
        parts.append(f'<path class="rule" d="M{_LEFT},{y:.1f} h{wide:.1f}"/>'
                     f'<text class="tick" x="{_LEFT - 5}" y="{y + 3:.1f}" '
                     f'text-anchor="end">{value:.2g}</text>')
    for name, line in lines:
        shown = np.append(line[:-1:_EVERY], line[-1])
        at = np.append(np.arange(0, len(line) - 1, _EVERY), len(line) - 1)
        xs = _LEFT + wide * at / max(len(line) - 1, 1)
        ys = top + ROW * (high - shown) / (high - low)
        way = ' '.join(f'{x:.1f},{y:.1f}' for x, y in zip(xs, ys, strict=True)
                       if math.isfinite(y))
        parts.append(f'<polyline class="over {name}" points="{way}"/>')
    return parts


def _touched(log: EpisodeLog) -> list[tuple[int, int]]:
    """Return first and last tick of each stretch in which something was touched."""
    ticks = sorted({contact.tick for contact in log.contacts})
    spans: list[tuple[int, int]] = []
    for tick in ticks:
        if spans and tick - spans[-1][1] <= 1:
            spans[-1] = spans[-1][0], tick
        else:
            spans.append((tick, tick))
    return spans
