"""Images: sensor_msgs/Image and CompressedImage to RGB arrays and back."""

from __future__ import annotations

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from s2e_core.errors import ContractError
from s2e_core.pixels import rgb_from_encoded, rgb_from_raw
from s2e_core.records import CameraFrame
from s2e_nav.convert.bridge import bridged
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError

JPEG_QUALITY = 85
"""60 KB at 640x480; the policy's top mode does not move visibly against the raw image."""


def frame_from_image(message: Image, out: np.ndarray | None = None) -> CameraFrame:
    """Read a raw image, honouring encoding and row step.

    Args:
        message: The image.
        out: Memory that may be written over where pixels must be converted. [H, W, 3] uint8

    Raises:
        ConversionError: Unknown encoding, or sizes that do not agree.
    """
    bridged_rgb = bridged(message)
    if bridged_rgb is not None:
        return CameraFrame(to_ns(message.header.stamp), bridged_rgb)
    try:
        rgb = rgb_from_raw(
            message.data, int(message.height), int(message.width), int(message.step),
            message.encoding, out,
        )
    except ContractError as error:
        raise ConversionError(str(error)) from error
    return CameraFrame(to_ns(message.header.stamp), rgb)


def image_from_frame(frame: CameraFrame, frame_id: str) -> Image:
    """Write a raw rgb8 image."""
    message = Image()
    message.header.stamp = to_time(frame.stamp_ns)
    message.header.frame_id = frame_id
    message.height, message.width = frame.rgb.shape[:2]
    message.encoding = 'rgb8'
    message.is_bigendian = 0
    message.step = message.width * 3
    # Bytes: 0.1 ms at 640x480; a list or a memoryview is copied item by item, 26 to 100 ms.
    message.data = frame.rgb.tobytes()
    return message


def frame_from_compressed(message: CompressedImage) -> CameraFrame:
    """Decode a JPEG or PNG image.

    Raises:
        ConversionError: The bytes are not an 8-bit colour or grey image.
    """
    if 'compressedDepth' in message.format or '16UC1' in message.format:
        raise ConversionError(f'image: a colour image is needed, got format {message.format!r}')
    try:
        rgb = rgb_from_encoded(message.data, message.format)
    except ContractError as error:
        raise ConversionError(str(error)) from error
    return CameraFrame(to_ns(message.header.stamp), rgb)


def compressed_from_frame(
    frame: CameraFrame, frame_id: str, quality: int = JPEG_QUALITY
) -> CompressedImage:
    """Write a JPEG.

    Raises:
        ConversionError: The encoder refused the image.
    """
    bgr = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
    good, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not good:
        raise ConversionError(f'image: JPEG encoder refused {frame.rgb.shape}')
    message = CompressedImage()
    message.header.stamp = to_time(frame.stamp_ns)
    message.header.frame_id = frame_id
    message.format = 'rgb8; jpeg compressed bgr8'
    message.data = data.tobytes()
    return message
