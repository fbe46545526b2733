"""Ways to damage bytes, JSON and images."""

from __future__ import annotations

import re
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np

from navbench_gs.splats.image_codec import encode_rgba

Rng = np.random.Generator
_FLOATS = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e20, -1.0, 0.0, 1e-40]
_COUNTS = [0, 1, 2, 255, 65535, 1 << 20, 15_999_999, 16_000_001, 1 << 24, (1 << 31) - 1, 1 << 31]
_COUNTS += [(1 << 32) - 1, (1 << 32) - 16]
_WORDS = [b'0', b'-1', b'99999999999999999999', b'16000000', b'4294967295', b'1e999', b'NaN']
_WORDS += [b'-Infinity', b'1' * 5000, b'"', b'{', b'[' * 3000, b'null', b'true', b'', b'\xff']
_VALUES: list[Any] = [None, True, -1, 0, 1, 2, 3, 10**9, 16_000_000, 10**30, 10**400, 1.5, 1e300]
_VALUES += [-1e300, float('nan'), float('inf'), '', 'a.webp', '../x', '/etc/passwd', 'C:\\x', []]
_VALUES += [
    {},
    [[]],
    [{}],
    ['sh0.webp'],
    [0.0] * 256,
    [16.5] * 3,
    [1e308] * 256,
    'x' * 300,
    'x' * 600,
    '\0',
]
_VALUES += ['\ud800', 'meta.json', 'means_l.webp/', '.', [[[0] * 9] * 99] * 99]


def damage(data: bytes, rng: Rng) -> bytes:
    """Return the bytes with one kind of damage, sometimes with two."""
    damaged = bytearray(data)
    for _ in range(1 + int(rng.random() < 0.2)):
        if damaged:
            damaged = _KINDS[int(rng.integers(len(_KINDS)))](damaged, rng)
    return bytes(damaged)


def _place(data: bytearray, rng: Rng) -> int:
    """Choose a position; half of them in the head, where all decisions are made."""
    reach = len(data) if rng.random() < 0.5 else min(len(data), 160)
    return int(rng.integers(reach))


def _cut(data: bytearray, rng: Rng) -> bytearray:
    return data[: _place(data, rng)]


def _bits(data: bytearray, rng: Rng) -> bytearray:
    for _ in range(int(rng.integers(1, 12))):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return data


def _bytes(data: bytearray, rng: Rng) -> bytearray:
    for _ in range(int(rng.integers(1, 20))):
        data[_place(data, rng)] = int(rng.integers(256))
    return data


def _insert(data: bytearray, rng: Rng) -> bytearray:
    at = _place(data, rng)
    data[at:at] = rng.integers(0, 256, int(rng.integers(1, 60)), dtype=np.uint8).tobytes()
    return data


def _remove(data: bytearray, rng: Rng) -> bytearray:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 60))]
    return data


def _floats(data: bytearray, rng: Rng) -> bytearray:
    """Fill a run, up to all the rest, with one wild float."""
    at = _place(data, rng)
    longest = (len(data) - at) // 4
    run = longest if rng.random() < 0.2 else min(longest, int(rng.integers(1, 5)))
    data[at : at + 4 * run] = np.full(run, rng.choice(_FLOATS), '<f4').tobytes()
    return data


def _count(data: bytearray, rng: Rng) -> bytearray:
    """Put a large or small integer of 2, 4 or 8 bytes somewhere."""
    width = int(rng.choice([2, 4, 4, 4, 8]))
    value = int(rng.choice(_COUNTS)) & ((1 << (8 * width)) - 1)
    at = _place(data, rng)
    at -= at % 4 if rng.random() < 0.7 else 0
    data[at : at + width] = value.to_bytes(width, 'little')
    return data


def _random(data: bytearray, rng: Rng) -> bytearray:
    """Replace all, or all behind the first bytes, by noise."""
    keep = int(rng.choice([0, 2, 4, 16, min(len(data), 64)]))
    noise = rng.integers(0, 256, max(len(data) - keep, 1), dtype=np.uint8).tobytes()
    return data[:keep] + noise


