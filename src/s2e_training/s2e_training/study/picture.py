"""A study at a glance: gains over parents, or rates, with intervals, and curves of trainings."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from s2e_training.errors import TrainingError
from s2e_training.study.table import ALL, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 8
"""Rollouts that a point of a curve is the mean of; single ones hold a few episodes."""
_SHOWN = {'SR': 'success', 'clean_SR': 'success without contact'}
_LOGGED = {'success': 'success, exploring', 'clean_success': 'without contact, exploring'}


def draw_study(
    table: Sequence[Row], logs: Mapping[tuple[str, int], Path], title: str, path: Path
) -> None:
    """Draw gains, or rates where there is no parent, by place and variant above training's curves.

    Args:
        table: Rows of the study.
        logs: log.csv of each variant and seed.
        title: Name of the study.
        path: PNG or SVG.

    Raises:
        TrainingError: The file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    gains = any(row.differences for row in table)
    trained = [row for row in table if row.seed and bool(row.differences) == gains]
    trained = [row for row in trained if row.task == ALL] or trained
    labels = list(dict.fromkeys((row.place, row.variant) for row in trained))
    figure = Figure(figsize=(11.0, 3.6 + 0.45 * len(labels)), layout='constrained')
    upper, lower = figure.subplots(2, 2)
    colours = {variant: f'C{index % 10}' for index, variant in enumerate(
        dict.fromkeys(variant for variant, _ in logs)
    )}
    for plot, (column, label) in zip(upper, _SHOWN.items(), strict=True):
        _gains(plot, trained, labels, column, colours)
        what = f'{label}: gain over the parent, same episodes' if gains else label
        plot.set_title(what, fontsize=9)
    for plot, (column, label) in zip(lower, _LOGGED.items(), strict=True):
        for (variant, seed), log in sorted(logs.items()):
            steps, values = curve(log, column)
            plot.plot(steps, values, color=colours[variant], linewidth=1.2,
                      label=variant if seed == min(s for v, s in logs if v == variant) else None)
        plot.set(xlabel='environment steps', ylim=(0.0, 1.0))
        plot.set_title(f'{label}; means of {WINDOW} rollouts', fontsize=9)
    if logs:
        figure.legend(*lower[0].get_legend_handles_labels(), loc='outside lower center',
                      ncols=5, frameon=False)
    for plot in (*upper, *lower):
        plot.grid(alpha=0.25)
        plot.spines[['top', 'right']].set_visible(False)
    figure.suptitle(title)
    try:
        with mpl.rc_context({'svg.hashsalt': 's2e'}):
            figure.savefig(path, dpi=120)
    except OSError as error:
        raise TrainingError(f'{path}: cannot be written: {error.strerror}') from error


def curve(log: Path, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def _gains(
    plot: Axes, trained: Sequence[Row], labels: Sequence[tuple[str, str]], column: str,
    colours: Mapping[str, str],
) -> None:
    places = len({place for place, _ in labels}) > 1
    for at, (place, variant) in enumerate(labels):
        group = [row for row in trained if (row.place, row.variant) == (place, variant)]
        style: dict[str, Any] = {'color': colours.get(variant, 'C0')}
        for row in group:
            value = row.differences.get(column, row.values[column])
            if row.seed == ALL or len(group) == 1:
                plot.plot([value.low, value.high], [at, at], linewidth=2.0, **style)
            mark = 'D' if row.seed == ALL else 'o'
            plot.plot([value.mean], [at], mark, markersize=7 if mark == 'D' else 4,
                      alpha=1.0 if mark == 'D' else 0.6, **style)
    if any(row.differences for row in trained):
        plot.axvline(0.0, color='#777777', linewidth=1.0)
    plot.set_yticks(range(len(labels)), [
        f'{variant}, {place}' if places else variant for place, variant in labels
    ], fontsize=8)
    plot.set_ylim(len(labels) - 0.5, -0.5)
