"""KITTI odometry: numbered images, `calib.txt`, poses of the left camera, perhaps `times.txt`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.sources.folder import FileImages, has_images, image_files
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.poses import nanoseconds, planar_track, read_poses, read_table
from s2e_training.data.sources.recording import Recording, Track
from s2e_training.errors import TrainingError

IMAGE_FOLDERS = ('image_2', 'image_l', 'image_0', 'image_left', 'images')
PROJECTIONS = {'image_2': 2}
"""Which projection of `calib.txt` a folder has; the first for the others."""
RATE = 10.0
"""Images per second of the KITTI odometry recordings."""
MOUNT = CameraMount(0.0, 0.0, 1.65, 0.0)
"""Cameras of the KITTI car: 1.65 m above the road; base_link is put below them."""


def find_folder(root: Path) -> Path | None:
    """Return the folder of images, or None."""
    return next((root / name for name in IMAGE_FOLDERS if has_images(root / name)), None)


def is_kitti(root: Path) -> bool:
    """Whether a folder looks like a sequence of KITTI."""
    return (root / 'calib.txt').is_file() and find_folder(root) is not None


def read_kitti(root: Path, options: SourceOptions) -> Recording:
    """Open a sequence.

    Raises:
        TrainingError: A file is missing or damaged, or counts differ.
    """
    folder = find_folder(root)
    if folder is None:
        raise TrainingError(f'{root}: holds none of the folders {", ".join(IMAGE_FOLDERS)}')
    images = FileImages(image_files(folder))
    width, height = images.size()
    own = read_calibration(root / 'calib.txt', PROJECTIONS.get(folder.name, 0), width, height)
    stamps, notes = _stamps(root, len(images.files), options)
    mount = options.mount or MOUNT
    if options.mount is None:
        notes.append('camera 1.65 m above the road, as on the KITTI car')
    track, note = _track(root, stamps, mount, options)
    return Recording(
        root.resolve().name, 'kitti', stamps, images, options.camera_for(width, height, own),
        mount, track, options.licence, tuple(notes + ([note] if note else [])),
        {'images': folder.name, **plain(options)},
    )


def read_calibration(path: Path, camera: int, width: int, height: int) -> CameraModel:
    """Read a projection matrix; its rows may begin with a name such as `P0:`.

    Raises:
        TrainingError: Missing, or no 12 numbers in a line.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f'{path}: cannot be read: {error}') from error
    rows = [line.split(':')[-1].split() for line in lines if line.strip()]
    if camera >= len(rows) or len(rows[camera]) != 12:
        raise TrainingError(f'{path}: line {camera + 1} must hold a 3x4 projection matrix')
    try:
        k = np.array(rows[camera], np.float64).reshape(3, 4)[:, :3].ravel()
    except ValueError as error:
        raise TrainingError(f'{path}: line {camera + 1}: {error}') from error
    return CameraModel.from_calibration(width, height, list(k), '', ())


def _stamps(root: Path, count: int, options: SourceOptions) -> tuple[np.ndarray, list[str]]:
    times = root / 'times.txt'
    if times.is_file() and options.rate is None:
        seconds = read_table(times)[:, 0]
        if len(seconds) < count:
            raise TrainingError(f'{times}: must have {count} stamps, got {len(seconds)}')
        return nanoseconds(seconds[:count]), []
    rate = options.rate or RATE
    return nanoseconds(np.arange(count) / rate), [f'no stamps: {rate:g} images per second assumed']


def _track(
    root: Path, stamps: np.ndarray, mount: CameraMount, options: SourceOptions
) -> tuple[Track | None, str]:
    here = root.absolute()
    usual = (here / 'poses.txt', here.parent.parent / 'poses' / f'{here.name}.txt')
    path = options.path() or next((p for p in usual if p.is_file()), None)
    if path is None:
        return None, ''
    _, poses = read_poses(path)
    if len(poses) < len(stamps):
        raise TrainingError(
            f'{path}: must have a pose for each of {len(stamps)} images, got {len(poses)}'
        )
    poses = poses[:len(stamps)].copy()
    poses[:, :3, 3] *= options.scale
    return planar_track(stamps, poses, mount if options.body == 'camera' else None)
