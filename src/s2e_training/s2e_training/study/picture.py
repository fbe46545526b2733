"""A study at a glance: rates, gains over parents, with intervals, and curves of trainings."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from s2e_training.errors import TrainingError
from s2e_training.study.stops import draw_stops
from s2e_training.study.table import ALL, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from navbench_gs.metrics.estimate import Estimate

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Steps and values."""

WINDOW = 8
"""Rollouts that a point of a curve is the mean of; single ones hold a few episodes."""
_SHOWN = {'SR': 'success', 'clean_SR': 'success without contact'}
_LOGGED = {'success': 'success, exploring', 'clean_success': 'without contact, exploring'}


def draw_study(
    table: Sequence[Row], logs: Mapping[tuple[str, int], Path], title: str, path: Path,
    against: str = 'the parent',
) -> None:
    """Draw rates, gains where there is something to gain on, and curves where somebody explored.

    Args:
        table: Rows of the study.
        logs: log.csv of each variant and seed.
        title: Name of the study.
        path: PNG or SVG.
        against: What gains are counted from.

    Raises:
        TrainingError: The file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = [row for row in table if row.task == ALL] or list(table)
    gains = [row for row in shown if row.differences]
    curves = {
        key: {column: curve(log, column) for column in _LOGGED} for key, log in logs.items()
    }
    curves = {key: found for key, found in curves.items() if found['success'][0].size}
    heights = [1.2 + 0.35 * len(_labels(rows)) for rows in (shown, gains) if rows]
    stopped = len({row.steps for row in gains}) > 1
    heights += [2.6] * (stopped + bool(curves))
    figure = Figure(figsize=(11.0, 0.8 + sum(heights)), layout='constrained')
    plots = figure.subplots(len(heights), 2, squeeze=False, height_ratios=heights)
    colours = {variant: f'C{index % 10}' for index, variant in enumerate(
        dict.fromkeys(variant for variant, _ in logs)
    )}
    for plot, (column, label) in zip(plots[0], _SHOWN.items(), strict=True):
        _marks(plot, shown, [row.values[column] for row in shown], colours)
        plot.set_title(label, fontsize=9)
        if not gains:
            continue
        below = plots[1][0 if plot is plots[0][0] else 1]
        _marks(below, gains, [row.differences[column] for row in gains], colours)
        below.axvline(0.0, color='#777777', linewidth=1.0)
        below.set_title(f'{label}: gain over {against}', fontsize=9)
    if stopped:
        for plot, (column, label) in zip(
            plots[-2 if curves else -1], _SHOWN.items(), strict=True
        ):
            draw_stops(plot, shown, column, colours)
            plot.set_title(f'{label}, measured', fontsize=9)
        plot.legend(loc='center left', bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    if curves:
        _curves(figure, plots[-1], curves, colours)
    for plot in plots.flat:
        plot.grid(alpha=0.25)
        plot.spines[['top', 'right']].set_visible(False)
    figure.suptitle(title)
    try:
        with mpl.rc_context({'svg.hashsalt': 's2e'}):
            figure.savefig(path, dpi=120)
    except OSError as error:
        raise TrainingError(f'{path}: cannot be written: {error.strerror}') from error


def _curves(
    figure: Figure, plots: Sequence[Axes],
    curves: Mapping[tuple[str, int], Mapping[str, Curve]], colours: Mapping[str, str],
) -> None:
    for plot, (column, label) in zip(plots, _LOGGED.items(), strict=True):
        for (variant, seed), found in sorted(curves.items()):
            first = seed == min(s for v, s in curves if v == variant)
            plot.plot(*found[column], color=colours[variant], linewidth=1.2,
                      label=variant if first else None)
        plot.set(xlabel='environment steps', ylim=(0.0, 1.0))
        plot.set_title(f'{label}; means of {WINDOW} rollouts', fontsize=9)
    figure.legend(*plots[0].get_legend_handles_labels(), loc='outside lower center', ncols=5,
                  frameon=False)


def _labels(rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    return list(dict.fromkeys((row.place, row.variant, row.steps) for row in rows))


def curve(log: Path, column: str) -> Curve:
    """Return steps and a measure of a training's episodes, smoothed over `WINDOW` rollouts.

    Rollouts in which no episode ended do not count; each counts by its episodes. A run that has
    no such column, as of mode sft, gives nothing.
    """
    with log.open(newline='', encoding='utf-8') as file:
        rows = [row for row in csv.DictReader(file) if column in row]
    steps, values, episodes = (
        np.array([float(row[name]) for row in rows]) for name in ('step', column, 'episodes')
    )
    there = episodes > 0
    steps, values, episodes = steps[there], values[there], episodes[there]
    if not len(steps):
        return steps, values
    box = np.ones(min(WINDOW, len(steps)))
    total = np.convolve(values * episodes, box, 'valid')
    return steps[len(box) - 1:], total / np.convolve(episodes, box, 'valid')


def _marks(
    plot: Axes, rows: Sequence[Row], values: Sequence[Estimate], colours: Mapping[str, str]
) -> None:
    """Draw a line for each place, variant and stop: seeds as dots, all of them as a diamond."""
    labels = _labels(rows)
    places = len({place for place, _, _ in labels}) > 1
    stops = len(labels) > len({label[:2] for label in labels})
    for at, label in enumerate(labels):
        group = [(row, value) for row, value in zip(rows, values, strict=True)
                 if (row.place, row.variant, row.steps) == label]
        style: dict[str, Any] = {'color': colours.get(label[1], '#555555')}
        for row, value in group:
            if row.seed == ALL or len(group) == 1:
                plot.plot([value.low, value.high], [at, at], linewidth=2.0, **style)
            mark = 'D' if row.seed == ALL else 'o'
            plot.plot([value.mean], [at], mark, markersize=7 if mark == 'D' else 4,
                      alpha=1.0 if mark == 'D' else 0.6, **style)
    plot.set_yticks(range(len(labels)), [
        variant + f', {steps:,} steps' * (stops and steps > 0) + f', {place}' * places
        for place, variant, steps in labels
    ], fontsize=8)
    plot.set_ylim(len(labels) - 0.5, -0.5)
