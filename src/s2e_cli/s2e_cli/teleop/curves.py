"""Plots of a comparison: success against delay, and the load that people felt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from s2e_cli.teleop.comparison import load_of, mean_of
from s2e_cli.teleop.drives import PERSON, SCRIPTED, Driver
from s2e_cli.teleop.figures import figure_bytes
from s2e_teleop.study.workload import SCALES

PANELS = {'success': 'success', 'clean': 'success without contact', 'collisions': 'collisions'}
ON_BOARD = ('#4a6fd8', '#1c2430')
"""Colours of drivers without a delay: a policy alone, and one that a person watches."""
LINES: dict[tuple[str, bool], tuple[str, str, str]] = {
    (SCRIPTED, False): ('#d4588f', 'o-', 'scripted operator (a program), far away'),
    (PERSON, False): ('#0b9c8e', 's-', 'person, far away'),
    (PERSON, True): ('#c98a1b', '^-', 'person, assisted by the gate'),
}
"""Colour, mark and name of drivers far away."""


def draw_curves(drivers: Sequence[Driver], form: str = 'svg') -> bytes:
    """Return a picture of each panel's metric over the delay, with 95 % intervals.

    Args:
        drivers: What is drawn.
        form: svg or pdf.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.6), layout='constrained')
    for plot, (metric, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(),
                                     strict=True):
        _panel(plot, drivers, metric)
        plot.set(title=title, xlabel='picture and command on their way, s')
        plot.set_ylim(0.0, 1.02 if metric != 'collisions' else None)
        plot.set_xlim(left=0.0)
        plot.grid(alpha=0.25)
        plot.spines[['top', 'right']].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=3, frameon=False)
    return figure_bytes(figure, form)


def _panel(plot: Any, drivers: Sequence[Driver], metric: str) -> None:
    for driver, colour in zip((d for d in drivers if d.delay is None), ON_BOARD, strict=False):
        value = mean_of(driver.rows, metric)
        if value.count:
            name = driver.name.partition('@')[0]
            plot.axhline(value.mean, color=colour, label=f'{name}, on board')
            plot.axhspan(value.low, value.high, color=colour, alpha=0.12, linewidth=0)
    for (kind, assisted), (colour, mark, name) in LINES.items():
        points = [
            (driver.delay, mean_of(driver.rows, metric)) for driver in drivers
            if (driver.kind, driver.assisted) == (kind, assisted)
            and driver.delay is not None and math.isfinite(driver.delay)
        ]
        points = sorted((p for p in points if p[1].count), key=lambda point: point[0])
        if points:
            means = [value.mean for _, value in points]
            bars = [[max(0.0, v.mean - v.low) for _, v in points],
                    [max(0.0, v.high - v.mean) for _, v in points]]
            plot.errorbar([delay for delay, _ in points], means, yerr=bars, fmt=mark,
                          color=colour, capsize=3, markersize=4, label=name)


def draw_load(drivers: Sequence[Driver], form: str = 'svg') -> bytes:
    """Return bars of the six scales and of their mean for each way to drive that was rated.

    Args:
        drivers: Those with forms.
        form: svg or pdf.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.6), layout='constrained')
    plot = figure.subplots()
    names = (*SCALES, 'raw_tlx')
    width = 0.8 / max(len(drivers), 1)
    for number, driver in enumerate(drivers):
        values = [load_of(driver.forms, name) for name in names]
        x = np.arange(len(names)) + (number - (len(drivers) - 1) / 2) * width
        bars = [[max(0.0, v.mean - v.low) for v in values],
                [max(0.0, v.high - v.mean) for v in values]]
        plot.bar(x, [v.mean for v in values], 0.9 * width, yerr=bars, capsize=2,
                 label=driver.name, error_kw={'linewidth': 1})
    plot.set_xticks(np.arange(len(names)), [*SCALES, 'raw TLX'])
    plot.set_ylim(0.0, 100.0)
    plot.grid(alpha=0.25, axis='y')
    plot.spines[['top', 'right']].set_visible(False)
    figure.legend(loc='outside lower center', ncols=4, frameon=False)
    return figure_bytes(figure, form)
