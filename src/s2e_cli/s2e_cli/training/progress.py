"""Lines that say how far recording and pre-training are."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from s2e_training.data.record import Recorded
    from s2e_training.pretrain.trainer import Progress

EVERY = 20
"""Steps between two lines of a training."""


class DriveLines:
    """A line for each recorded drive."""

    def __init__(self, total: int) -> None:
        """Start counting.

        Args:
            total: Drives in all.
        """
        self._total, self._started = total, time.monotonic()
        self._drives = self._arrived = self._touched = 0
        self.samples = 0

    def __call__(self, item: Recorded) -> None:
        """Print a drive."""
        self._drives += 1
        self.samples += item.samples
        self._arrived += item.arrived
        self._touched += item.touched
        minutes = (time.monotonic() - self._started) / 60
        note = f'  skipped: {item.skipped}' if item.skipped else ''
        print(
            f'{self._drives:5d}/{self._total} {item.name:44s} {item.samples:4d} samples  '
            f'{self.samples / minutes:6.0f} samples/min  '
            f'arrived {self._arrived / self._drives:.0%} '
            f'touched {self._touched / self._drives:.0%}{note}',
            flush=True,
        )


def count_line(text: str, done: int, total: int, stream: TextIO) -> None:
    """Say how far something is: in one line of a terminal, in a file ten times in all."""
    if stream.isatty():
        print(f'\r{text}', end='\n' if done == total else '', file=stream, flush=True)
    elif done * 10 // total > (done - 1) * 10 // total:
        print(text, file=stream, flush=True)


def encoded_line(done: int, total: int) -> None:
    """Say how many clips are encoded."""
    count_line(f'encoded {done}/{total} clips', done, total, sys.stdout)


class StepLines:
    """A line for every twentieth step of training and for each validation."""

    def __init__(self) -> None:
        """Wait for the first step."""
        self._before: int | None = None

    def __call__(self, p: Progress) -> None:
        """Print a step, if its turn has come."""
        if self._before is None:
            self._before = p.step - 1
        if p.step % EVERY and p.validation is None:
            return
        each = p.seconds / (p.step - self._before)
        print(
            f'step {p.step}/{p.steps}  loss {p.loss["total"]:.3f}  '
            f'nll {p.loss["likelihood"]:.2f}  score {p.loss["score"]:.3f}  '
            f'{each:.2f} s/step  ETA {(p.steps - p.step) * each / 60:.0f} min',
            flush=True,
        )
        if p.validation is not None:
            v = p.validation
            print(
                f'  validation: loss {v["loss"]:.3f}  ADE 2 s {v["ade_2.0"]:.3f} m  '
                f'FDE 2 s {v["fde_2.0"]:.3f} m (best of 6 {v["best_fde_2.0"]:.3f}, straight '
                f'{v["straight_fde_2.0"]:.3f})  direction {v["direction"]:.1f} deg (straight '
                f'{v["straight_direction"]:.1f})', flush=True,
            )
