"""Images as the graphs want them."""

from __future__ import annotations

import numpy as np


def image_tensor(images: np.ndarray) -> np.ndarray:
    """Turn images into a tensor.

    Args:
        images: RGB. [..., H, W, 3] uint8

    Returns:
        RGB in [0, 1]. [..., 3, H, W] float32
    """
    scaled = images.astype(np.float32) * np.float32(1.0 / 255.0)
    return np.ascontiguousarray(np.moveaxis(scaled, -1, -3))
