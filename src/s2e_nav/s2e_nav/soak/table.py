"""The table of a soak: one row a minute, as numbers and as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2e_nav.soak.meter import Cost
from s2e_nav.soak.watch import Counts

QUANTILES = (50, 95, 99)
REACHED = 'NONE'
"""Name of the code of a goal that was reached."""


@dataclass(frozen=True)
class Row:
    """One row."""

    minutes: float
    """Since the first goal, at the row's end."""
    costs: Mapping[str, Cost]
    """By process."""
    counts: Counts
    stages: Mapping[str, str]
    """Percentiles of the newest 200 images by `STAGE_pNN_ms`, as the policy node reports them."""
    late: Sequence[float]
    """Delays of the machine's own clockwork, seconds."""

    def values(self) -> dict[str, float | str]:
        """Return the row by column."""
        counts = self.counts
        flat: dict[str, float | str] = {'minutes': round(self.minutes, 3)}
        for name, cost in sorted(self.costs.items()):
            flat |= {
                f'{name}_rss_mb': round(cost.rss, 3), f'{name}_cpu_percent': round(cost.cpu, 1),
                f'{name}_threads': cost.threads, f'{name}_files': cost.files,
            }
        flat |= {
            'plans': counts.plans, 'plans_late': counts.plans_late,
            'commands': counts.commands, 'commands_late': counts.commands_late,
            **quantiles('plan_age', counts.ages), **quantiles('machine_late', self.late),
            'machine_late_max_ms': _ms(max(self.late, default=float('nan'))),
            'load': round(os.getloadavg()[0], 2),
            'reached': counts.ends[REACHED], 'goals': counts.ends.total(),
            'ends': _words(counts.ends), 'stops': _words(counts.stops),
        }
        return flat | {key: float(text) for key, text in self.stages.items()}


def quantiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 by column, milliseconds; NaN of nothing."""
    known = np.array(seconds, np.float64)
    found = np.percentile(known, QUANTILES) if len(known) else [float('nan')] * len(QUANTILES)
    return {f'{name}_p{q}_ms': _ms(value) for q, value in zip(QUANTILES, found, strict=True)}


def column(table: Sequence[Mapping[str, float | str]], name: str) -> np.ndarray:
    """Return a column of numbers; NaN where a row has none. [N]"""
    return np.array([float(row.get(name, 'nan')) for row in table], np.float64)


def processes(table: Sequence[Mapping[str, float | str]]) -> list[str]:
    """Name the processes of a table."""
    ending = '_rss_mb'
    names = {name for row in table for name in row if name.endswith(ending)}
    return sorted(name.removesuffix(ending) for name in names)


def write_csv(path: Path, table: Sequence[Mapping[str, float | str]]) -> None:
    """Write the table; columns that came later are empty before."""
    columns = dict.fromkeys(name for row in table for name in row)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(columns), restval='')
        writer.writeheader()
        writer.writerows(table)


def _words(counter: Mapping[str, int]) -> str:
    return ' '.join(f'{name}:{count}' for name, count in sorted(counter.items()))


def _ms(seconds: float) -> float:
    return round(1e3 * float(seconds), 2)
