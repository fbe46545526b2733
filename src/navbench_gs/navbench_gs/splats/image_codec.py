"""Lossless 8-bit RGBA images inside splat files: size checked before anything is decoded."""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.validation import require


def image_size(data: bytes, source: str) -> tuple[int, int]:
    """Return width and height from a WebP or PNG header without decoding.

    Raises:
        SplatFormatError: neither format, or an animation.
    """
    if data[:8] == b'\x89PNG\r\n\x1a\n' and len(data) >= 24:
        width, height = struct.unpack('>II', data[16:24])
        return width, height
    is_webp = len(data) >= 32 and data[:4] == b'RIFF' and data[8:12] == b'WEBP'
    require(is_webp, source, 'must be a WebP or PNG image', f'header {data[:12]!r}')
    chunk = data[12:16]
    if chunk == b'VP8L':
        require(data[20] == 0x2F, source, 'a lossless WebP must start with 0x2f', data[20])
        bits = struct.unpack('<I', data[21:25])[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if chunk == b'VP8X':
        require(not data[20] & 0x02, source, 'must be a still image', 'an animation')
        width = int.from_bytes(data[24:27], 'little') + 1
        return width, int.from_bytes(data[27:30], 'little') + 1
    require(chunk == b'VP8 ', source, 'must be a WebP of a known kind', repr(chunk))
    width, height = struct.unpack('<HH', data[26:30])
    return width & 0x3FFF, height & 0x3FFF


def decode_rgba(data: bytes, source: str, max_pixels: int) -> NDArray[np.uint8]:
    """Decode an image to `[H, W, 4]` RGBA.

    Args:
        data: the file's bytes.
        source: its name for messages.
        max_pixels: larger images are refused before any memory is taken.

    Raises:
        SplatFormatError: too large, truncated or not decodable.
    """
    width, height = image_size(data, source)
    rule = f'the image must hold at most {max_pixels} pixels'
    require(0 < width * height <= max_pixels, source, rule, f'{width} x {height}')
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise SplatFormatError(f'{source}: must decode, got {error.err}') from error
    if image is None or image.dtype != np.uint8:
        raise SplatFormatError(f'{source}: must decode to 8-bit pixels, got a damaged image')
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGRA)
    elif image.shape[2] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    require(
        image.shape[:2] == (height, width), source, 'the size must match its header', image.shape
    )
    return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA))


def encode_rgba(pixels: NDArray[np.uint8]) -> bytes:
    """Encode `[H, W, 4]` RGBA as lossless WebP.

    Pixels of alpha 0 lose their colour (libwebp clears what cannot be seen), all others are
    exact; a gaussian of opacity 0 has no colour to lose, and every other image has alpha >= 252.
    """
    bgra = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
    # A quality above 100 selects OpenCV's lossless path.
    good, data = cv2.imencode('.webp', bgra, [cv2.IMWRITE_WEBP_QUALITY, 101])
    if not good:
        raise SplatFormatError(f'an image of shape {pixels.shape} could not be encoded')
    return data.tobytes()
