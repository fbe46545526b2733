"""Pictures as the published graphs want them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from s2e_policy.errors import PolicyError
from s2e_policy.tensors import image_tensor

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
"""Red, green, blue."""
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)
MAX_PICTURE_BYTES = 50_000_000


def normalised(images: np.ndarray) -> np.ndarray:
    """Scale to [0, 1] and normalise as for ImageNet, for graphs that do not do it themselves.

    Args:
        images: RGB. [..., H, W, 3] uint8

    Returns:
        [..., 3, H, W] float32
    """
    planes = image_tensor(images)
    return (planes - IMAGENET_MEAN[:, None, None]) / IMAGENET_STD[:, None, None]


def stacked(images: np.ndarray) -> np.ndarray:
    """Put the channels of a window behind each other, oldest first. [K, 3, H, W] -> [3K, H, W]"""
    return images.reshape(-1, *images.shape[2:])


def read_picture(path: str) -> np.ndarray:
    """Read a picture.

    Returns:
        RGB. [H, W, 3] uint8

    Raises:
        PolicyError: Missing, too large or no picture.
    """
    file = Path(path)
    if not file.is_file() or file.stat().st_size > MAX_PICTURE_BYTES:
        raise PolicyError(
            f'goal image {path}: must be a file of at most {MAX_PICTURE_BYTES} bytes'
        )
    bgr = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise PolicyError(f'goal image {path}: cannot be read as a picture')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def fitted(rgb: np.ndarray, width: int, height: int, aspect: float) -> np.ndarray:
    """Cut the middle out of a picture so that it shows the policy's aspect, and resize it.

    Args:
        rgb: [H, W, 3] uint8
        width: Of the result, pixels.
        height: Of the result, pixels.
        aspect: Width over height of what is cut out.

    Returns:
        [height, width, 3] uint8
    """
    if rgb.shape[:2] == (height, width):
        return rgb
    h, w = rgb.shape[:2]
    cut_w, cut_h = min(w, round(h * aspect)), min(h, round(w / aspect))
    top, left = (h - cut_h) // 2, (w - cut_w) // 2
    cut = np.ascontiguousarray(rgb[top:top + cut_h, left:left + cut_w])
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA))
