"""The .ksplat format of the GaussianSplats3D viewer: sections of buckets, three compressions."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import MAX_MEMBER_BYTES, read_limited
from navbench_gs.splats.validation import check_count, cloud_from_file_values, require

HEADER_BYTES = 4096
SECTION_BYTES = 1024
MAX_SECTIONS = 4096
_HEADER = struct.Struct('<BBxxIIIIHxx12xff')
"""Version, sections at most, sections, gaussians at most, gaussians, compression, SH range."""
_SECTION = struct.Struct('<IIIIfHxxIIIIH')
"""Gaussians, at most, bucket size, buckets, bucket edge, bytes a bucket, range, bytes, full
buckets, partly full ones, SH degree."""
_REST = (0, 9, 24)
"""SH values beyond the constant ones, all channels, by degree."""
_RANGES = (1, 32767, 32767)


@dataclass(frozen=True)
class _Section:
    count: int
    capacity: int
    bucket_size: int
    buckets: int
    edge: float
    bucket_bytes: int
    steps: int
    full: int
    partial: int
    degree: int

    def row(self, level: int) -> np.dtype[np.void]:
        """Return the layout of one gaussian at a compression level."""
        real = '<f4' if level == 0 else '<f2'
        place = '<f4' if level == 0 else '<u2'
        harmonic = ('<f4', '<f2', 'u1')[level]
        return np.dtype([
            ('mean', place, 3), ('scale', real, 3), ('rotation', real, 4), ('colour', 'u1', 4),
            ('sh', harmonic, _REST[self.degree]),
        ])  # fmt: skip

    @property
    def index_bytes(self) -> int:
        """Bytes of the buckets' sizes and centres."""
        return 4 * self.partial + self.bucket_bytes * self.buckets


def looks_like_ksplat(path: Path, head: bytes) -> bool:
    """Say whether a file can be a .ksplat: it has no magic number, only a sound header."""
    if not path.is_file() or len(head) < HEADER_BYTES:
        return False
    major, minor, most, sections, _, count, level, _, _ = _HEADER.unpack_from(head)
    return bool(
        (major, minor) == (0, 1)
        and sections <= most
        and 0 < most <= MAX_SECTIONS
        and count > 0
        and level <= 2
        and not any(head[64:HEADER_BYTES])
    )


def read_ksplat(path: Path) -> GaussianCloud:
    """Read a .ksplat file of any compression level, SH degrees 0 to 2.

    Source: mkkellogg/GaussianSplats3D, `SplatBuffer.js`.

    Raises:
        SplatFormatError: the file is damaged, or claims more than it holds.
    """
    source = path.name
    data = read_limited(path, MAX_MEMBER_BYTES, source)
    require(len(data) >= HEADER_BYTES, source, f'a header takes {HEADER_BYTES} bytes', len(data))
    major, minor, most, _, _, count, level, low, high = _HEADER.unpack_from(data)
    require((major, minor) == (0, 1), source, 'the version must be 0.1', f'{major}.{minor}')
    require(0 < most <= MAX_SECTIONS, source, f'sections must lie in 1..{MAX_SECTIONS}', most)
    require(level <= 2, source, 'the compression level must lie in 0..2', level)
    check_count(count, source)
    require(bool(np.isfinite([low, high]).all()), source, 'the SH range must be finite', low)
    start = HEADER_BYTES + most * SECTION_BYTES
    require(len(data) >= start, source, f'{most} section headers take {start} bytes', len(data))
    parts, at = [], start
    for index in range(most):
        section = _section(data, index, level, source)
        if section.capacity:
            size = section.index_bytes + section.capacity * section.row(level).itemsize
            rule = f'section {index} must lie in the file, which has {len(data)} bytes'
            require(at + size <= len(data), source, rule, at + size)
            if section.count:
                parts.append(_columns(data, at, section, level, (low or -1.5, high or 1.5)))
            at += size
    total = sum(len(part[0]) for part in parts)
    require(total == count, source, f'the sections must hold {count} gaussians', total)
    widest = max(part[4].shape[1] for part in parts)
    padded = [
        (*part[:4], np.pad(part[4], ((0, 0), (0, widest - part[4].shape[1]), (0, 0))))
        for part in parts
    ]
    means, quats, logs, opacities, sh = (
        np.concatenate(column) for column in zip(*padded, strict=True)
    )
    return cloud_from_file_values(source, means, quats, logs, opacities, sh)


