"""What drivers did and how the link was: rows for a study, written as CSV."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO


@dataclass(frozen=True)
class OperatorInput:
    """One command of a driver, accepted or not."""

    time: float
    """Robot's steady clock, seconds."""
    client: int
    """Number of the page."""
    sequence: int
    press: int
    held: bool
    x: float
    """Stick forward, -1..1."""
    y: float
    """Stick left, -1..1."""
    side: float
    """To the left without turning, -1..1."""
    age: float
    """From the page to the robot, seconds."""
    v: float
    """What went to the gate, m/s."""
    w: float
    """What went to the gate, rad/s."""
    vy: float
    """What went to the gate, m/s."""
    verdict: str
    """What became of it: see `deadman.Verdict`."""


@dataclass(frozen=True)
class LinkSample:
    """The link of one page, once a second."""

    time: float
    """Robot's steady clock, seconds."""
    client: int
    driver: bool
    """Whether this page drives."""
    round_trip: float
    """Median, seconds."""
    clock_offset: float
    """Page's clock less robot's clock, seconds."""
    clock_uncertainty: float
    """Bound of its error, seconds."""
    command_age: float
    """Median age of the newest commands, seconds."""
    commands: int
    """Accepted so far."""
    refused: int
    """Commands not accepted so far."""
    frames_sent: int
    frames_shown: int
    frame_rate: float
    """Pictures shown per second."""
    glass_to_glass: float
    """Median from exposure to screen, seconds, without the screen's own delay."""
    bytes_sent: int
    lost_up: int
    """Messages that the link profile lost on the way to the robot."""
    lost_down: int
    """The same on the way to the driver."""
    transport: str
    """What pictures go by: `websocket` or `webrtc`."""


class Journal:
    """Writes both kinds of rows to a folder."""

    def __init__(self, folder: Path) -> None:
        """Open the files.

        Args:
            folder: Made if it is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._inputs = _Table(folder / 'operator_inputs.csv', OperatorInput)
        self._links = _Table(folder / 'link.csv', LinkSample)

    def add_input(self, row: OperatorInput) -> None:
        """Append a command."""
        self._inputs.add(row)

    def add_link(self, row: LinkSample) -> None:
        """Append a sample of the link; both files are then on disk."""
        self._links.add(row)
        self._inputs.flush()
        self._links.flush()

    def close(self) -> None:
        """Finish both files."""
        self._inputs.close()
        self._links.close()


class _Table:
    def __init__(self, path: Path, cls: type[Any]) -> None:
        self._file: TextIO = path.open('w', encoding='utf-8', newline='')
        self._names = [field.name for field in dataclasses.fields(cls)]
        self._writer = csv.writer(self._file)
        self._writer.writerow(self._names)

    def add(self, row: Any) -> None:
        self._writer.writerow([getattr(row, name) for name in self._names])

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
