"""Images: sensor_msgs/Image and CompressedImage to RGB arrays and back."""

from __future__ import annotations

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from s2e_core.records import CameraFrame
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError

CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, '8UC1': 1, '8UC3': 3}
"""Channels by encoding; 8UC3 is blue first, as OpenCV-based drivers send it."""
MAX_PIXELS = 64_000_000
JPEG_QUALITY = 85
"""60 KB at 640x480; the policy's top mode does not move visibly against the raw image."""


def frame_from_image(message: Image) -> CameraFrame:
    """Read a raw image, honouring encoding and row step.

    Raises:
        ConversionError: Unknown encoding, or sizes that do not agree.
    """
    channels = CHANNELS.get(message.encoding)
    if channels is None:
        raise ConversionError(
            f'image: encoding must be one of {", ".join(CHANNELS)}, got {message.encoding!r}'
        )
    height, width, step = int(message.height), int(message.width), int(message.step)
    row = width * channels
    if not 0 < height * width <= MAX_PIXELS:
        raise ConversionError(f'image: size {width}x{height} is out of range')
    if step < row:
        raise ConversionError(
            f'image: step must be at least {row} for {width} {message.encoding} pixels, '
            f'got {step}'
        )
    # The last row may come without its padding.
    needed = step * (height - 1) + row
    if len(message.data) < needed:
        raise ConversionError(
            f'image: {width}x{height} with step {step} needs {needed} bytes, '
            f'got {len(message.data)}'
        )
    flat = np.frombuffer(message.data, np.uint8)
    rows = np.lib.stride_tricks.as_strided(
        flat, (height, width, channels), (step, channels, 1), writeable=False
    )
    return CameraFrame(to_ns(message.header.stamp), _to_rgb(rows, message.encoding))


def _to_rgb(pixels: np.ndarray, encoding: str) -> np.ndarray:
    """Return contiguous RGB from pixels of the encoding. [H, W, C] -> [H, W, 3]"""
    if encoding in ('mono8', '8UC1'):
        return np.repeat(pixels, 3, axis=2)
    if encoding in ('bgr8', 'bgra8', '8UC3'):
        return np.ascontiguousarray(pixels[..., 2::-1])
    return np.ascontiguousarray(pixels[..., :3])


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
    data = np.frombuffer(message.data, np.uint8)
    if data.size == 0:
        raise ConversionError('image: compressed image without bytes')
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ConversionError(f'image: cannot be decoded: {error}') from error
    if bgr is None:
        raise ConversionError(
            f'image: {data.size} bytes of format {message.format!r} cannot be decoded'
        )
    return CameraFrame(to_ns(message.header.stamp), cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


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
