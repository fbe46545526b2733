"""A mean over a condition with its band of 95 %, in SVG that follows the page's colours."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.report.ecdf import COLOURS, HEIGHT, WIDTH

_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 14.0, 22.0, 26.0
_APART = 26.0
"""Values nearer to each other than this are not all written below the chart, pixels."""

Series = Sequence[tuple[float, Estimate]]


def band_chart(
    title: str, series: Mapping[str, Series], top: float, nominal: float = math.nan
) -> str:
    """Draw a metric over an axis, a line with a band for each task.

    Args:
        title: Of the chart.
        series: Values of the axis, ascending, with the estimates, by task.
        top: Highest number of the scale, which begins at 0.
        nominal: Where the protocol itself lies; marked by a dashed line.

    Returns:
        An `<svg>` element, self-contained.
    """
    values = sorted({value for rows in series.values() for value, _ in rows})
    low, high = values[0], values[-1]
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + wide * ((value - low) / (high - low) if high > low else 0.5)

    def up(value: float) -> float:
        return _TOP + tall * (1.0 - min(max(value / top, 0.0), 1.0))

    name = html.escape(title)
    box = f'0 0 {WIDTH:.0f} {HEIGHT:.0f}'
    parts = [
        f'<svg class="chart" viewBox="{box}" role="img" aria-label="{name}">',
        f'<text class="chart-title" x="{_LEFT}" y="13">{name}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = up(share * top)
        parts.append(f'<path class="rule" d="M{_LEFT},{y:.1f} h{wide:.1f}"/>'
                     f'<text class="tick" x="{_LEFT - 5}" y="{y + 3:.1f}" '
                     f'text-anchor="end">{share * top:.3g}</text>')
    parts += _values_below([(across(value), value) for value in values])
    if low <= nominal <= high:
        parts.append(f'<path class="nominal" d="M{across(nominal):.1f},{_TOP} v{tall:.1f}"/>')
    for index, rows in enumerate(series.values()):
        points = [(across(value), estimate) for value, estimate in rows
                  if math.isfinite(estimate.mean)]
        if points:
            parts += _curve(points, up, COLOURS[index % len(COLOURS)])
    return ''.join([*parts, '</svg>'])


def _curve(
    points: Sequence[tuple[float, Estimate]], up: Callable[[float], float], colour: str
) -> list[str]:
    """Return band, line and dots; a single point gets a bar for its interval."""
    upper = [f'{x:.1f},{up(e.high):.1f}' for x, e in points]
    lower = [f'{x:.1f},{up(e.low):.1f}' for x, e in reversed(points)]
    if len(points) > 1:
        band = f'<polygon class="band" fill="{colour}" points="{" ".join(upper + lower)}"/>'
    else:
        x, e = points[0]
        ends = f'M{x:.1f},{up(e.low):.1f} V{up(e.high):.1f}'
        band = f'<path class="curve" stroke="{colour}" d="{ends}"/>'
    parts = [band]
    way = ' '.join(f'{x:.1f},{up(e.mean):.1f}' for x, e in points)
    parts.append(f'<polyline class="curve" stroke="{colour}" points="{way}"/>')
    parts += [
        f'<circle fill="{colour}" cx="{x:.1f}" cy="{up(e.mean):.1f}" r="2.6"><title>'
        f'{e.mean:.2f} [{e.low:.2f}, {e.high:.2f}]</title></circle>' for x, e in points
    ]
    return parts


def _values_below(places: Sequence[tuple[float, float]]) -> list[str]:
    """Write the measured values, without those that would overlap the one before."""
    parts, last = [], -math.inf
    for x, value in places:
        if x - last >= _APART:
            parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 10:.1f}" '
                         f'text-anchor="middle">{value:g}</text>')
            last = x
    return parts
