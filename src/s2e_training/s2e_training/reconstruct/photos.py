"""Photos with poses, as the fit needs them: small, without distortion, as pinholes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from s2e_training.errors import TrainingError
from s2e_training.reconstruct.colmap import Model, PhotoPose

MAX_PIXELS = 100_000_000
"""No phone takes larger photos."""


@dataclass(frozen=True)
class Photo:
    """One photo, ready to be compared with a drawing."""

    name: str
    camera: RenderCamera
    pixels: NDArray[np.uint8]
    """`[H, W, 3]` RGB."""
    valid: NDArray[np.bool_]
    """`[H, W]` where the photo shows something after straightening."""

    def halved(self) -> Photo:
        """Return the photo at half the size; odd last rows and columns are left out."""
        width, height = self.camera.width // 2, self.camera.height // 2
        trimmed = self.pixels[: 2 * height, : 2 * width]
        pixels = cv2.resize(trimmed, (width, height), interpolation=cv2.INTER_AREA)
        cells = self.valid[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
        c = self.camera
        camera = replace(c, width=width, height=height, fx=c.fx / 2, fy=c.fy / 2, cx=c.cx / 2,
                         cy=c.cy / 2)
        return Photo(self.name, camera, np.asarray(pixels, dtype=np.uint8),
                     np.asarray(cells.all(axis=(1, 3))))


def load_photos(folder: Path, model: Model, width: int) -> list[Photo]:
    """Read the photos of a model in the order of their names.

    Args:
        folder: where the photos lie.
        model: their poses and lenses.
        width: pixels to reduce to; smaller photos stay as they are.

    Raises:
        TrainingError: A photo is missing, unreadable or not of the size that its lens has.
    """
    return [_load(folder / pose.name, pose, model, width) for pose in model.photos]


def _load(path: Path, pose: PhotoPose, model: Model, width: int) -> Photo:
    lens = model.lenses[pose.lens]
    if lens.width * lens.height > MAX_PIXELS:
        raise TrainingError(
            f'{path}: may have {MAX_PIXELS} pixels, got {lens.width} x {lens.height}'
        )
    # The model's pixels are those of the file as it lies: no turning by EXIF.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    picture = cv2.imread(str(path), flags) if path.is_file() else None
    if picture is None:
        raise TrainingError(f'{path}: is not a readable picture, but the poses name it')
    if picture.shape[:2] != (lens.height, lens.width):
        raise TrainingError(
            f'{path}: must be {lens.width} x {lens.height} as its lens says, got '
            f'{picture.shape[1]} x {picture.shape[0]}'
        )
    across = min(width, lens.width)
    down = max(1, round(lens.height * across / lens.width))
    sx, sy = across / lens.width, down / lens.height
    camera = RenderCamera(across, down, lens.fx * sx, lens.fy * sy, lens.cx * sx, lens.cy * sy,
                          pose.pose, near=model.near)
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), (across, down),
                       interpolation=cv2.INTER_AREA)
    if not any(lens.distortion):
        return Photo(pose.name, camera, small.astype(np.uint8), np.ones((down, across), bool))
    return _straightened(pose.name, camera, small.astype(np.uint8), lens.distortion)


def _straightened(
    name: str, camera: RenderCamera, small: NDArray[np.uint8], distortion: tuple[float, ...]
) -> Photo:
    """Take the distortion out; what the photo does not show is marked as not valid."""
    # OpenCV has pixel centres at integers.
    lens = np.array([[camera.fx, 0, camera.cx - 0.5], [0, camera.fy, camera.cy - 0.5], [0, 0, 1]])
    size = (camera.width, camera.height)
    maps = cv2.initUndistortRectifyMap(lens, np.array(distortion), np.eye(3), lens, size,
                                       cv2.CV_32FC1)
    pixels = cv2.remap(small, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    limits = np.array(size, dtype=np.float32) - 0.5
    valid = (maps[0] > -0.5) & (maps[0] < limits[0]) & (maps[1] > -0.5) & (maps[1] < limits[1])
    return Photo(name, camera, np.asarray(pixels, dtype=np.uint8), np.asarray(valid))


def split(photos: list[Photo], every: int) -> tuple[list[Photo], list[Photo]]:
    """Return the photos to fit and those held out: each `every`-th from the first; 0 for none."""
    held = [photo for k, photo in enumerate(photos) if every and k % every == 0]
    return [p for k, p in enumerate(photos) if not every or k % every], held
