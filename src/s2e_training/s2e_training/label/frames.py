"""Frames of a video file or a folder of photos, by time, as an undistorted pinhole sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from s2e_core.camera import CameraModel
from s2e_core.reprojection import Reprojector
from s2e_training.errors import TrainingError

SUFFIXES = ('.jpg', '.jpeg', '.png')
MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class Frame:
    """One picture."""

    seconds: float
    rgb: np.ndarray
    """[H, W, 3] uint8"""


@dataclass(frozen=True)
class Footage:
    """What is known before decoding."""

    path: Path
    width: int
    height: int
    fps: float
    """Frames per second of the world."""
    count: int
    own_fps: float = 1.0
    """Frames per second that the file claims; counts its frames."""


def open_footage(path: Path, fps: float | None = None) -> Footage:
    """Look at a video, or at a folder of photos taken at `fps`.

    Raises:
        TrainingError: Missing, no video, or a folder without a rate.
    """
    if path.is_dir():
        files = photos(path)
        if fps is None:
            raise TrainingError(f'{path}: a folder of photos needs --fps')
        height, width = _photo(files[0]).shape[:2]
        return Footage(path, width, height, fps, len(files))
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise TrainingError(f'{path}: holds no video stream')
            stream = container.streams.video[0]
            own = float(stream.average_rate or 0)
            rate = fps or own
            length = stream.frames or round(float(container.duration or 0) * 1e-6 * own)
            width, height = stream.width, stream.height
    except (OSError, av.error.FFmpegError) as error:
        raise TrainingError(f'{path}: cannot be read as video: {error}') from error
    even = min(rate, own) >= 0.1 and max(rate, own) <= 1000
    if not even or length < 1 or not 0 < width * height <= MAX_PIXELS:
        raise TrainingError(
            f'{path}: needs 0.1-1000 frames/s and 1-{MAX_PIXELS} pixels, got {rate:g} frames/s, '
            f'{length} frames of {width}x{height}'
        )
    return Footage(path, width, height, rate, length, own)


def photos(folder: Path) -> list[Path]:
    """List the photos of a folder by name.

    Raises:
        TrainingError: There is none.
    """
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise TrainingError(f'{folder}: holds no photo ({", ".join(SUFFIXES)})')
    return found


def read_frames(
    footage: Footage, first: int, last: int, camera: CameraModel, width: int
) -> Iterator[tuple[int, Frame]]:
    """Decode frames `first` to `last` (excluded), shrunk and undistorted.

    Args:
        footage: The source.
        first: Number of the first frame.
        last: Number after the last frame.
        camera: Intrinsics of the source.
        width: Wider images are shrunk to this, pixels.
    """
    view = working_camera(camera, width)
    warp = Reprojector(camera, view)
    for number, rgb in _decode(footage, first, last):
        if rgb.shape[:2] != (camera.height, camera.width):
            raise TrainingError(
                f'{footage.path}: frame {number} must be {camera.width}x{camera.height}, got '
                f'{rgb.shape[1]}x{rgb.shape[0]}'
            )
        yield number, Frame(number / footage.fps, warp(rgb))


def working_camera(camera: CameraModel, width: int) -> CameraModel:
    """Return the pinhole in which odometry sees."""
    pinhole = CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy)
    if camera.width <= width:
        return pinhole
    return pinhole.scaled(width, round(width * camera.height / camera.width))


def _decode(footage: Footage, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
    if footage.path.is_dir():
        for number, path in enumerate(photos(footage.path)[first:last], start=first):
            yield number, _photo(path)
        return
    try:
        with av.open(str(footage.path)) as container:
            stream = container.streams.video[0]
            begin, base = stream.start_time or 0, float(stream.time_base or 1)
            # Lands on the key frame before; a long video is not decoded from its start.
            container.seek(begin + int(first / footage.own_fps / base), stream=stream)
            last_number = first - 1
            for frame in container.decode(stream):
                number = round(((frame.pts or 0) - begin) * base * footage.own_fps)
                if number >= last:
                    return
                if number > last_number:
                    last_number = number
                    yield number, frame.to_ndarray(format='rgb24')
    except av.error.FFmpegError as error:
        raise TrainingError(f'{footage.path}: cannot be decoded: {error}') from error


def _photo(path: Path) -> np.ndarray:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TrainingError(f'{path}: is no picture that can be read')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
