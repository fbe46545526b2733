"""donkeycar tubs (version 2): images with steering and throttle, but no poses.

The poses are dead reckoned by a bicycle model from stated assumptions, and flagged so.
"""

from __future__ import annotations

import json
import math
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.sources.folder import FileImages
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.poses import nanoseconds
from s2e_training.data.sources.recording import Recording, Track
from s2e_training.errors import TrainingError

RATE = 20.0
"""Records per second of a donkeycar's drive loop by default."""
FASTEST = 120.0
"""Records per second beyond which the stamps are those of a conversion, not of the drive."""
MAX_BYTES = 4_000_000_000
MOUNT = CameraMount(0.0, 0.0, 0.15, 0.28)
"""Assumed for a tub: 15 cm up; the horizon of the sample images lies 0.28 rad above centre."""
DELAY = 4
"""Records by which the turning seen in the images follows the steering: on the sample tub their
correlation is 0.93 at 4 records (0.2 s at 20 per second), 0.83 at none."""
DIAGONAL = math.radians(160.0)
"""Field of view of the kit's wide-angle camera along the diagonal, after its data sheet."""


class _TubImages(FileImages):
    """Keeps an unpacked archive alive as long as the images are used."""

    def __init__(self, files: list[Path], archive: Any) -> None:
        super().__init__(files)
        self._archive = archive


def is_donkeycar(path: Path) -> bool:
    """Whether a path is a tub, or an archive that is named like one."""
    if path.is_file():
        return path.name.startswith('tub') and path.name.endswith(('.tar.gz', '.tgz', '.tar'))
    return (path / 'manifest.json').is_file() and any(path.glob('catalog_*.catalog'))


def read_donkeycar(path: Path, options: SourceOptions) -> Recording:
    """Open a tub, or a tar archive of one.

    Raises:
        TrainingError: Damaged or too large.
    """
    archive = None
    root = path
    if path.is_file():
        archive, root = _unpack(path)
    records = _records(root)
    files = [_image(root, record) for record in records]
    stamps, notes = _stamps(records, options)
    steering = np.array([_number(r, 'user/angle') for r in records])
    throttle = np.array([_number(r, 'user/throttle') for r in records])
    track = dead_reckon(stamps, steering, throttle, options)
    notes.append(
        f'dead reckoning by a bicycle model: wheelbase {options.wheelbase:g} m, wheels turn '
        f'{options.steering:g} deg at full steering, {options.full_speed:g} m/s at full '
        f'throttle, {DELAY} records of delay'
    )
    images = _TubImages(files, archive)
    width, height = images.size()
    focal = math.hypot(width, height) / DIAGONAL
    own = CameraModel(
        width, height, focal, focal, width / 2, height / 2, 'equidistant', (0.0, 0.0, 0.0, 0.0)
    )
    if options.camera is None and options.hfov is None:
        notes.append('camera assumed: equidistant, 160 deg along the diagonal')
    if options.mount is None:
        notes.append('mount assumed: 0.15 m up, 0.28 rad down')
    return Recording(
        root.name, 'donkeycar', stamps, images, options.camera_for(width, height, own),
        options.mount or MOUNT, track, options.licence, tuple(notes),
        {'dead_reckoning': True, **plain(options)},
    )


def dead_reckon(
    stamps: np.ndarray, steering: np.ndarray, throttle: np.ndarray, options: SourceOptions
) -> Track:
    """Integrate a kinematic bicycle (rear axle): yaw rate = v tan(wheel angle) / wheelbase.

    Args:
        stamps: [N] int64
        steering: -1 (left) to 1 (right). [N]
        throttle: -1 to 1; proportional to speed, which a real motor only roughly is. [N]
        options: Wheelbase, wheel angle at full steering, speed at full throttle.
    """
    v = np.clip(throttle, -1, 1) * options.full_speed
    late = np.concatenate([np.repeat(steering[:1], DELAY), steering])[:len(steering)]
    wheel = -np.clip(late, -1, 1) * math.radians(options.steering)
    w = v * np.tan(wheel) / options.wheelbase
    dt = np.diff(stamps) * 1e-9
    yaw = np.concatenate([[0.0], np.cumsum(w[:-1] * dt)])
    # The chord of each arc points along the mean of its two headings.
    middle = (yaw[1:] + yaw[:-1]) / 2
    x = np.concatenate([[0.0], np.cumsum(v[:-1] * dt * np.cos(middle))])
    y = np.concatenate([[0.0], np.cumsum(v[:-1] * dt * np.sin(middle))])
    return Track(stamps, np.column_stack([x, y, yaw]))


def _unpack(path: Path) -> tuple[Any, Path]:
    keep = tempfile.TemporaryDirectory(prefix='s2e-tub-')
    try:
        with tarfile.open(path) as archive:
            size = 0
            for member in archive:
                size += member.size
                if size > MAX_BYTES:
                    raise TrainingError(f'{path}: may unpack to {MAX_BYTES} bytes, has more')
            archive.extractall(keep.name, filter='data')
    except (tarfile.TarError, OSError, EOFError) as error:
        raise TrainingError(f'{path}: cannot be unpacked: {error}') from error
    found = sorted(Path(keep.name).rglob('manifest.json'))
    if not found:
        raise TrainingError(f'{path}: holds no manifest.json')
    return keep, found[0].parent


def _records(root: Path) -> list[dict[str, Any]]:
    records = []
    for catalog in sorted(root.glob('catalog_*.catalog')):
        if catalog.stat().st_size > MAX_BYTES:
            raise TrainingError(f'{catalog}: may have {MAX_BYTES} bytes')
        try:
            lines = catalog.read_text(encoding='utf-8').splitlines()
            records += [json.loads(line) for line in lines if line.strip()]
        except (ValueError, RecursionError) as error:
            raise TrainingError(f'{catalog}: cannot be read: {error}') from error
    if len(records) < 2 or not all(isinstance(record, dict) for record in records):
        raise TrainingError(f'{root}: holds fewer than two records')
    return sorted(records, key=lambda record: _number(record, '_index'))


def _number(record: dict[str, Any], key: str) -> float:
    value = record.get(key)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TrainingError(f'donkeycar: {key} must be a number, got {value!r:.60}')
    return value


def _image(root: Path, record: dict[str, Any]) -> Path:
    name = record.get('cam/image_array')
    if not isinstance(name, str) or Path(name).name != name:
        raise TrainingError(f'donkeycar: cam/image_array must be a file name, got {name!r:.60}')
    return root / 'images' / name


def _stamps(records: list[dict[str, Any]], options: SourceOptions) -> tuple[np.ndarray, list[str]]:
    rate, notes = options.rate, []
    if rate is None:
        seconds = np.array([_number(record, '_timestamp_ms') for record in records]) / 1000
        found = 1.0 / max(float(np.median(np.diff(seconds))), 1e-6)
        if found <= FASTEST and np.diff(seconds).min() > 0:
            return nanoseconds(seconds), []
        rate = RATE
        notes.append(f'stamps say {found:.0f} records per second, which no camera gives: '
                     f'{rate:g} per second assumed')
    return nanoseconds(np.arange(len(records)) / rate), notes
