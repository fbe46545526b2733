"""What a run writes down at each validation: a CSV file, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG = 'log.csv'
EVENTS = 'tensorboard'


class Journal:
    """Rows of a run, in order of steps."""

    def __init__(self, folder: Path) -> None:
        """Write into the run's folder."""
        self._folder = folder
        self._events = _events(folder / EVENTS)

    def write(self, row: dict[str, float]) -> None:
        """Append one row; it must hold `step`. Columns are those of the first row."""
        path = self._folder / LOG
        fresh = not path.is_file()
        with path.open('a', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if fresh:
                writer.writeheader()
            writer.writerow({key: round(value, 5) for key, value in row.items()})
        if self._events is not None:
            for key, value in row.items():
                kind, _, rest = key.partition('_')
                name = f'validation/{rest}' if kind == 'val' else f'training/{key}'
                if key != 'step':
                    self._events.add_scalar(name, value, int(row['step']))
            self._events.flush()


def _events(folder: Path) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
