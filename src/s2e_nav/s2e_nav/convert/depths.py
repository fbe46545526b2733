"""Depth images: sensor_msgs/Image to metres, thinned to what obstacles need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from s2e_core.camera import CameraModel
from s2e_nav.errors import ConversionError

WIDEST = 160
"""Columns kept: 96 bearings over a field of view need no more."""
MOST_PIXELS = 64_000_000
KINDS: dict[str, tuple[np.dtype[Any], float]] = {
    '16UC1': (np.dtype(np.uint16), 1e-3), '32FC1': (np.dtype(np.float32), 1.0),
}
"""Type and metres per unit, as REP-118 has them."""


def depth_from_image(message: Image) -> tuple[NDArray[np.float64], int]:
    """Read a depth image, every k-th pixel of every k-th row.

    Returns:
        **depth**: z along the optical axis, metres; infinite where there is no reading. [H, W]
        **stride**: k.

    Raises:
        ConversionError: Another encoding, or sizes that do not agree.
    """
    if message.encoding not in KINDS:
        raise ConversionError(
            f'depth must be {" or ".join(KINDS)}, got {message.encoding!r:.40}'
        )
    kind, unit = KINDS[message.encoding]
    height, width, step = int(message.height), int(message.width), int(message.step)
    sizes = height > 0 and width > 0 and height * width <= MOST_PIXELS
    if not sizes or step < width * kind.itemsize or len(message.data) < height * step:
        raise ConversionError(
            f'depth of {width}x{height} with step {step} does not fit {len(message.data)} bytes'
        )
    rows = np.frombuffer(message.data, np.uint8, height * step).reshape(height, step)
    values = rows[:, : width * kind.itemsize].view(
        kind.newbyteorder('>' if message.is_bigendian else '<')
    )
    stride = -(-width // WIDEST)
    depth = values[stride // 2 :: stride, stride // 2 :: stride].astype(np.float64) * unit
    depth[~(depth > 0.0)] = np.inf
    return depth, stride


def thinned_camera(camera: CameraModel, stride: int) -> CameraModel:
    """Return the pinhole whose pixels are every k-th of a camera's.

    Raises:
        ConversionError: The camera is distorted; depth must come rectified.
    """
    if camera.distortion:
        raise ConversionError(f'depth must come rectified, got a lens of {camera.model}')
    first = stride // 2
    # The middle of pixel i is at first + i k + 0.5 of the old ones.
    return CameraModel(
        len(range(first, camera.width, stride)), len(range(first, camera.height, stride)),
        camera.fx / stride, camera.fy / stride,
        (camera.cx - first - 0.5) / stride + 0.5, (camera.cy - first - 0.5) / stride + 0.5,
    )
