"""Distributions of a metric as cumulative curves, in SVG that follows the page's colours."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

from navbench_gs.metrics.summary import Scored

WIDTH, HEIGHT = 300.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 22.0, 24.0
COLOURS = ('#4a6fd8', '#c8372d', '#0b9c8e', '#b8770a', '#8a4fd8', '#d4588f', '#5c6878', '#16803c')
PLOTTED = {
    'route completion': 'route_completion', 'time, s': 'duration', 'collisions': 'collisions',
    'SPL': 'spl', 'least clearance, m': 'clearance', 'nearest person, m': 'person_gap',
    'seconds in contact': 'contact_time', 'jerk, m/s³': 'jerk',
}
"""Metrics whose distributions are drawn."""


def distributions(groups: Mapping[str, Sequence[Scored]]) -> list[str]:
    """Draw each metric, with a curve for each group of episodes.

    Returns:
        `<svg>` elements; metrics without two different finite values are left out.
    """
    drawn = []
    for title, metric in PLOTTED.items():
        values = {
            name: np.array([float(getattr(item.scores, metric)) for item in items])
            for name, items in groups.items()
        }
        finite = {name: row[np.isfinite(row)] for name, row in values.items()}
        everything = np.concatenate([*finite.values(), np.zeros(0)])
        if len(np.unique(everything)) > 1:
            drawn.append(_chart(title, finite, float(everything.min()), float(everything.max())))
    return drawn


def legend(names: Sequence[str]) -> str:
    """Return the colours of groups as the page's legend."""
    return ''.join(
        f'<span style="--c:{COLOURS[index % len(COLOURS)]}">{html.escape(name)}</span>'
        for index, name in enumerate(names)
    )


def _chart(title: str, groups: Mapping[str, np.ndarray], low: float, high: float) -> str:
    """Draw the share of episodes with at most x, for each group."""
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    name, box = html.escape(title), f'0 0 {WIDTH:.0f} {HEIGHT:.0f}'
    parts = [
        f'<svg class="chart" viewBox="{box}" role="img" aria-label="{name}">',
        f'<text class="chart-title" x="{_LEFT}" y="13">{name}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = _TOP + tall * (1.0 - share)
        parts.append(f'<path class="rule" d="M{_LEFT},{y:.1f} h{wide:.1f}"/>'
                     f'<text class="tick" x="{_LEFT - 5}" y="{y + 3:.1f}" '
                     f'text-anchor="end">{share:g}</text>')
    for value in round_numbers(low, high):
        x = _LEFT + wide * (value - low) / (high - low)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 8:.1f}" '
                     f'text-anchor="middle">{value:g}</text>')
    for index, row in enumerate(groups.values()):
        if not len(row):
            continue
        xs = _LEFT + wide * (np.sort(row) - low) / (high - low)
        ys = _TOP + tall * (1.0 - np.arange(1, len(row) + 1) / len(row))
        # Up at each value, then on to the next one, and on to the right edge.
        way = f'M{_LEFT:.1f},{_TOP + tall:.1f}'
        way += ''.join(f'H{x:.1f}V{y:.1f}' for x, y in zip(xs, ys, strict=True))
        parts.append(f'<path class="curve" stroke="{COLOURS[index % len(COLOURS)]}" '
                     f'd="{way}H{_LEFT + wide:.1f}"/>')
    return ''.join([*parts, '</svg>'])


def round_numbers(low: float, high: float) -> list[float]:
    """Return three to six round numbers between two."""
    raw = (high - low) / 4.0
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(scale * factor for factor in (1.0, 2.0, 5.0, 10.0) if scale * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
