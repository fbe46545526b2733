"""One damaged input after the other, for each reader."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import splat_writers
import zstandard
from splat_samples import sample_cloud

from navbench_gs.splats import GaussianCloud, save_ply, save_splat
from navbench_gs.splats.antimatter import read_splat
from navbench_gs.splats.compressed_ply import read_compressed_ply
from navbench_gs.splats.fileset import Archive, Folder
from navbench_gs.splats.ksplat import read_ksplat
from navbench_gs.splats.ply import read_ply
from navbench_gs.splats.sog import read_sog
from navbench_gs.splats.spz import read_spz
from navbench_gs.splats.streamed import META_NAME, read_streamed
from splat_fuzz.damage import Rng, damage
from splat_fuzz.sources import BOMB, COUNT, File, Members, Source


def _inside_gzip(good: bytes, rng: Rng) -> bytes:
    """Damage what gzip holds; now and then it holds a bomb behind a header that asks for it."""
    plain = gzip.decompress(good)
    if rng.random() < 0.01:
        # 19 bytes each: the bomb ends 1.5 MB early, which shows when it is unpacked. The other
        # claims more than gzip can hold.
        count = int(rng.choice([3_450_000, 12_000_000]))
        head = struct.pack('<4sIIBBBB', b'NGSP', 2, count, 0, 12, 0, 0)
        return gzip.compress(head + bytes(BOMB), 6, mtime=0)
    return gzip.compress(damage(plain, rng), 1, mtime=0)


def _inside_zstd(good: bytes, rng: Rng) -> bytes:
    """Damage the columns of an SPZ version 4, or make one of them a bomb."""
    version, count, degree = 4, COUNT, good[12]
    columns = splat_writers.spz_columns(sample_cloud(count, degree), version)
    bomb = bool(rng.random() < 0.02)
    which = int(rng.integers(5)) if rng.random() < 0.5 else 0
    if not bomb and rng.random() < 0.5:
        columns[which] = damage(columns[which], rng)
        return splat_writers.pack_spz(columns, version, count, degree)
    packed = bytearray(good)
    table = 32 + 16 * which
    at = (
        32
        + 16 * good[15]
        + sum(struct.unpack_from('<Q', good, 32 + 16 * n)[0] for n in range(which))
    )
    size = struct.unpack_from('<Q', good, table)[0]
    length = BOMB if bomb else int(rng.integers(1, 3000))
    sized = bool(rng.random() < 0.5)
    stream = zstandard.ZstdCompressor(level=1, write_content_size=sized).compress(bytes(length))
    if rng.random() < 0.3:
        # A frame whose header claims a window of up to 4 TB.
        stream = b'\x28\xb5\x2f\xfd\x00' + bytes([int(rng.integers(256))]) + stream[6:]
    packed[at : at + size] = stream
    packed[table : table + 8] = struct.pack('<Q', len(stream))
    if bomb and which == 0 and rng.random() < 0.5:
        # 9 bytes for each of 7 million gaussians, as announced: the next stream is too short.
        packed[8:12] = struct.pack('<I', BOMB // 9)
        packed[table + 8 : table + 16] = struct.pack('<Q', BOMB // 9 * 9)
    elif rng.random() < 0.3:
        packed[8:12] = struct.pack('<I', length)
    return bytes(packed)


def _ksplat_headers(good: bytes, rng: Rng) -> bytes:
    """Damage the fields of the file's or the section's header, which are mostly zeros between."""
    data = bytearray(good)
    start, length = ((0, 44), (4096, 42))[int(rng.integers(2))]
    data[start : start + length] = damage(bytes(data[start : start + length]), rng)[:length]
    return bytes(data)


def _files(name: str, folder: Path) -> list[bytes]:
    """Return sound files of a single-file format."""
    clouds = [sample_cloud(COUNT, degree) for degree in (0, 1, 2, 3)]
    if name == 'ply':
        path = folder / 'a'
        return [(save_ply(path, cloud), path.read_bytes())[1] for cloud in clouds]
    if name == 'splat':
        path = folder / 'a'
        save_splat(path, sample_cloud(COUNT, 0))
        return [path.read_bytes()]
    if name == 'compressed ply':
        return [splat_writers.compressed_ply_bytes(cloud) for cloud in clouds]
    if name == 'ksplat':
        both = [(cloud, level) for cloud in clouds[:3] for level in (0, 1, 2)]
        return [splat_writers.ksplat_bytes(cloud, level) for cloud, level in both]
    return [splat_writers.spz_bytes(cloud, int(name[-1])) for cloud in clouds]


def _streamed_members(folder: Path) -> dict[str, bytes]:
    """Return a streamed scene: one cell in two files, another in one, level 0 absent."""
    members: dict[str, bytes] = {}
    for name in ('1_0', '1_1'):
        made = splat_writers.sog_members(sample_cloud(COUNT, 0), 2, folder)
        members |= {f'{name}/{key}': data for key, data in made.items()}
    run = {'file': 1, 'offset': 0, 'count': COUNT}
    cells: list[dict[str, Any]] = [
        {'lods': {'0': {'file': 0, 'offset': 0, 'count': 90}, '1': run}},
        {'lods': {'1': {'file': 2, 'offset': 3, 'count': COUNT - 5}}},
    ]
    meta = {
        'lodLevels': 2,
        'filenames': ['0_0/meta.json', '1_0/meta.json', '1_1/meta.json'],
        'tree': {'children': [{'children': cells[:1]}, cells[1]]},
    }
    return {META_NAME: json.dumps(meta).encode(), **members}


def _read_bundle(path: Path) -> GaussianCloud:
    archive = Archive(path)
    try:
        return read_sog(archive)
    finally:
        archive.close()


SINGLE: dict[str, tuple[Callable[[Path], GaussianCloud], Callable[[bytes, Rng], bytes]]] = {
    'ply': (read_ply, damage),
    'compressed ply': (read_compressed_ply, damage),
    'splat': (read_splat, damage),
    'ksplat': (read_ksplat, _ksplat_headers),
    'spz 1': (read_spz, _inside_gzip),
    'spz 2': (read_spz, _inside_gzip),
    'spz 3': (read_spz, _inside_gzip),
    'spz 4': (read_spz, _inside_zstd),
}
SETS = ['sog 1 folder', 'sog 1 bundle', 'sog 2 folder', 'sog 2 bundle', 'streamed sog']
KINDS = [*SINGLE, *SETS]
"""Every reader, by name."""


def source(kind: str, folder: Path) -> Source:
    """Return the source of damaged inputs of one kind, which writes below `folder`."""
    if kind in SINGLE:
        read, special = SINGLE[kind]
        return File(folder, read, _files(kind, folder), special)
    if kind == 'streamed sog':
        return Members(folder, read_streamed, [_streamed_members(folder)])
    version, bundled = int(kind.split()[1]), kind.endswith('bundle')
    good = [
        splat_writers.sog_members(sample_cloud(COUNT, degree), version, folder)
        for degree in (0, 1, 3)
    ]
    read = _read_bundle if bundled else (lambda path: read_sog(Folder(path)))
    return Members(folder, read, good, bundled)
