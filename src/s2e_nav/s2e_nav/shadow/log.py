"""The record of a shadow drive: two CSV files and running means."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from s2e_nav.errors import StartError
from s2e_nav.shadow.comparison import PlanScore, Tick

TICK_FILE, PLAN_FILE = 'ticks.csv', 'plans.csv'
TICKS = ('stamp_ns', 'v_policy', 'w_policy', 'v_person', 'w_person', 'dv', 'dw')
PLANS = ('stamp_ns', 'ade', 'fde', 'planned', 'driven')


class ShadowLog:
    """Writes `ticks.csv` and `plans.csv`; a disk that fails ends the files, not the sums."""

    def __init__(self, folder: Path) -> None:
        """Make the files.

        Raises:
            StartError: They exist, or cannot be made.
        """
        self.failure = ''
        self._sums = dict.fromkeys(('dv', 'dw', 'ade', 'fde'), 0.0)
        self._ticks = self._plans = 0
        self._files: list[TextIO] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._tick_rows = self._table(folder / TICK_FILE, TICKS)
            self._plan_rows = self._table(folder / PLAN_FILE, PLANS)
        except OSError as error:
            raise StartError(f'shadow {folder}: {error.strerror} ({error.filename})') from error

    def tick(self, tick: Tick) -> None:
        """Add a pair of velocities."""
        self._ticks += 1
        self._sums['dv'] += abs(tick.dv)
        self._sums['dw'] += abs(tick.dw)
        values = (tick.policy.v, tick.policy.w, tick.person.v, tick.person.w, tick.dv, tick.dw)
        self._write(self._tick_rows, tick.stamp_ns, values)

    def plan(self, score: PlanScore) -> None:
        """Add a plan that was compared."""
        self._plans += 1
        self._sums['ade'] += score.ade
        self._sums['fde'] += score.fde
        values = (score.ade, score.fde, score.planned, score.driven)
        self._write(self._plan_rows, score.stamp_ns, values)

    def facts(self) -> dict[str, str]:
        """Return counts and means of absolute differences, as text for diagnostics."""
        counts = {'dv': self._ticks, 'dw': self._ticks, 'ade': self._plans, 'fde': self._plans}
        means = {
            f'mean_{name}': f'{self._sums[name] / count:.3f}' if count else ''
            for name, count in counts.items()
        }
        return {'ticks': str(self._ticks), 'plans': str(self._plans), **means}

    def flush(self) -> None:
        """Put on disk what was written."""
        for file in self._files:
            try:
                file.flush()
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        """Finish the files."""
        for file in self._files:
            try:
                file.close()
            except OSError as error:
                self._fail(error)

    def _table(self, path: Path, names: tuple[str, ...]) -> Any:
        file = path.open('x', newline='', encoding='utf-8')
        self._files.append(file)
        rows = csv.writer(file)
        rows.writerow(names)
        return rows

    def _write(self, rows: Any, stamp_ns: int, values: tuple[float, ...]) -> None:
        if self.failure:
            return
        try:
            rows.writerow([stamp_ns, *(f'{value:.4f}' for value in values)])
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = f'the log ended: {error.strerror}'
