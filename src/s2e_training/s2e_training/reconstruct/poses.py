"""Photos, or a video, without poses: pycolmap finds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from s2e_training.errors import TrainingError

PHOTOS = ('.jpg', '.jpeg', '.png')
VIDEOS = ('.mp4', '.mov', '.mkv', '.webm', '.avi')
FRAMES = 90
"""Frames taken from a video: each the sharpest of its stretch."""
LARGEST = 1600
"""Longer edge at which features are sought, pixels."""

Tell = Callable[[str], None]


def take_frames(video: Path, folder: Path, tell: Tell, count: int = FRAMES) -> None:
    """Write the sharpest frame of each of `count` stretches of a video as JPEG.

    Raises:
        TrainingError: The video cannot be read or has fewer than ten frames.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with av.open(str(video)) as container:
            total = sum(1 for _ in container.decode(video=0))
        if total < 10:
            raise TrainingError(f'{video}: needs ten frames or more, got {total}')
        stretch = max(1.0, total / count)
        best: tuple[float, NDArray[np.uint8]] | None = None
        with av.open(str(video)) as container:
            for k, frame in enumerate(container.decode(video=0)):
                picture = np.asarray(frame.to_ndarray(format='bgr24'), dtype=np.uint8)
                sharp = sharpness(picture)
                if best is None or sharp > best[0]:
                    best = (sharp, picture)
                if int((k + 1) / stretch) > int(k / stretch) or k == total - 1:
                    cv2.imwrite(str(folder / f'{int(k / stretch):04d}.jpg'), best[1])
                    best = None
                    tell(f'frames: {k + 1} of {total} read')
    except (av.FFmpegError, OSError) as error:
        raise TrainingError(f'{video}: cannot be read as a video: {error}') from error


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian at a quarter of the size: blur by motion lowers it."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_64F).var())


def find_poses(photos: Path, work: Path, threads: int, in_order: bool, tell: Tell) -> Path:
    """Find the poses of photos taken by one camera.

    Args:
        photos: folder of photos.
        work: folder for features, matches and the model; what is finished there is kept.
        threads: of the CPU.
        in_order: photos follow one another, so only neighbours are compared.
        tell: called with what is being done.

    Returns:
        The folder of the model with most photos.

    Raises:
        TrainingError: pycolmap is missing or finds no model.
    """
    finished = work / 'sparse'
    if (finished / 'cameras.bin').is_file():
        return finished
    pycolmap = _load()
    work.mkdir(parents=True, exist_ok=True)
    database = work / 'database.db'
    database.unlink(missing_ok=True)
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads, extraction.max_image_size = threads, LARGEST
    extraction.use_gpu = False
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads, matching.use_gpu = threads, False
    tell('poses: seeking features')
    pycolmap.extract_features(database, photos, camera_mode=pycolmap.CameraMode.SINGLE,
                              extraction_options=extraction)
    tell('poses: comparing photos')
    compare = pycolmap.match_sequential if in_order else pycolmap.match_exhaustive
    compare(database, matching_options=matching)
    tell('poses: placing photos')
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = threads
    models = pycolmap.incremental_mapping(database, photos, work / 'models', options=options)
    if not models:
        raise TrainingError(
            f'{photos}: pycolmap could place no two photos; they need to overlap by two thirds, '
            'be sharp, and be taken while walking, not turning on the spot'
        )
    largest = max(models.values(), key=lambda model: model.num_reg_images())
    finished.mkdir(exist_ok=True)
    largest.write(finished)
    return finished


def _load() -> Any:
    """Import pycolmap."""
    try:
        import pycolmap
    except ImportError as error:
        raise TrainingError(
            'photos without poses need pycolmap: pip install -r requirements/training.txt; or '
            'give a COLMAP model with --poses'
        ) from error
    return pycolmap
