"""What a run writes down as it goes: a CSV file, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG = 'log.csv'
EVALUATION = 'evaluation.csv'
"""Closed-loop results over validation scenes, with intervals."""
EVENTS = 'tensorboard'


class Journal:
    """Rows of a run, in order of steps."""

    def __init__(
        self, folder: Path, log: str = LOG, after: int | None = None, group: str = 'training'
    ) -> None:
        """Write into the run's folder.

        Args:
            folder: The run's folder.
            log: Name of the CSV file.
            after: Rows past this step are dropped: a resumed run writes them again.
            group: Name of the curves in TensorBoard.
        """
        self._group = group
        self._path = folder / log
        if after is not None:
            self._drop(after)
        self._events = _events(folder / EVENTS, after)

    def write(self, row: dict[str, float]) -> None:
        """Append one row; it must hold `step`. Columns are those of the first row."""
        fresh = not self._path.is_file()
        with self._path.open('a', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if fresh:
                writer.writeheader()
            writer.writerow({key: round(value, 5) for key, value in row.items()})
        if self._events is not None:
            for key, value in row.items():
                kind, _, rest = key.partition('_')
                name = f'validation/{rest}' if kind == 'val' else f'{self._group}/{key}'
                if key != 'step':
                    self._events.add_scalar(name, value, int(row['step']))
            self._events.flush()

    def _drop(self, after: int) -> None:
        if not self._path.is_file():
            return
        with self._path.open(newline='', encoding='utf-8') as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or [])
            kept = [row for row in reader if int(float(row['step'])) <= after]
        staging = self._path.with_suffix('.tmp')
        with staging.open('w', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, fieldnames=names)
            writer.writeheader()
            writer.writerows(kept)
        staging.replace(self._path)


def _events(folder: Path, after: int | None) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=None if after is None else after + 1)
