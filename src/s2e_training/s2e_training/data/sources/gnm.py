"""GNM, ViNT, NoMaD: numbered JPEGs and `traj_data.pkl` with `position` [N, 2] and `yaw` [N]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from s2e_training.data.sources.folder import FileImages, image_files
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.pickled_arrays import read_pickled_arrays
from s2e_training.data.sources.poses import nanoseconds
from s2e_training.data.sources.recording import Recording, Track
from s2e_training.errors import TrainingError

DATA_FILE = 'traj_data.pkl'
RATE = 4.0
"""Images per second to which those projects bring every dataset."""


def is_gnm(root: Path) -> bool:
    """Whether a folder has this form."""
    return (root / DATA_FILE).is_file()


def read_gnm(root: Path, options: SourceOptions) -> Recording:
    """Open a trajectory folder; the pickle is parsed, never executed.

    Raises:
        TrainingError: A refused or damaged pickle, or counts that differ.
    """
    path = root / DATA_FILE
    data = read_pickled_arrays(path)
    files = image_files(root)
    position = _numbers(data, 'position', path)
    yaw = _numbers(data, 'yaw', path).reshape(-1)
    if position.ndim != 2 or position.shape[1] < 2 or len(position) != len(yaw):
        raise TrainingError(
            f'{path}: position must be [N, 2] beside yaw [N], got {position.shape}, {yaw.shape}'
        )
    count = min(len(files), len(yaw))
    notes = []
    if len(files) != len(yaw):
        notes.append(f'{len(files)} images but {len(yaw)} poses: the first {count} are used')
    rate = options.rate or RATE
    if options.rate is None:
        notes.append(f'no stamps: {rate:g} images per second assumed')
    stamps = nanoseconds(np.arange(count) / rate)
    poses = np.column_stack([position[:count, :2] * options.scale, np.unwrap(yaw[:count])])
    images = FileImages(files[:count])
    width, height = images.size()
    return Recording(
        root.resolve().name, 'gnm', stamps, images, options.camera_for(width, height, None),
        options.mount, Track(stamps, poses), options.licence, tuple(notes), plain(options),
    )


def _numbers(data: dict[str, Any], key: str, path: Path) -> np.ndarray:
    if key not in data:
        raise TrainingError(f'{path}: lacks {key!r}, has {sorted(data)}')
    try:
        values = np.asarray(data[key], np.float64)
    except (TypeError, ValueError) as error:
        raise TrainingError(f'{path}: {key} must be numbers: {error}') from error
    if not np.isfinite(values).all():
        raise TrainingError(f'{path}: {key} holds a number that is not finite')
    return values
