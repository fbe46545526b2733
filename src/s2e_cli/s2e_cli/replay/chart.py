"""Small line charts as SVG, in the report's colours."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

COLOURS = ('var(--accent)', 'var(--route)', 'var(--warn)', 'var(--bad)')
_W, _H, _LEFT, _RIGHT, _BOTTOM, _TOP = 900.0, 210.0, 56.0, 26.0, 28.0, 10.0
_LINE = 13.0
"""Height of a label, pixels."""


def line_chart(
    x: Sequence[float], series: Mapping[str, Sequence[float]], unit: str,
    marks: Mapping[str, float] | None = None, time_unit: str = 's',
) -> str:
    """Draw lines over time.

    Args:
        x: Times.
        series: Values by name; NaN leaves a gap.
        unit: Of the values.
        marks: Horizontal lines by name, such as percentiles.
        time_unit: Of the times.
    """
    marks = marks or {}
    known = [v for values in series.values() for v in values if math.isfinite(v)]
    top = _nice(max([*known, *marks.values(), 1e-9]))
    span = max(x[-1] - x[0], 1e-9) if len(x) else 1.0
    parts = [_grid(top, unit), _times(x[0] if len(x) else 0.0, span, time_unit)]
    for colour, values in zip(COLOURS, series.values(), strict=False):
        path, pen_up = [], True
        for time, value in zip(x, values, strict=True):
            if not math.isfinite(value):
                pen_up = True
                continue
            px, py = _px((time - x[0]) / span), _py(value / top)
            path.append(f'{"M" if pen_up else "L"}{px:.1f},{py:.1f}')
            pen_up = False
        parts.append(f'<path d="{" ".join(path)}" style="stroke:{colour}"/>')
    parts.append(_marks(marks, top))
    legend = ''.join(
        f'<span style="--c:{colour}">{html.escape(name)}</span>'
        for colour, name in zip(COLOURS, series, strict=False)
    )
    return (
        f'<p class="legend">{legend}</p><svg class="chart" viewBox="0 0 {_W:.0f} {_H:.0f}" '
        f'role="img">{"".join(parts)}</svg>'
    )


def _marks(marks: Mapping[str, float], top: float) -> str:
    """Draw the horizontal lines; labels that would meet are stacked upwards."""
    parts, floor = [], _H
    for name, value in sorted(marks.items(), key=lambda mark: mark[1]):
        y = _py(value / top)
        floor = min(y - 4.0, floor - _LINE)
        parts.append(
            f'<path class="mark" d="M{_LEFT},{y:.1f} H{_W}"/>'
            f'<text x="{_W - 4}" y="{floor:.1f}" text-anchor="end">'
            f'{html.escape(name)} {value:.1f}</text>'
        )
    return ''.join(parts)


def _px(share: float) -> float:
    return _LEFT + share * (_W - _LEFT - _RIGHT)


def _py(share: float) -> float:
    return _H - _BOTTOM - share * (_H - _BOTTOM - _TOP)


def _grid(top: float, unit: str) -> str:
    lines = []
    for k in range(5):
        y = _py(k / 4)
        label = f'{top * k / 4:.4g}' + (f' {unit}' if k == 4 else '')
        lines.append(
            f'<path class="rule" d="M{_LEFT},{y:.1f} H{_W}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{html.escape(label)}</text>'
        )
    return ''.join(lines)


def _times(first: float, span: float, unit: str) -> str:
    step = _nice(span / 6)
    return ''.join(
        f'<text x="{_px(k * step / span):.1f}" y="{_H - 8}" text-anchor="middle">'
        f'{first + k * step:g} {unit}</text>' for k in range(int(span / step + 1e-9) + 1)
    )


def _nice(value: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * f for f in (1.0, 2.0, 2.5, 5.0, 10.0) if power * f >= value * (1 - 1e-9))
