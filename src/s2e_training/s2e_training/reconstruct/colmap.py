"""COLMAP's sparse model: lenses, poses and points, from its text or binary files."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import quat2mat

from s2e_training.errors import TrainingError

LENSES = {
    'SIMPLE_PINHOLE': (0, 3), 'PINHOLE': (1, 4), 'SIMPLE_RADIAL': (2, 4), 'RADIAL': (3, 5),
    'OPENCV': (4, 8),
}
"""Number in binary files and count of parameters of each kind of lens that is read."""
MAX_BYTES = 4_000_000_000
NEAR = 0.02
"""Near plane as a part of the median distance from the cameras to the points."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lens:
    """A camera with pixel (0, 0) covering [0, 1) x [0, 1)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float]
    """k1, k2, p1, p2."""


@dataclass(frozen=True)
class PhotoPose:
    """Where a photo was taken."""

    name: str
    lens: int
    pose: Floats
    """`[4, 4]` model <- optical."""


@dataclass(frozen=True)
class Model:
    """Poses and points of one reconstruction, in its own units."""

    lenses: dict[int, Lens]
    photos: list[PhotoPose]
    """In the order of names."""
    points: Floats
    """`[P, 3]`."""
    colours: NDArray[np.uint8]
    """`[P, 3]` RGB."""

    @property
    def centres(self) -> Floats:
        """`[N, 3]` where the photos were taken."""
        return np.array([photo.pose[:3, 3] for photo in self.photos])

    @property
    def distance(self) -> float:
        """Median distance from the middle of the cameras to the points, model units."""
        return float(np.median(np.linalg.norm(self.points - self.centres.mean(0), axis=1)))

    @property
    def near(self) -> float:
        """Distance within which nothing is drawn, model units."""
        return NEAR * self.distance


def find_model(folder: Path) -> Path | None:
    """Return the folder of a model in or beside a folder of photos, or None."""
    near = (Path(), Path('sparse/0'), Path('sparse'), Path('../sparse/0'), Path('../sparse'))
    for place in (folder / part for part in near):
        if any((place / f'cameras{kind}').is_file() for kind in ('.bin', '.txt')):
            return place
    return None


def read_model(folder: Path) -> Model:
    """Read `cameras`, `images` and `points3D` as .bin, else as .txt.

    Raises:
        TrainingError: A file is missing, damaged or names another kind of lens.
    """
    kind = '.bin' if (folder / 'cameras.bin').is_file() else '.txt'
    reader = _Binary if kind == '.bin' else _Text
    try:
        lenses = dict(reader(folder / f'cameras{kind}').lenses())
        photos = sorted(reader(folder / f'images{kind}').photos(), key=lambda photo: photo.name)
        rows = list(reader(folder / f'points3D{kind}').points())
    except OSError as error:
        raise TrainingError(f'{error.filename}: cannot be read: {error.strerror}') from error
    for photo in photos:
        if photo.lens not in lenses:
            raise TrainingError(f'{folder}: {photo.name} names lens {photo.lens}, which is absent')
    if len(photos) < 3 or len(rows) < 50:
        raise TrainingError(
            f'{folder}: needs 3 photos and 50 points or more, got {len(photos)} and {len(rows)}'
        )
    table = np.array(rows, dtype=np.float64)
    if not np.isfinite(table).all():
        raise TrainingError(f'{folder}: points must be finite')
    return Model(lenses, photos, table[:, :3], table[:, 3:].clip(0, 255).astype(np.uint8))


def _lens(path: Path, kind: str, width: int, height: int, values: tuple[float, ...]) -> Lens:
    """Build a lens from COLMAP's parameters, whose meaning depends on the kind."""
    if len(values) != LENSES[kind][1]:
        raise TrainingError(
            f'{path}: {kind} has {LENSES[kind][1]} parameters, got {len(values)}'
        )
    two = kind in ('PINHOLE', 'OPENCV')
    fx, fy = values[0], values[1 if two else 0]
    rest = values[2:] if two else values[1:]
    k1, k2, p1, p2 = (*rest[2:], 0.0, 0.0, 0.0, 0.0)[:4]
    sound = all(map(math.isfinite, values)) and min(fx, fy) > 0
    if not sound or not (1 <= width <= 65535 and 1 <= height <= 65535):
        raise TrainingError(f'{path}: {kind} must be finite with a size, got {width} x {height}, '
                            f'{values}')
    return Lens(width, height, fx, fy, rest[0], rest[1], (k1, k2, p1, p2))


