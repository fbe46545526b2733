"""Niantic's SPZ, versions 1 to 4: quantised columns, packed with gzip (to 3) or zstd (4)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import MAX_MEMBER_BYTES, read_limited
from navbench_gs.splats.quaternion_code import unpack_smallest_three
from navbench_gs.splats.validation import check_count, cloud_from_file_values, require

Bytes = bytes | bytearray | memoryview

MAGIC = b'NGSP'
GZIP_MAGIC = b'\x1f\x8b'
_HEADER = struct.Struct('<4sIIBBBB')
_TOC_OFFSET = struct.Struct('<I')
_TOC_ENTRY = struct.Struct('<QQ')
_MAX_STREAMS = 16
_MAX_WINDOW = 1 << 27
_MAX_GZIP_RATIO = 1_100
"""Output over input: gzip ends at 1,032."""
_MAX_ZSTD_RATIO = 50_000
"""zstd's longest run is 128 kB in 4 bytes; SH that are all zero reach 1,460 in real files."""
_CHUNK_BYTES = 1 << 20
_SH_COUNTS = (0, 3, 8, 15, 24)
"""Coefficients per channel beyond the constant one, by degree."""
_COLOUR_SCALE = 0.15
_TURN = np.array([1.0, -1.0, -1.0])
"""SPZ keeps x right, y up, z back; clouds keep the axes of the trainers' .ply: y down, z ahead."""
# The same half turn about x on the SH basis: functions odd in y and z together change sign.
_SH_TURN = np.array([-1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1], dtype=np.float64)


@dataclass(frozen=True)
class _Header:
    version: int
    count: int
    degree: int
    fractional_bits: int
    streams: int

    def column_bytes(self) -> list[int]:
        """Return the unpacked size of positions, opacities, colours, scales, rotations, SH."""
        position = 6 if self.version == 1 else 9
        rotation = 3 if self.version < 3 else 4
        return [
            self.count * size
            for size in (position, 1, 3, 3, rotation, 3 * _SH_COUNTS[self.degree])
        ]


def read_spz(path: Path) -> GaussianCloud:
    """Read an SPZ file; SH beyond degree 3 is left out.

    Source: nianticlabs/spz, `load-spz.cc` and README.

    Raises:
        SplatFormatError: the file is damaged, or claims more than it can hold.
    """
    source = path.name
    packed = read_limited(path, MAX_MEMBER_BYTES, source)
    data: Bytes = _gunzip(packed, source) if packed[:2] == GZIP_MAGIC else packed
    header = _header(data, source)
    if header.version == 4:
        columns = _unpack_streams(data, header, source)
    else:
        columns = _split(data, header, source)
    return _decode(columns, header, source)


def _header(data: Bytes, source: str) -> _Header:
    """Read and check the 16 bytes that all versions share."""
    require(len(data) >= _HEADER.size, source, 'an SPZ header takes 16 bytes', len(data))
    magic, version, count, degree, bits, _, streams = _HEADER.unpack_from(data)
    require(magic == MAGIC, source, f'an SPZ file must begin with {MAGIC!r}', repr(magic))
    require(1 <= version <= 4, source, 'the SPZ version must lie in 1..4', version)
    check_count(count, source)
    require(degree < len(_SH_COUNTS), source, 'the SH degree must lie in 0..4', degree)
    require(bits < 24, source, 'positions must have fewer than 24 fractional bits', bits)
    return _Header(version, count, degree, bits, streams)


