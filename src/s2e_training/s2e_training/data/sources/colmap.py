"""COLMAP text models beside a folder of photos; GPS in the photos gives scale and up."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from transforms3d.quaternions import quat2mat

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.sources.folder import FileImages, image_files
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.poses import nanoseconds, planar_track
from s2e_training.data.sources.recording import Recording
from s2e_training.errors import TrainingError

MODEL_FOLDERS = ('derived_colmap', 'sparse/0', 'sparse', '.')
EARTH = 6_371_000.0
"""Mean radius of the Earth, metres."""
GPS_IFD = 0x8825


def find_model(root: Path) -> Path | None:
    """Return the folder of `cameras.txt` and `images.txt`, or None."""
    folders = (root / name for name in MODEL_FOLDERS)
    return next((f for f in folders if (f / 'images.txt').is_file()), None)


def is_colmap(root: Path) -> bool:
    """Whether a folder has this form."""
    return root.is_dir() and find_model(root) is not None and (root / 'images').is_dir()


def read_colmap(root: Path, options: SourceOptions) -> Recording:
    """Open photos with their reconstruction, in the order of their names.

    Scale is `options.scale` where it is given, else that of the photos' GPS. Stamps follow
    `options.rate`, else `options.speed` along the path.

    Raises:
        TrainingError: Damaged, several cameras, or neither scale nor rate nor speed.
    """
    model = find_model(root)
    if model is None:
        raise TrainingError(f'{root}: holds no images.txt in {", ".join(MODEL_FOLDERS)}')
    placed = read_images(model / 'images.txt')
    files = [path for path in image_files(root / 'images') if path.name in placed]
    if len(files) < 2:
        raise TrainingError(f'{model}: fewer than two of the photos have a pose')
    poses = np.stack([placed[path.name] for path in files])
    notes = []
    scale = options.scale
    if scale == 1.0:
        scale, pairs = gps_scale(files, poses[:, :3, 3])
        notes.append(f'scale {scale:.3f} m per unit from GPS of {pairs} photos')
    poses[:, :3, 3] *= scale
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    if options.rate is not None:
        seconds = np.arange(len(files)) / options.rate
        notes.append(f'no stamps: {options.rate:g} images per second as given')
    elif options.speed is not None:
        seconds = np.concatenate([[0.0], np.cumsum(np.maximum(steps / options.speed, 0.01))])
        notes.append(f'no stamps: a steady {options.speed:g} m/s assumed')
    else:
        raise TrainingError(f'{root}: the photos have no stamps; give a rate or a speed')
    stamps = nanoseconds(seconds)
    images = FileImages(files)
    width, height = images.size()
    mount = options.mount
    track, note = planar_track(stamps, poses, mount or CameraMount(0.0, 0.0, 0.0, 0.0))
    own = read_camera(model / 'cameras.txt', width, height)
    return Recording(
        root.resolve().name, 'colmap', stamps, images,
        options.camera_for(width, height, own), mount, track,
        options.licence, tuple(notes + ([note] if note else [])),
        {**plain(options), 'scale': round(scale, 5)},
    )


def read_images(path: Path) -> dict[str, np.ndarray]:
    """Read world <- camera by the name of the photo. [4, 4] each

    Raises:
        TrainingError: Damaged.
    """
    found = {}
    rows = [line for line in path.read_text(encoding='utf-8').splitlines()
            if not line.startswith('#')]
    # Every pose is followed by a line of points, which may be empty.
    for line in rows[::2]:
        words = line.split()
        if not words:
            continue
        try:
            values = [float(word) for word in words[1:8]]
            name = Path(words[9]).name
        except (ValueError, IndexError) as error:
            raise TrainingError(f'{path}: {line[:60]!r} is no pose: {error}') from error
        if not abs(np.linalg.norm(values[:4]) - 1.0) < 0.05 or not np.isfinite(values).all():
            raise TrainingError(f'{path}: {line[:60]!r} is no pose')
        inverse = np.eye(4)
        inverse[:3, :3], inverse[:3, 3] = quat2mat(values[:4]), values[4:]
        found[name] = np.linalg.inv(inverse)
    return found


def read_camera(path: Path, width: int, height: int) -> CameraModel:
    """Read the only camera; COLMAP puts pixel centres at half, as we do.

    Raises:
        TrainingError: Damaged, several, or a model that is not known.
    """
    rows = [line.split() for line in path.read_text(encoding='utf-8').splitlines()
            if line.strip() and not line.startswith('#')]
    if len(rows) != 1 or len(rows[0]) < 7:
        raise TrainingError(f'{path}: must hold one camera, got {len(rows)}')
    model, size = rows[0][1], (int(rows[0][2]), int(rows[0][3]))
    p = [float(word) for word in rows[0][4:]]
    shared = model in ('SIMPLE_PINHOLE', 'SIMPLE_RADIAL', 'RADIAL')
    if not shared and model not in ('PINHOLE', 'OPENCV'):
        raise TrainingError(f'{path}: camera model {model} is not known')
    fx, fy, cx, cy = (p[0], p[0], p[1], p[2]) if shared else p[:4]
    rest = p[3:] if shared else p[4:]
    distortion = tuple((rest + [0.0] * 4)[:4]) if rest else ()
    camera = CameraModel(*size, fx, fy, cx, cy, 'plumb_bob' if rest else 'pinhole', distortion)
    return camera if size == (width, height) else camera.scaled(width, height)


def gps_scale(files: list[Path], places: np.ndarray) -> tuple[float, int]:
    """Return metres per unit: GPS distance over model distance, summed over pairs of photos.

    Raises:
        TrainingError: Fewer than three photos with GPS over 20 m.
    """
    known = [(i, fix) for i, path in enumerate(files) if (fix := _gps(path)) is not None]
    metres = units = 0.0
    for a, (i, (lat1, lon1)) in enumerate(known):
        for j, (lat2, lon2) in known[a + 1:]:
            north = math.radians(lat2 - lat1) * EARTH
            east = math.radians(lon2 - lon1) * EARTH * math.cos(math.radians(lat1))
            distance = math.hypot(north, east)
            # Phones are off by some metres: short pairs say little.
            if distance > 20.0:
                metres += distance
                units += float(np.linalg.norm(places[j] - places[i]))
    if len(known) < 3 or units <= 0.0:
        raise TrainingError(
            f'{files[0].parent}: the model has no metric scale and the photos no GPS over 20 m; '
            'give the scale'
        )
    return metres / units, len(known)


def _gps(path: Path) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, or None."""
    try:
        with Image.open(path) as picture:
            fix = picture.getexif().get_ifd(GPS_IFD)
        lat, lon = (
            sum(float(part) / 60**k for k, part in enumerate(fix[key])) for key in (2, 4)
        )
    except (OSError, UnidentifiedImageError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (-lat if fix.get(1) == 'S' else lat), (-lon if fix.get(3) == 'W' else lon)