def _photo(path: Path, name: str, lens: int, quat: list[float], shift: list[float]) -> PhotoPose:
    """Build a pose from COLMAP's optical <- model."""
    length = math.sqrt(sum(value * value for value in quat))
    if not (all(map(math.isfinite, [*quat, *shift])) and length > 1e-6):
        raise TrainingError(f'{path}: the pose of {name} must be finite, got {quat} {shift}')
    if Path(name).is_absolute() or '..' in Path(name).parts:
        raise TrainingError(f'{path}: photos must lie in their folder, got {name!r}')
    pose = np.eye(4)
    turn = quat2mat(np.array(quat) / length)
    pose[:3, :3] = turn.T
    pose[:3, 3] = -turn.T @ np.array(shift)
    return PhotoPose(name, lens, pose)


class _Text:
    """The .txt form."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MAX_BYTES:
            raise TrainingError(f'{path}: may have {MAX_BYTES} bytes')
        self._path = path

    def _lines(self) -> Iterator[str]:
        with self._path.open(encoding='utf-8', errors='replace') as stream:
            for line in stream:
                if not line.startswith('#'):
                    yield line.strip()

    def _bad(self, line: str) -> TrainingError:
        return TrainingError(f'{self._path}: is not a line of this file: {line[:80]!r}')

    def lenses(self) -> Iterator[tuple[int, Lens]]:
        for line in filter(None, self._lines()):
            words = line.split()
            if len(words) > 1 and words[1] not in LENSES:
                raise TrainingError(f'{self._path}: lens must be one of {", ".join(LENSES)}, got '
                                    f'{words[1]}')
            try:
                number, width, height = int(words[0]), int(words[2]), int(words[3])
                values = tuple(map(float, words[4:]))
            except (ValueError, IndexError) as error:
                raise self._bad(line) from error
            yield number, _lens(self._path, words[1], width, height, values)

    def photos(self) -> Iterator[PhotoPose]:
        lines = self._lines()
        for line in lines:
            if not line:
                continue
            words = line.split(maxsplit=9)
            try:
                quat, shift = [float(w) for w in words[1:5]], [float(w) for w in words[5:8]]
                lens, name = int(words[8]), words[9]
            except (ValueError, IndexError) as error:
                raise self._bad(line) from error
            # The next line, which may be empty, lists the points seen.
            next(lines, '')
            yield _photo(self._path, name, lens, quat, shift)

    def points(self) -> Iterator[list[float]]:
        for line in filter(None, self._lines()):
            try:
                row = [float(word) for word in line.split(maxsplit=7)[1:7]]
            except ValueError as error:
                raise self._bad(line) from error
            if len(row) != 6:
                raise self._bad(line)
            yield row


class _Binary:
    """The .bin form, little endian."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MAX_BYTES:
            raise TrainingError(f'{path}: may have {MAX_BYTES} bytes')
        self._path, self._data, self._at = path, path.read_bytes(), 0

    def _take(self, form: str) -> tuple[float, ...]:
        size = struct.calcsize(form)
        self._need(size)
        values = struct.unpack_from(form, self._data, self._at)
        self._at += size
        return values

    def _need(self, size: int) -> None:
        if self._at + size > len(self._data):
            raise TrainingError(f'{self._path}: ends early, at byte {len(self._data)}')

    def _skip(self, size: int) -> None:
        self._need(size)
        self._at += size

    def lenses(self) -> Iterator[tuple[int, Lens]]:
        kinds = {number: (kind, count) for kind, (number, count) in LENSES.items()}
        for _ in range(int(self._take('<Q')[0])):
            number, model, width, height = map(int, self._take('<IiQQ'))
            if model not in kinds:
                raise TrainingError(f'{self._path}: lens must be one of {", ".join(LENSES)}, got '
                                    f'number {model}')
            kind, count = kinds[model]
            yield number, _lens(self._path, kind, width, height, self._take(f'<{count}d'))

    def photos(self) -> Iterator[PhotoPose]:
        for _ in range(int(self._take('<Q')[0])):
            _, *values = self._take('<I7d')
            lens = int(self._take('<I')[0])
            end = self._data.find(b'\0', self._at)
            if end < 0:
                raise TrainingError(f'{self._path}: ends within a name')
            name = self._data[self._at : end].decode('utf-8', errors='replace')
            self._at = end + 1
            # x, y and the number of a point for each spot that was seen.
            self._skip(24 * int(self._take('<Q')[0]))
            yield _photo(self._path, name, lens, values[:4], values[4:])

    def points(self) -> Iterator[list[float]]:
        for _ in range(int(self._take('<Q')[0])):
            _, *row = self._take('<Q3d3Bd')
            self._skip(8 * int(self._take('<Q')[0]))
            yield row[:6]
