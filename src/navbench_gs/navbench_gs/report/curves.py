"""The table and the curves of a sweep."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from navbench_gs.errors import ReportError
from navbench_gs.runner.plan import write_atomically
from navbench_gs.runner.sweep import AXES, Measured

COLUMNS = {
    'SR': 'success', 'clean_SR': 'collision_free_success', 'RC': 'route_completion',
    'CT': 'collisions',
}
_PER_ROW = 5
_COLOURS = {'empty': '#4a6fd8', 'obstacle': '#8a5a2b', 'pedestrian': '#d4588f',
            'obstacle_pedestrian': '#0b9c8e', 'all': '#1c2430'}


def write_table(measured: Sequence[Measured], path: Path) -> None:
    """Write the CSV: one line for each axis, value and task, with 95 % intervals.

    Raises:
        RunError: the folder cannot be written.
    """
    head = ['axis', 'value', 'task', 'episodes', 'scenes']
    head += [f'{name}{part}' for name in COLUMNS for part in ('', '_low', '_high')]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow([*head, 'protocol'])
    for item in measured:
        part = item.summary
        row: list[Any] = [item.axis, f'{item.value:g}', part.name, part.episodes, part.scenes]
        for metric in COLUMNS.values():
            value = part.metrics[metric]
            row += [f'{number:.4f}' for number in (value.mean, value.low, value.high)]
        writer.writerow([*row, item.protocol[:12]])
    write_atomically(path, text.getvalue())


def draw_curves(measured: Sequence[Measured], title: str, path: Path) -> None:
    """Draw SR and CT over every axis, a line for each task, with bands of 95 %.

    Args:
        measured: Points of a sweep.
        title: Name of the policy.
        path: PNG or SVG.

    Raises:
        ReportError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    axes = list(dict.fromkeys(item.axis for item in measured))
    wide = min(len(axes), _PER_ROW)
    deep = -(-len(axes) // _PER_ROW)
    figure = Figure(figsize=(3.2 * max(wide, 2), 5.4 * deep), layout='constrained')
    grid = figure.subplots(2 * deep, wide, squeeze=False)
    top = 1.05 * max(item.summary.metrics['collisions'].high for item in measured) or 1.0
    for plot in grid.ravel():
        plot.set_visible(False)
    for index, name in enumerate(axes):
        row, column = 2 * (index // _PER_ROW), index % _PER_ROW
        items = [item for item in measured if item.axis == name]
        for plot, (metric, label, limit) in zip(grid[row:row + 2, column], (
            ('success', 'SR', 1.02), ('collisions', 'CT', top),
        ), strict=True):
            _curve(plot, items, metric)
            plot.set(visible=True, ylim=(0.0, limit), ylabel=label if column == 0 else '')
            plot.grid(alpha=0.25)
            plot.spines[['top', 'right']].set_visible(False)
        grid[row + 1, column].set_xlabel(AXES[name].label, fontsize=9)
    # Not every axis has every task: people matter only where there are some.
    fullest = max(grid.ravel(), key=lambda plot: len(plot.lines))
    handles, labels = fullest.get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=5, frameon=False)
    figure.suptitle(title)
    try:
        with mpl.rc_context({'svg.hashsalt': 's2e'}):
            figure.savefig(path, dpi=120)
    except OSError as error:
        raise ReportError(f'{path}: cannot be written: {error.strerror}') from error


def _curve(plot: Any, items: Sequence[Measured], metric: str) -> None:
    """Draw the line and band of each task."""
    for task in dict.fromkeys(item.summary.name for item in items):
        rows = sorted((item.value, item.summary.metrics[metric]) for item in items
                      if item.summary.name == task)
        x = [value for value, _ in rows]
        colour = _COLOURS.get(task, '#777777')
        plot.fill_between(x, [e.low for _, e in rows], [e.high for _, e in rows],
                          color=colour, alpha=0.15, linewidth=0)
        plot.plot(x, [e.mean for _, e in rows], 'o-', color=colour, markersize=3.5,
                  label=task.replace('_', ' + '))
