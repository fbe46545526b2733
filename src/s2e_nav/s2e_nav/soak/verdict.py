"""What a soak's table says: does anything grow, does anything slow down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from s2e_nav.soak.table import column, processes

Level = Literal['ok', 'warn', 'fail', 'skip']
Table = Sequence[Mapping[str, float | str]]

GROWTH = 2.0
"""MB an hour that a process may seem to grow by: 24 MB in a night. A leak of 120 bytes an image,
at 5 images a second, is more."""
STEP = 0.5
"""MB by which memory must have risen in all to be a slope: in a minute or two a single step of the
allocator, some 100 kB, is megabytes an hour."""
SETTLED = 5.0
"""Minutes after the warm-up without which growth is no slope: the half minute that `incidents`
keeps fills up, and takes longer to on a busy machine."""
WARM_UP = (1 / 3, 15.0)
"""Share of the soak, and at most so many minutes, that is left out of trends: caches and queues
fill, the allocator finds its size."""
SHORT = 2.0
"""Minutes in which no goal need be reached."""
LEAST = 12
"""Rows after that without which there is no trend."""
CONFIDENCE = 0.95
CHANCE = 0.01
"""A trend that chance makes more often than this is none."""
MORE_LATE = 0.01
"""Share of deadlines by which the last third must miss more than the first to matter."""


@dataclass(frozen=True)
class Trend:
    """A straight line through a column that outliers do not bend (Theil 1950, Sen 1968)."""

    slope: float
    """Of the column, per hour."""
    low: float
    high: float
    """95 % interval of the slope."""
    chance: float
    """How often chance alone makes a trend like this (Kendall's test)."""


@dataclass(frozen=True)
class Verdict:
    """One line of the report."""

    name: str
    level: Level
    text: str
    fix: str = ''


def trend(minutes: np.ndarray, values: np.ndarray) -> Trend | None:
    """Fit a line to what follows the warm-up; None if that is too short. [N], [N]"""
    settled = after_warm_up(minutes) & np.isfinite(values)
    if int(settled.sum()) < LEAST:
        return None
    x, y = minutes[settled] / 60.0, values[settled]
    slope, _, low, high = stats.theilslopes(y, x, CONFIDENCE)
    chance = 1.0 if np.ptp(y) == 0.0 else float(stats.kendalltau(x, y).pvalue)
    return Trend(float(slope), float(low), float(high), chance)


def after_warm_up(minutes: np.ndarray) -> np.ndarray:
    """Mark the rows that trends are made of. [N] bool"""
    end = minutes[-1] if len(minutes) else 0.0
    return minutes > min(WARM_UP[0] * end, WARM_UP[1])


def judge(table: Table, restarts: Sequence[str], asked: float) -> list[Verdict]:
    """Judge a table.

    Args:
        table: Rows.
        restarts: Names of processes that were started again.
        asked: Minutes that were asked for.
    """
    minutes = column(table, 'minutes')
    found = [_drive(table, asked), _restarts(restarts)]
    for name in processes(table):
        found += [_memory(name, minutes, table), _handles(name, minutes, table)]
    found += [
        _deadlines('policy', 'plans', minutes, table),
        _deadlines('gate', 'commands', minutes, table),
        _latency(minutes, table),
    ]
    return found


def _drive(table: Table, asked: float) -> Verdict:
    reached, goals = column(table, 'reached').sum(), column(table, 'goals').sum()
    lasted = float(column(table, 'minutes')[-1]) if table else 0.0
    text = f'{lasted:.1f} of {asked:g} minutes, {reached:.0f} of {goals:.0f} goals reached'
    level: Level = 'ok' if reached else 'skip' if lasted < SHORT else 'fail'
    if table and not column(table, 'plans').sum():
        # However short: what follows would be figures of a robot that stood.
        text, level = f'{text}; not one plan came', 'fail'
    return Verdict('drive', level, text, 'see launch.log')


def _restarts(restarts: Sequence[str]) -> Verdict:
    if not restarts:
        return Verdict('processes', 'ok', 'none ended')
    return Verdict('processes', 'fail', f'started again: {", ".join(restarts)}', 'see launch.log')


def _memory(name: str, minutes: np.ndarray, table: Table) -> Verdict:
    rss = column(table, f'{name}_rss_mb')
    title, line = f'memory of {name}', trend(minutes, rss)
    if line is None:
        return Verdict(title, 'skip', f'{_last(rss):.0f} MB; too short to judge')
    text = (f'{_last(rss):.0f} MB, {line.slope:+.2f} MB an hour ({line.low:+.2f} to '
            f'{line.high:+.2f}), allowed {GROWTH:g}')
    settled = minutes[after_warm_up(minutes)]
    lasted = float(settled[-1] - settled[0])
    if line.slope <= GROWTH:
        return Verdict(title, 'ok', text)
    if lasted < SETTLED or line.slope * lasted / 60.0 < STEP:
        return Verdict(title, 'skip', f'{text}: too short to tell a leak from what fills up')
    halves = _halves(minutes, rss)
    if halves and halves[1] <= GROWTH:
        # A leak goes on; buffers fill, and the allocator takes a step now and then.
        text += f'; {halves[0]:+.2f} in the first half, {halves[1]:+.2f} in the second: it ended'
        return Verdict(title, 'ok', text)
    return Verdict(title, 'fail', text, 'this leaks: report it')


def _halves(minutes: np.ndarray, values: np.ndarray) -> list[float]:
    """Return the slopes an hour of both halves after the warm-up; none where they are short."""
    settled = after_warm_up(minutes) & np.isfinite(values)
    x, y = minutes[settled] / 60.0, values[settled]
    if len(x) < 2 * LEAST:
        return []
    middle = len(x) // 2
    return [float(stats.theilslopes(part_y, part_x)[0]) for part_x, part_y in
            ((x[:middle], y[:middle]), (x[middle:], y[middle:]))]


def _handles(name: str, minutes: np.ndarray, table: Table) -> Verdict:
    """Threads and files are whole numbers that have no reason to change."""
    words, grew = [], False
    for what in ('threads', 'files'):
        settled = column(table, f'{name}_{what}')[after_warm_up(minutes)]
        settled = settled[np.isfinite(settled)]
        if len(settled) < LEAST:
            return Verdict(f'handles of {name}', 'skip', 'too short to judge')
        first, last = np.median(settled[:4]), np.median(settled[-4:])
        words.append(f'{last:.0f} {what}')
        grew |= bool(last > first)
    text = ', '.join(words) + (', more than at first' if grew else ', as at first')
    return Verdict(f'handles of {name}', 'fail' if grew else 'ok', text, 'this leaks: report it')


def _deadlines(name: str, what: str, minutes: np.ndarray, table: Table) -> Verdict:
    total, late = column(table, what), column(table, f'{what}_late')
    share = np.divide(late, total, out=np.full(len(total), np.nan), where=total > 0)
    title = f'deadlines of {name}'
    overall = late.sum() / max(total.sum(), 1.0)
    text = f'{late.sum():.0f} of {total.sum():.0f} missed ({overall:.2%})'
    line = trend(minutes, share)
    if line is None:
        return Verdict(title, 'skip', f'{text}; too short for a trend')
    settled = share[after_warm_up(minutes)]
    third = max(len(settled) // 3, 1)
    more = np.nanmean(settled[-third:]) - np.nanmean(settled[:third])
    if more <= MORE_LATE or line.chance > CHANCE:
        return Verdict(title, 'ok', f'{text}, no trend')
    text += f', {more:.1%} more at the end than at first'
    machine = trend(minutes, column(table, 'machine_late_p99_ms'))
    if machine is not None and machine.slope > 0 and machine.chance < CHANCE:
        return Verdict(title, 'warn', f'{text}; so was the machine', 'try on an idle machine')
    return Verdict(title, 'fail', text, 'this slows down: report it')


def _latency(minutes: np.ndarray, table: Table) -> Verdict:
    values = column(table, 'latency_p95_ms')
    text = ', '.join(
        f'p{q} {np.nanmedian(column(table, f"latency_p{q}_ms")):.1f}' for q in (50, 95, 99)
    ) if np.isfinite(values).any() else 'no image was answered'
    late = column(table, 'machine_late_p99_ms')
    told = column(table, 'command_latency_p50_ms')
    if np.isfinite(told).any():
        whole = np.nanmedian(column(table, 'command_latency_p99_ms'))
        text += f' ms, to the command p50 {np.nanmedian(told):.1f}, p99 {whole:.1f}'
    text = f'image to plan {text} ms; the machine itself {np.nanmedian(late):.1f} ms late (p99)' \
        if np.isfinite(late).any() else text
    line = trend(minutes, values)
    if line is None:
        return Verdict('latency', 'skip', f'{text}; too short for a trend')
    return Verdict('latency', 'ok', f'{text}; p95 {line.slope:+.1f} ms an hour')


def _last(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else float('nan')
