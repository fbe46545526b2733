"""Images as the graphs want them."""

from __future__ import annotations

import numpy as np


def image_tensor(images: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Turn images into a tensor.

    Args:
        images: RGB. [..., H, W, 3] uint8
        out: Memory for the result, contiguous; new memory when left out. [..., 3, H, W] float32

    Returns:
        RGB in [0, 1]. [..., 3, H, W] float32
    """
    planes = np.moveaxis(images, -1, -3)
    if out is None:
        out = np.empty(planes.shape, np.float32)
    return np.multiply(planes, np.float32(1.0 / 255.0), out=out, dtype=np.float32)
