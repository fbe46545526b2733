"""Files of recorded pedestrian tracks: one line for each person and frame.

Known forms: the ``obsmat.txt`` of the UCY and ETH recordings (frame, id, x, z, y, vx, vz, vy), the
four columns that papers made of them (frame, id, x, y), and tables whose first line names the
columns. Numbers stand between blanks, tabs, commas or semicolons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import TaskError

MAX_BYTES = 64_000_000
"""An hour of 50 people at 25 frames a second takes 50 MB as text."""
MAX_ROWS = 2_000_000
FARTHEST = 1e6
"""Coordinates beyond this are no places of a recording, in the file's unit."""
_NAMES = {
    'frame': ('frame', 'frame_id', 'frame_number', 'frameid'),
    'id': ('id', 'ped_id', 'person_id', 'track_id', 'agent_id', 'pedestrian_id', 'trackid'),
    'x': ('x', 'pos_x', 'x_est', 'x_m'),
    'y': ('y', 'pos_y', 'y_est', 'y_m'),
    'vx': ('vx', 'v_x', 'vel_x', 'vx_est'),
    'vy': ('vy', 'v_y', 'vel_y', 'vy_est'),
    'label': ('label', 'class', 'type', 'agent_type'),
}
_BETWEEN = str.maketrans({',': ' ', ';': ' ', '"': ' '})
_PEOPLE = ('ped', 'pedestrian', 'person')
_FORMS: dict[int, tuple[str, ...]] = {
    4: ('frame', 'id', 'x', 'y'),
    8: ('frame', 'id', 'x', '', 'y', 'vx', '', 'vy'),
}


@dataclass(frozen=True)
class TrackRows:
    """The rows of a file, ordered by person, then frame."""

    frame: NDArray[np.int64]
    """[N]"""
    person: NDArray[np.int64]
    """[N]"""
    xy: NDArray[np.float64]
    """In the file's unit. [N, 2]"""
    velocity: NDArray[np.float64] | None
    """In the file's unit a second, where the file has it. [N, 2]"""


def read_rows(path: Path) -> TrackRows:
    """Read a file of tracks.

    Raises:
        TaskError: naming file, line and rule: the file cannot be read or is too large, a column
            is missing, a number is no number or not finite, a person's frames do not increase.
    """
    table, lines = _table(path, _text(path))
    for column, name in ((0, 'frame'), (1, 'id')):
        whole = np.abs(table[:, column]) < 2**53
        whole &= table[:, column] == np.round(table[:, column])
        _refuse(path, lines, ~whole, lambda i, c=column, n=name: (  # type: ignore[misc]
            f'{n} must be a whole number, got {table[i, c]:g}'))
    _refuse(path, lines, np.abs(table[:, 2:4]).max(axis=1) > FARTHEST, lambda i: (
        f'x and y must lie within {FARTHEST:g}, got {table[i, 2]:g} and {table[i, 3]:g}'))
    frame, person = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    order = np.argsort(person, kind='stable')
    same = person[order][1:] == person[order][:-1]
    back = np.zeros(len(order), bool)
    back[order[1:]] = same & (np.diff(frame[order]) <= 0)
    _refuse(path, lines, back, lambda i: (
        f'frames of person {person[i]} must increase, got {frame[i]} after a frame as late'))
    velocity = table[order, 4:6] if table.shape[1] == 6 else None
    return TrackRows(frame[order], person[order], table[order, 2:4], velocity)


def refuse_size(path: Path) -> None:
    """Refuse what is no file of a size that tracks have.

    Raises:
        TaskError: it is too large, or a device or pipe, which may never end.
        OSError: it is absent.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TaskError(f'{path}: tracks may have {MAX_BYTES} bytes, got {size}')
    if not path.is_file() and not path.is_dir():
        raise TaskError(f'{path}: tracks must be a file, got a device or pipe')


def _text(path: Path) -> list[str]:
    try:
        refuse_size(path)
        return path.read_text(encoding='utf-8-sig').splitlines()
    except OSError as error:
        raise TaskError(f'{path}: cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise TaskError(f'{path}: tracks must be text, got other bytes: {error.reason}') from error


def _table(path: Path, text: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return frame, id, x, y and, where there are such, vx, vy `[N, 4 or 6]`, and line numbers."""
    rows: list[list[float]] = []
    lines: list[int] = []
    columns: dict[str, int] = {}
    count = 0
    for number, line in enumerate(text, 1):
        if not line.strip() or line.lstrip()[0] in '#%':
            continue
        cells = line.translate(_BETWEEN).split()
        if not cells:
            raise TaskError(f'{path}:{number}: must have columns, got {line.strip()[:40]!r}')
        if not columns:
            columns, count = _columns(path, number, cells), len(cells)
            if not _is_number(cells[0]):
                continue
        if len(cells) != count:
            raise TaskError(f'{path}:{number}: must have {count} columns, got {len(cells)}')
        if 'label' in columns and cells[columns['label']].lower() not in _PEOPLE:
            continue
        rows.append(_numbers(path, number, cells, columns))
        lines.append(number)
        if len(rows) > MAX_ROWS:
            raise TaskError(f'{path}: tracks may have {MAX_ROWS} rows, got more')
    if not rows:
        raise TaskError(f'{path}: holds no row of a track')
    return np.array(rows), np.array(lines)


def _columns(path: Path, number: int, cells: Sequence[str]) -> dict[str, int]:
    """Return where each quantity stands, by the names of a header or by the number of columns."""
    if _is_number(cells[0]):
        if len(cells) not in _FORMS:
            raise TaskError(
                f'{path}:{number}: must have 4 columns (frame id x y), 8 (frame id x z y vx vz '
                f'vy) or a first line with their names, got {len(cells)}'
            )
        return {name: k for k, name in enumerate(_FORMS[len(cells)]) if name}
    given = [cell.lower() for cell in cells]
    twice = [word for words in _NAMES.values() for word in words if given.count(word) > 1]
    if twice:
        raise TaskError(f'{path}:{number}: names column {twice[0]} more than once')
    found = {
        name: given.index(word) for name, words in _NAMES.items() for word in words
        if word in given
    }
    for name in ('frame', 'id', 'x', 'y'):
        if name not in found:
            raise TaskError(
                f'{path}:{number}: needs a column {name} (one of {", ".join(_NAMES[name])}), got '
                f'{", ".join(given)[:200]}'
            )
    return found


def _numbers(
    path: Path, number: int, cells: Sequence[str], columns: dict[str, int]
) -> list[float]:
    names = ['frame', 'id', 'x', 'y']
    if 'vx' in columns and 'vy' in columns:
        names += ['vx', 'vy']
    values = []
    for name in names:
        cell = cells[columns[name]]
        try:
            value = float(cell)
        except ValueError:
            raise TaskError(
                f'{path}:{number}: {name} must be a number, got {cell[:40]!r}'
            ) from None
        if not math.isfinite(value):
            raise TaskError(f'{path}:{number}: {name} must be finite, got {cell[:40]}')
        values.append(value)
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _refuse(
    path: Path, lines: NDArray[np.int64], bad: NDArray[np.bool_], say: Callable[[int], str]
) -> None:
    """Raise for the first row that is bad."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise TaskError(f'{path}:{lines[row]}: {say(row)}')
