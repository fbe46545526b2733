"""Pixel buffers as cameras and recordings carry them, to RGB arrays."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from s2e_core.errors import ContractError

CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, '8UC1': 1, '8UC3': 3}
"""Channels by encoding; 8UC3 is blue first, as OpenCV-based drivers send it."""
PACKED = {
    'yuv422': cv2.COLOR_YUV2RGB_UYVY, 'uyvy': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUYV, 'yuyv': cv2.COLOR_YUV2RGB_YUYV,
}
"""Two bytes a pixel, colour shared by pairs; names as in sensor_msgs/image_encodings."""
SWAPPED = {
    'bgr8': cv2.COLOR_BGR2RGB, '8UC3': cv2.COLOR_BGR2RGB, 'bgra8': cv2.COLOR_BGRA2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB, 'mono8': cv2.COLOR_GRAY2RGB, '8UC1': cv2.COLOR_GRAY2RGB,
}
"""What turns the others into RGB, three to nine times faster than NumPy's indexing."""
MOSAICS = {
    'bayer_rggb8': cv2.COLOR_BayerBG2RGB, 'bayer_bggr8': cv2.COLOR_BayerRG2RGB,
    'bayer_gbrg8': cv2.COLOR_BayerGR2RGB, 'bayer_grbg8': cv2.COLOR_BayerGB2RGB,
}
"""A colour each pixel; ROS names the upper left corner's, OpenCV those of its second row."""
MAX_PIXELS = 64_000_000
"""Larger than any camera's image; refused before anything is allocated."""


def knows(encoding: str) -> bool:
    """Whether images of an encoding, as in sensor_msgs/Image, can be read."""
    return encoding in CHANNELS or encoding in PACKED or encoding in MOSAICS


def rgb_from_raw(
    data: Any, height: int, width: int, step: int, encoding: str, out: np.ndarray | None = None
) -> np.ndarray:
    """Read a raw image, honouring encoding and row step. Nothing is copied of plain rgb8.

    Args:
        data: Bytes of the rows, one after the other.
        height: Pixels.
        width: Pixels.
        step: Bytes from one row to the next.
        encoding: As in sensor_msgs/Image: a key of `CHANNELS`, `PACKED` or `MOSAICS`.
        out: Memory that may be written over where pixels must be converted. [H, W, 3] uint8

    Returns:
        Image: `out`, a view of the data, or new memory. [H, W, 3] uint8

    Raises:
        ContractError: Unknown encoding, or sizes that do not agree.
    """
    channels = {**CHANNELS, **dict.fromkeys(PACKED, 2), **dict.fromkeys(MOSAICS, 1)}.get(encoding)
    if channels is None:
        known = ', '.join([*CHANNELS, *PACKED, *MOSAICS])
        why = ' (16 bits a pixel: depth or thermal, not colour)' if '16' in encoding else ''
        raise ContractError(f'image: encoding must be one of {known}, got {encoding!r}{why}')
    row = width * channels
    if not (0 < height * width <= MAX_PIXELS and width > 0):
        raise ContractError(f'image: size {width}x{height} is out of range')
    if encoding in PACKED and width % 2:
        raise ContractError(f'image: {encoding} needs an even width, got {width}')
    if step < row:
        raise ContractError(
            f'image: step must be at least {row} for {width} {encoding} pixels, got {step}'
        )
    # The last row may come without its padding.
    needed = step * (height - 1) + row
    if len(data) < needed:
        raise ContractError(
            f'image: {width}x{height} with step {step} needs {needed} bytes, got {len(data)}'
        )
    flat = np.frombuffer(data, np.uint8)
    rows = np.lib.stride_tricks.as_strided(
        flat, (height, width, channels), (step, channels, 1), writeable=False
    )
    if encoding == 'rgb8':
        return np.ascontiguousarray(rows)
    if encoding in PACKED:
        # OpenCV wants packed pixels without padding.
        return cv2.cvtColor(np.ascontiguousarray(rows), PACKED[encoding], dst=out)
    if encoding in MOSAICS:
        if min(height, width) < 3:
            raise ContractError(f'image: {encoding} needs 3x3 pixels, got {width}x{height}')
        return cv2.cvtColor(rows[..., 0], MOSAICS[encoding], dst=out)
    return cv2.cvtColor(rows, SWAPPED[encoding], dst=out)


def rgb_from_encoded(data: Any, what: str = '') -> np.ndarray:
    """Decode a JPEG, PNG or another picture file's bytes.

    Args:
        data: Bytes.
        what: Name or format, for error messages.

    Returns:
        Image. [H, W, 3] uint8

    Raises:
        ContractError: The bytes are not an 8-bit colour or grey image, or it is too large.
    """
    buffer = np.frombuffer(data, np.uint8)
    named = f' of {what!r}' if what else ''
    if buffer.size == 0:
        raise ContractError(f'image: compressed image{named} without bytes')
    _check_size(encoded_size(buffer))
    try:
        # Turned by EXIF the picture would no longer fit its intrinsics.
        bgr = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ContractError(f'image: cannot be decoded: {error}') from error
    if bgr is None:
        raise ContractError(f'image: {buffer.size} bytes{named} cannot be decoded')
    _check_size((bgr.shape[1], bgr.shape[0]))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr)


def encoded_size(data: np.ndarray) -> tuple[int, int] | None:
    """Read width and height from a PNG's or JPEG's header; None where they are not found.

    A PNG of 200 KB can unpack to gigabytes: the header is asked before the decoder.

    Args:
        data: The file's bytes. [N] uint8
    """
    head = data[:24].tobytes()
    if head[:8] == b'\x89PNG\r\n\x1a\n' and len(head) == 24:
        return int.from_bytes(head[16:20], 'big'), int.from_bytes(head[20:24], 'big')
    if head[:2] != b'\xff\xd8':
        return None
    at = 2
    while at + 9 <= data.size and data[at] == 0xFF:
        marker, length = int(data[at + 1]), int(data[at + 2]) << 8 | int(data[at + 3])
        # Start of frame: C0 to CF, but for DHT, JPG and DAC.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int(data[at + i]) << 8 | int(data[at + i + 1]) for i in (5, 7))
            return width, height
        # Fill bytes before a marker count one by one.
        at += 1 if marker == 0xFF else 2 + length
    return None


def _check_size(size: tuple[int, int] | None) -> None:
    if size is not None and not 0 < size[0] * size[1] <= MAX_PIXELS:
        raise ContractError(f'image: size {size[0]}x{size[1]} is out of range')