def _repeat(data: bytearray, rng: Rng) -> bytearray:
    start, stop = sorted(int(value) for value in rng.integers(0, len(data) + 1, 2))
    at = int(rng.integers(len(data) + 1))
    data[at:at] = data[start:stop]
    return data


def _flat(data: bytearray, rng: Rng) -> bytearray:
    start, stop = sorted(int(value) for value in rng.integers(0, len(data) + 1, 2))
    data[start:stop] = bytes([int(rng.choice([0, 255]))]) * (stop - start)
    return data


def _word(data: bytearray, rng: Rng) -> bytearray:
    """Replace one of the first numbers that are written as text."""
    found = list(re.finditer(rb'\d+', bytes(data[:2000])))
    if not found:
        return data
    match = found[int(rng.integers(len(found)))]
    data[match.start() : match.end()] = _WORDS[int(rng.integers(len(_WORDS)))]
    return data


def _empty(data: bytearray, rng: Rng) -> bytearray:
    return data[: int(rng.integers(3))]


_KINDS = [_cut, _bits, _bytes, _insert, _remove, _floats, _count, _random, _repeat, _flat, _word]
_KINDS += [_empty]


def damage_json(value: Any, rng: Rng) -> Any:
    """Return a JSON value with one entry, at any depth, replaced, removed or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = str(rng.choice(list(value)))
        if rng.random() < 0.15:
            return {name: entry for name, entry in value.items() if name != key}
        return {**value, key: damage_json(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = int(rng.integers(len(value)))
        if rng.random() < 0.3:
            return value[:at] + value[at + 1 :] if rng.random() < 0.5 else [*value, value[at]]
        return [*value[:at], damage_json(value[at], rng), *value[at + 1 :]]
    return _VALUES[int(rng.integers(len(_VALUES)))]


def png(width: int, height: int, payload: bytes, depth: int = 8, kind: int = 6) -> bytes:
    """Return a PNG of any claimed size around compressed rows that need not fit it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', check)

    head = struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, 0)
    parts = [chunk(b'IHDR', head), chunk(b'IDAT', payload), chunk(b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


# Not at import: OpenCV's threads would not survive the fork that follows.
@cache
def _zeros() -> bytes:
    return zlib.compress(bytes(30_000_000), 9)


@cache
def _large() -> bytes:
    return encode_rgba(np.full((3000, 3000, 4), 255, dtype=np.uint8))


def hostile_image(data: bytes, rng: Rng) -> bytes:
    """Return an image that lies about its size, is another kind of image, or is a bomb."""
    kind = int(rng.integers(6))
    side = int(rng.choice([1, 8, 16, 250, 4096, 16383]))
    if kind == 0 and data[12:16] == b'VP8L':
        size = struct.pack('<I', (side - 1) | (int(rng.integers(16384)) << 14) | (1 << 28))
        return data[:21] + size + data[25:]
    if kind == 1:
        # An extended header that claims up to 2^24 x 2^24 before the real image.
        size = int(rng.integers(1 << 24)).to_bytes(3, 'little')
        extended = b'VP8X' + struct.pack('<I', 10) + bytes([0x10, 0, 0, 0]) + size * 2
        return data[:4] + struct.pack('<I', len(data) + 10) + data[8:12] + extended + data[12:]
    if kind == 2:
        return png(side, int(rng.choice([1, 8, 65535, (1 << 31) - 1])), _zeros())
    if kind == 3:
        rows = zlib.compress(rng.integers(0, 256, 3000, dtype=np.uint8).tobytes(), 1)
        depth, colour = ((1, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 3), (8, 4), (16, 6))[
            int(rng.integers(8))
        ]
        return png(8, 8, rows, depth, colour)
    if kind == 4:
        return _large()
    shape = (int(rng.integers(1, 20)), int(rng.integers(1, 20)), 4)
    return encode_rgba(rng.integers(0, 256, shape, dtype=np.uint8))
