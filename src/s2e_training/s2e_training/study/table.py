"""Results of a study as rows: each training, and what its seeds say together."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from navbench_gs.metrics.estimate import Estimate, estimate
from navbench_gs.metrics.paired import pair
from navbench_gs.metrics.summary import Scored
from navbench_gs.tasks.spec import TASKS
from s2e_training.study.pooled import pooled

METRICS = {'SR': 'success', 'clean_SR': 'collision_free_success', 'CT': 'collisions'}
"""Columns by the metrics they hold."""
ALL = 'all'


@dataclass(frozen=True)
class Measured:
    """A policy in a place."""

    place: str
    variant: str
    seed: int | None
    """Of its training; None for a parent."""
    steps: int
    """Of its training."""
    hours: float
    """Wall time of its training."""
    protocol: str
    scored: Sequence[Scored]
    parent: Sequence[Scored] | None = None
    """The parent in the same place; None for a parent."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    place: str
    variant: str
    seed: str
    """Seed, 'all' for all of them together, '' for a parent."""
    task: str
    """Task, or 'all'."""
    episodes: int
    values: dict[str, Estimate]
    """By column."""
    differences: dict[str, Estimate]
    """Minus the parent in the same episodes, by column; empty for a parent."""
    steps: int
    hours: float
    protocol: str


def rows(measured: Sequence[Measured]) -> list[Row]:
    """Return the rows of each policy, then of each variant's seeds together, stop by stop."""
    found = [row for item in measured for row in _rows([item], _seed(item))]
    groups = dict.fromkeys(
        (item.place, item.variant, item.steps) for item in measured if item.seed is not None
    )
    for group in groups:
        items = [item for item in measured if item.seed is not None
                 and (item.place, item.variant, item.steps) == group]
        if len(items) > 1:
            found += _rows(items, ALL)
    return found


def write_csv(table: Sequence[Row]) -> str:
    """Return the table as CSV; empty fields where a parent has no difference."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    ends = ('', '_low', '_high')
    writer.writerow([
        'place', 'variant', 'seed', 'task', 'episodes',
        *(f'{name}{end}' for name in METRICS for end in ends),
        *(f'{name}_gain{end}' for name in METRICS for end in ends),
        'steps', 'hours', 'protocol',
    ])
    for row in table:
        gains = [n for name in METRICS for n in _numbers(row.differences.get(name))]
        writer.writerow([
            row.place, row.variant, row.seed, row.task, row.episodes,
            *(n for name in METRICS for n in _numbers(row.values[name])), *gains,
            row.steps, f'{row.hours:.3f}', row.protocol[:12],
        ])
    return text.getvalue()


def write_markdown(table: Sequence[Row]) -> str:
    """Return the table for people."""
    heads = ('place', 'variant', 'seed', 'steps', 'task', 'episodes', 'SR', 'clean SR', 'CT',
             'SR gain', 'clean SR gain')
    lines = [f'| {" | ".join(heads)} |', '|---' * len(heads) + '|']
    for row in table:
        cells = [row.place, row.variant, row.seed or '-', str(row.steps), row.task,
                 str(row.episodes)]
        cells += [_cell(row.values[name]) for name in METRICS]
        cells += [_cell(row.differences[name], sign=True) if row.differences else ''
                  for name in ('SR', 'clean_SR')]
        lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines) + '\n'


def _rows(items: Sequence[Measured], seed: str) -> list[Row]:
    present = [task for task in TASKS
               if any(one.spec.task == task for item in items for one in item.scored)]
    found = []
    for task in [*present, *([ALL] if len(present) > 1 else [])]:
        first = items[0]
        own = [_of(item.scored, task) for item in items]
        values = {name: _estimate(own, metric) for name, metric in METRICS.items()}
        gains = {} if any(item.parent is None for item in items) else {
            name: _gain(items, task, metric) for name, metric in METRICS.items()
        }
        found.append(Row(
            first.place, first.variant, seed, task, sum(map(len, own)), values, gains,
            first.steps, sum(item.hours for item in items), first.protocol,
        ))
    return found


def _estimate(groups: Sequence[Sequence[Scored]], metric: str) -> Estimate:
    values = [[(one.spec.scene, float(getattr(one.scores, metric))) for one in group]
              for group in groups]
    if len(values) > 1:
        return pooled(values)
    return estimate(values[0], proportion=metric != 'collisions')


def _gain(items: Sequence[Measured], task: str, metric: str) -> Estimate:
    values = [
        [(a.spec.scene, float(getattr(b.scores, metric)) - float(getattr(a.scores, metric)))
         for a, b in pair(_of(item.parent or (), task), _of(item.scored, task))]
        for item in items
    ]
    return pooled(values) if len(values) > 1 else estimate(values[0])


def _of(scored: Sequence[Scored], task: str) -> list[Scored]:
    return [one for one in scored if task in (ALL, one.spec.task)]


def _seed(item: Measured) -> str:
    return '' if item.seed is None else str(item.seed)


def _numbers(value: Estimate | None) -> list[str]:
    if value is None:
        return ['', '', '']
    return [f'{number:.4f}' for number in (value.mean, value.low, value.high)]


def _cell(value: Estimate, sign: bool = False) -> str:
    form = '+.2f' if sign else '.2f'
    return f'{value.mean:{form}} [{value.low:{form}}, {value.high:{form}}]'