def _section(data: bytes, index: int, level: int, source: str) -> _Section:
    """Read and check one section header."""
    values = _SECTION.unpack_from(data, HEADER_BYTES + index * SECTION_BYTES)
    count, capacity, bucket_size, buckets, edge, bucket_bytes, steps, _, full, partial, degree = (
        values
    )
    name = f'section {index}'
    require(count <= capacity, source, f'{name} must hold at most {capacity} gaussians', count)
    require(degree < len(_REST), source, f'{name} must have SH of degree 0..2', degree)
    if level and count:
        fits = 0 < buckets >= full + partial and bucket_bytes >= 12 and full * bucket_size <= count
        rule = f'{name} must have its buckets within {buckets} of 12 bytes or more'
        require(fits, source, rule, (full, partial, bucket_bytes, bucket_size))
        require(bool(np.isfinite(edge)), source, f'{name} must have a finite bucket edge', edge)
    return _Section(
        count, capacity, bucket_size, buckets, edge, bucket_bytes, steps or _RANGES[level],
        full, partial, degree,
    )  # fmt: skip


@np.errstate(invalid='ignore', over='ignore')
def _columns(
    data: bytes, at: int, section: _Section, level: int, span: tuple[float, float]
) -> tuple[NDArray[np.floating], ...]:
    """Return means, quaternions, log scales, opacities and SH of one section."""
    rows = np.frombuffer(
        data, dtype=section.row(level), count=section.count, offset=at + section.index_bytes
    )
    means = rows['mean'].astype(np.float64)
    if level:
        means = (means - section.steps) * (0.5 * section.edge / section.steps)
        means += _bucket_centres(data, at, section)
    scales = rows['scale'].astype(np.float64)
    # The writer keeps flat axes as zero; a negative one becomes NaN and is refused later.
    logs = np.log(np.where(scales == 0.0, np.exp(-10.0), scales))
    colour = rows['colour'].astype(np.float64) / 255.0
    if level == 2:
        steps = span[0] + np.arange(256) / 255.0 * (span[1] - span[0])
        rest = steps.astype(np.float32)[rows['sh']]
    else:
        rest = rows['sh'].astype(np.float32)
    constant = ((colour[:, :3] - 0.5) / harmonics.C0).astype(np.float32)
    # Within a band, all coefficients of red come first, then green, then blue.
    bands = [constant[:, None, :]]
    for first, width in ((0, 3), (9, 5))[: section.degree]:
        band = rest[:, first : first + 3 * width].reshape(len(rows), 3, width)
        bands.append(band.transpose(0, 2, 1))
    quats = rows['rotation'].astype(np.float32)
    return means, quats, logs, colour[:, 3], np.concatenate(bands, axis=1)


def _bucket_centres(data: bytes, at: int, section: _Section) -> NDArray[np.float64]:
    """Return the centre of each gaussian's bucket `[N, 3]`: full buckets first, then the rest."""
    sizes = np.frombuffer(data, dtype='<u4', count=section.partial, offset=at)
    ends = section.full * section.bucket_size + np.cumsum(sizes.astype(np.int64))
    index = np.arange(section.count)
    bucket = index // max(section.bucket_size, 1)
    beyond = index >= section.full * section.bucket_size
    bucket[beyond] = section.full + np.searchsorted(ends, index[beyond], side='right')
    # A file whose partial buckets hold too few puts the rest into the last bucket.
    bucket = np.minimum(bucket, max(section.buckets - 1, 0))
    raw = np.frombuffer(
        data, dtype=np.uint8, count=section.buckets * section.bucket_bytes,
        offset=at + 4 * section.partial,
    ).reshape(section.buckets, section.bucket_bytes)  # fmt: skip
    centres = np.ascontiguousarray(raw[:, :12]).view('<f4').astype(np.float64)
    return centres[bucket]