def _gunzip(data: bytes, source: str) -> bytearray:
    """Unpack what the header inside asks for, and no more."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        head = unpacker.decompress(data, _HEADER.size)
        header = _header(head, source)
        wanted = sum(header.column_bytes())
        _check_ratio(wanted, len(data), _MAX_GZIP_RATIO, source)
        unpacked = bytearray(head)
        while wanted > 0:
            part = unpacker.decompress(unpacker.unconsumed_tail, min(wanted, _CHUNK_BYTES))
            if not part:
                break
            unpacked += part
            wanted -= len(part)
    except zlib.error as error:
        raise SplatFormatError(f'{source}: must unpack, got {error}') from error
    return unpacked


def _check_ratio(unpacked: int, packed: int, ratio: int, source: str) -> None:
    """Refuse a claim that no such file can keep, before any memory is taken for it."""
    rule = f'{packed} packed bytes must unpack to at most {ratio} times as many'
    require(unpacked <= ratio * packed, source, rule, unpacked)


def _split(data: Bytes, header: _Header, source: str) -> Sequence[Bytes]:
    """Cut the columns that follow the header of versions 1 to 3."""
    sizes = header.column_bytes()
    wanted = _HEADER.size + sum(sizes)
    rule = f'{header.count} gaussians need {wanted} bytes'
    require(len(data) >= wanted, source, rule, len(data))
    view = memoryview(data)
    columns: list[Bytes] = []
    at = _HEADER.size
    for size in sizes:
        columns.append(view[at : at + size])
        at += size
    return columns


def _unpack_streams(data: Bytes, header: _Header, source: str) -> Sequence[Bytes]:
    """Unpack the zstd streams of version 4, listed in a table of packed and unpacked sizes."""
    sizes = header.column_bytes()
    needed = len(sizes) - (0 if sizes[-1] else 1)
    rule = f'version 4 must hold {needed} to {_MAX_STREAMS} streams'
    require(needed <= header.streams <= _MAX_STREAMS, source, rule, header.streams)
    end = _HEADER.size + _TOC_OFFSET.size
    require(len(data) >= end, source, f'the header must take {end} bytes', len(data))
    (table,) = _TOC_OFFSET.unpack_from(data, _HEADER.size)
    at = table + header.streams * _TOC_ENTRY.size
    require(end <= table and at <= len(data), source, 'the table must lie in the file', table)
    columns: list[Bytes] = []
    for index in range(needed):
        packed, unpacked = _TOC_ENTRY.unpack_from(data, table + index * _TOC_ENTRY.size)
        rule = f'stream {index} must unpack to {sizes[index]} bytes'
        require(unpacked == sizes[index], source, rule, unpacked)
        require(at + packed <= len(data), source, f'stream {index} must lie in the file', packed)
        _check_ratio(unpacked, packed, _MAX_ZSTD_RATIO, source)
        column = _unzstd(data[at : at + packed], unpacked, f'{source}: stream {index}')
        require(len(column) == unpacked, source, rule, len(column))
        columns.append(column)
        at += packed
    return [*columns, b''][: len(sizes)]


def _unzstd(data: Bytes, size: int, source: str) -> bytearray:
    """Unpack a stream, at most one byte more than `size`."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    unpacked = bytearray()
    try:
        # In chunks: at once, it takes the memory that the frame or the caller claims.
        with unpacker.stream_reader(data) as reader:
            while part := reader.read(min(size + 1 - len(unpacked), _CHUNK_BYTES)):
                unpacked += part
    except zstandard.ZstdError as error:
        raise SplatFormatError(f'{source} must unpack, got {error}') from error
    return unpacked


# Signalling NaN among half floats warn; the check on values refuses them.
@np.errstate(invalid='ignore')
def _decode(columns: Sequence[Bytes], header: _Header, source: str) -> GaussianCloud:
    """Turn the columns into a cloud."""
    count = header.count
    opacities, colours, scales = (
        np.frombuffer(column, dtype=np.uint8).astype(np.float64) for column in columns[1:4]
    )
    # In float32 and in place: the coefficients are most of what a file takes in memory.
    sh = np.zeros((count, 1 + min(_SH_COUNTS[header.degree], 15), 3), dtype=np.float32)
    sh[:, 0] = (colours.reshape(count, 3) / 255.0 - 0.5) / _COLOUR_SCALE
    if header.degree:
        rest = np.frombuffer(columns[5], dtype=np.uint8).reshape(count, -1, 3)[:, :15]
        sh[:, 1:] = rest
        sh[:, 1:] -= np.float32(128.0)
        sh[:, 1:] *= (_SH_TURN[: rest.shape[1], None] / 128.0).astype(np.float32)
    quats = _rotations(columns[4], header)
    quats[:, 1:] *= _TURN
    return cloud_from_file_values(
        source,
        _positions(columns[0], header) * _TURN,
        quats,
        scales.reshape(count, 3) / 16.0 - 10.0,
        opacities / 255.0,
        sh,
    )


def _positions(column: Bytes, header: _Header) -> NDArray[np.float64]:
    """Return `[N, 3]` from half floats (version 1) or 24-bit fixed point."""
    if header.version == 1:
        return np.frombuffer(column, dtype='<f2').reshape(-1, 3).astype(np.float64)
    parts = np.frombuffer(column, dtype=np.uint8).reshape(-1, 3, 3).astype(np.int32)
    fixed = parts[..., 0] | (parts[..., 1] << 8) | (parts[..., 2] << 16)
    signed = (fixed ^ 0x800000) - 0x800000
    return np.asarray(signed / float(1 << header.fractional_bits), dtype=np.float64)


def _rotations(column: Bytes, header: _Header) -> NDArray[np.float64]:
    """Return wxyz `[N, 4]` from three bytes (w positive) or the smallest three in 10 bits each."""
    if header.version < 3:
        vector = np.frombuffer(column, dtype=np.uint8).reshape(-1, 3) / 127.5 - 1.0
        w = np.sqrt(np.maximum(0.0, 1.0 - (vector * vector).sum(axis=1)))
        return np.concatenate([w[:, None], vector], axis=1)
    code = np.frombuffer(column, dtype='<u4')
    # Bits 30-31 name the largest of x, y, z, w; the others follow from the highest bits down,
    # each a sign and nine bits of size.
    fields = np.stack([(code >> shift) & 0x3FF for shift in (20, 10, 0)], axis=1)
    three = (fields & 0x1FF) * (np.sqrt(0.5) / 511.0) * np.where(fields & 0x200, -1.0, 1.0)
    largest = (code >> 30).astype(np.int64)
    # As wxyz: x, y, z become components 1, 2, 3, and w, which was last, comes first.
    in_xyzw = largest < 3
    ordered = three.copy()
    ordered[in_xyzw] = np.roll(three[in_xyzw], 1, axis=1)
    return unpack_smallest_three(ordered, (largest + 1) % 4)
