"""TUM RGB-D form: `rgb.txt` names stamped images, a pose file holds the track."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_training.data.sources.folder import FileImages, has_images, image_files
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.paired import track_from_file
from s2e_training.data.sources.poses import nanoseconds
from s2e_training.data.sources.recording import Recording
from s2e_training.errors import TrainingError

POSE_FILES = ('groundtruth.txt', 'poses.txt', 'trajectory.txt')


def is_tum(root: Path) -> bool:
    """Whether a folder looks like a TUM recording, or like images with a pose file."""
    return (root / 'rgb.txt').is_file() or (
        _folder(root) is not None and any((root / name).is_file() for name in POSE_FILES)
    )


def read_tum(root: Path, options: SourceOptions) -> Recording:
    """Open a recording; without `rgb.txt` the images' stamps are their names or follow the rate.

    Raises:
        TrainingError: A file is missing or damaged.
    """
    stamps, files, notes = _images(root, options)
    images = FileImages(files)
    width, height = images.size()
    path = options.path() or next((root / n for n in POSE_FILES if (root / n).is_file()), None)
    track = None
    if path is not None:
        track, note = track_from_file(path, stamps, options)
        notes += [note] if note else []
    return Recording(
        root.resolve().name, 'tum', stamps, images, options.camera_for(width, height, None),
        options.mount, track, options.licence, tuple(notes), plain(options),
    )


def _folder(root: Path) -> Path | None:
    folders = (root / 'rgb', root / 'images', root)
    return next((folder for folder in folders if has_images(folder)), None)


def _images(root: Path, options: SourceOptions) -> tuple[np.ndarray, list[Path], list[str]]:
    listing = root / 'rgb.txt'
    if listing.is_file():
        rows = [
            line.split() for line in listing.read_text(encoding='utf-8').splitlines()
            if line.strip() and not line.startswith('#')
        ]
        try:
            seconds = np.array([float(row[0]) for row in rows])
            files = [_inside(root, row[1], listing) for row in rows]
        except (ValueError, IndexError) as error:
            raise TrainingError(f'{listing}: must hold lines "stamp file": {error}') from error
        if not files:
            raise TrainingError(f'{listing}: names no image')
        return nanoseconds(seconds), files, []
    folder = _folder(root)
    if folder is None:
        raise TrainingError(f'{root}: holds no rgb.txt and no images')
    files = image_files(folder)
    if options.rate is not None:
        note = f'no stamps: {options.rate:g} images per second as given'
        return nanoseconds(np.arange(len(files)) / options.rate), files, [note]
    try:
        # Names of numbers with a point are stamps in seconds; 000012.png is a count.
        named = [float(path.stem) for path in files if '.' in path.stem]
    except ValueError:
        named = []
    if len(named) != len(files):
        raise TrainingError(
            f'{folder}: the images have no stamps; give their rate in images per second'
        )
    order = np.argsort(named)
    return nanoseconds(np.array(named)[order]), [files[i] for i in order], []


def _inside(root: Path, name: str, listing: Path) -> Path:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise TrainingError(f'{listing}: names a file outside of its folder: {name}')
    return path
