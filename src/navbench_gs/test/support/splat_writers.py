"""Writers of formats that the package only reads: inputs for tests, straight from the formats."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import zstandard

from navbench_gs.splats import GaussianCloud, harmonics, save_sog

_HALF_TURN = np.array([1.0, -1.0, -1.0])
_EDGE = 2.0
_BUCKET = 16


def _levels(values: np.ndarray, top: int) -> np.ndarray:
    return np.clip(np.rint(values), 0, top).astype(np.uint32)


def _smallest_three(quats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the largest component `[N]` and the others `[N, 3]`, in order."""
    largest = np.abs(quats).argmax(axis=1)
    sign = np.where(quats[np.arange(len(quats)), largest] < 0.0, -1.0, 1.0)
    kept = np.arange(4) != largest[:, None]
    return largest, (quats * sign[:, None])[kept].reshape(-1, 3)


def spz_columns(cloud: GaussianCloud, version: int) -> list[bytes]:
    """Return the six columns of an SPZ file, SH degree as the cloud's."""
    place = cloud.means.astype(np.float64) * _HALF_TURN
    if version == 1:
        positions = place.astype('<f2').tobytes()
    else:
        fixed = np.rint(place * 4096.0).astype('<i4')
        positions = fixed.view(np.uint8).reshape(-1, 3, 4)[..., :3].tobytes()
    wxyz = cloud.quats.astype(np.float64) * [1.0, 1.0, -1.0, -1.0]
    if version < 3:
        xyz = wxyz[:, 1:] * np.where(wxyz[:, :1] < 0.0, -1.0, 1.0)
        rotations = _levels((xyz + 1.0) * 127.5, 255).astype('u1')
    else:
        largest, three = _smallest_three(np.roll(wxyz, -1, axis=1))
        size = _levels(np.abs(three) * (511.0 / np.sqrt(0.5)), 511)
        field = size | np.where(three < 0.0, 0x200, 0).astype(np.uint32)
        code = largest.astype(np.uint32) << 30
        rotations = code | (field[:, 0] << 20) | (field[:, 1] << 10) | field[:, 2]
    # The half turn about x changes the sign of the functions odd in y and z together.
    turned = cloud.sh[:, 1:] * harmonics_turn(cloud.sh.shape[1])[1:, None]
    return [
        positions,
        _levels(cloud.opacities * 255.0, 255).astype('u1').tobytes(),
        _levels((cloud.sh[:, 0] * 0.15 + 0.5) * 255.0, 255).astype('u1').tobytes(),
        _levels((np.log(cloud.scales) + 10.0) * 16.0, 255).astype('u1').tobytes(),
        rotations.tobytes(),
        _levels(turned * 128.0 + 128.0, 255).astype('u1').tobytes(),
    ]


def harmonics_turn(count: int) -> np.ndarray:
    """Return the sign `[count]` that each SH function takes under half a turn about x."""
    probe = np.array([[0.48, 0.6, 0.64]])
    degree = harmonics.COEFFICIENTS.index(count)
    turned = harmonics.basis(probe * _HALF_TURN, degree) / harmonics.basis(probe, degree)
    return np.rint(turned[0])


def pack_spz(columns: list[bytes], version: int, count: int, degree: int) -> bytes:
    """Join columns into a file: gzip to version 3, zstd streams with a table in version 4."""
    head = struct.pack('<4sIIBBBB', b'NGSP', version, count, degree, 12, 0, 0)
    if version < 4:
        return gzip.compress(head + b''.join(columns), compresslevel=1, mtime=0)
    used = [column for column in columns if column]
    packed = [zstandard.ZstdCompressor(level=1).compress(column) for column in used]
    table = b''.join(
        struct.pack('<QQ', len(small), len(large))
        for small, large in zip(packed, used, strict=True)
    )
    head = head[:15] + bytes([len(used)]) + struct.pack('<I', 32) + bytes(12)
    return head + table + b''.join(packed)


def spz_bytes(cloud: GaussianCloud, version: int) -> bytes:
    """Return an SPZ file of version 1 to 4."""
    return pack_spz(spz_columns(cloud, version), version, len(cloud), cloud.sh_degree)


def ksplat_order(cloud: GaussianCloud) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Sort gaussians into buckets of one cell each: full ones first, then the others.

    Returns the order `[N]`, bucket centres `[B, 3]` and the sizes of the partly full buckets.
    """
    cells = np.floor(cloud.means / _EDGE).astype(int)
    full, partial = [], []
    for cell in np.unique(cells, axis=0):
        members = np.flatnonzero((cells == cell).all(axis=1))
        for start in range(0, len(members), _BUCKET):
            part = members[start : start + _BUCKET]
            (full if len(part) == _BUCKET else partial).append((part, (cell + 0.5) * _EDGE))
    both = full + partial
    centres = np.array([centre for _, centre in both])
    return np.concatenate([part for part, _ in both]), centres, [len(p) for p, _ in partial]


def ksplat_bytes(cloud: GaussianCloud, level: int) -> bytes:
    """Return a .ksplat file of one section, compression 0 to 2, SH degree 0 to 2."""
    order, centres, sizes = ksplat_order(cloud)
    chosen = cloud.select(order)
    count, degree = len(cloud), cloud.sh_degree
    real = '<f4' if level == 0 else '<f2'
    row = np.dtype([
        ('mean', '<f4' if level == 0 else '<u2', 3), ('scale', real, 3), ('rotation', real, 4),
        ('colour', 'u1', 4), ('sh', ('<f4', '<f2', 'u1')[level], (0, 9, 24)[degree]),
    ])  # fmt: skip
    rows = np.zeros(count, dtype=row)
    full = len(centres) - len(sizes)
    bucket = np.concatenate(
        [np.repeat(np.arange(full), _BUCKET), np.repeat(np.arange(full, len(centres)), sizes)]
    ).astype(int)
    steps = 32767
    if level:
        offset = (chosen.means - centres[bucket]) / (0.5 * _EDGE)
        rows['mean'] = _levels(offset * steps + steps, 65535)
    else:
        rows['mean'] = chosen.means
    rows['scale'], rows['rotation'] = chosen.scales, chosen.quats
    rows['colour'][:, :3] = _levels((0.5 + harmonics.C0 * chosen.sh[:, 0]) * 255.0, 255)
    rows['colour'][:, 3] = _levels(chosen.opacities * 255.0, 255)
    # Band by band, all of red, then green, then blue.
    bands = [chosen.sh[:, low:high] for low, high in ((1, 4), (4, 9))[:degree]]
    rest = [band.transpose(0, 2, 1).reshape(count, -1) for band in bands]
    if rest:
        values = np.concatenate(rest, axis=1)
        rows['sh'] = _levels((values + 1.5) / 3.0 * 255.0, 255) if level == 2 else values
    head, section = bytearray(4096), bytearray(1024)
    struct.pack_into('<BBxxIIIIHxx12xff', head, 0, 0, 1, 1, 1, count, count, level, -1.5, 1.5)
    used = (len(centres), steps, full, len(sizes)) if level else (0, 1, 0, 0)
    struct.pack_into(
        '<IIIIfHxxIIIIH', section, 0, count, count, _BUCKET, used[0], _EDGE, 12, used[1], 0,
        used[2], used[3], degree,
    )  # fmt: skip
    index = b''
    if level:
        index = np.array(sizes, '<u4').tobytes() + centres.astype('<f4').tobytes()
    return bytes(head + section) + index + rows.tobytes()


def compressed_ply_bytes(cloud: GaussianCloud) -> bytes:
    """Return a PlayCanvas compressed .ply with bounds for colours."""
    count = len(cloud)
    rgb = 0.5 + harmonics.C0 * cloud.sh[:, 0]
    values = np.concatenate([cloud.means, np.log(cloud.scales), rgb], axis=1).astype(np.float64)
    axes = ['x', 'y', 'z', 'scale_x', 'scale_y', 'scale_z', 'r', 'g', 'b']
    bounds, unit = [], np.empty_like(values)
    for start in range(0, count, 256):
        part = values[start : start + 256].astype('<f4').astype(np.float64)
        low, high = part.min(axis=0), part.max(axis=0)
        bounds.append(np.stack([low, high], axis=1).ravel())
        unit[start : start + 256] = (part - low) / np.maximum(high - low, 1e-12)
    largest, three = _smallest_three(cloud.quats.astype(np.float64))
    tens = _levels((three / np.sqrt(2.0) + 0.5) * 1023.0, 1023)
    place, scale = (
        _levels(unit[:, at : at + 3] * [2047, 1023, 2047], 2047) @ [1 << 21, 1 << 11, 1]
        for at in (0, 3)
    )
    colour = _levels(np.c_[unit[:, 6:], cloud.opacities] * 255.0, 255)
    words = np.stack([
        place,
        (largest << 30) + tens.astype(np.int64) @ [1 << 20, 1 << 10, 1],
        scale,
        colour.astype(np.int64) @ [1 << 24, 1 << 16, 1 << 8, 1],
    ], axis=1)  # fmt: skip
    rest = cloud.sh[:, 1:].swapaxes(1, 2).reshape(count, -1)
    lines = ['ply', 'format binary_little_endian 1.0', f'element chunk {len(bounds)}']
    lines += [f'property float {side}_{axis}' for axis in axes for side in ('min', 'max')]
    lines += [f'element vertex {count}']
    lines += [f'property uint packed_{n}' for n in ('position', 'rotation', 'scale', 'color')]
    if rest.shape[1]:
        lines += [f'element sh {count}']
        lines += [f'property uchar f_rest_{k}' for k in range(rest.shape[1])]
    body = np.array(bounds, '<f4').tobytes() + words.astype('<u4').tobytes()
    body += np.clip((rest / 8.0 + 0.5) * 256.0, 0, 255).astype('u1').tobytes()
    return '\n'.join([*lines, 'end_header', '']).encode() + body


def sog_members(cloud: GaussianCloud, version: int, folder: Path) -> dict[str, bytes]:
    """Return the files of a SOG; version 1 keeps the images and reads them by linear ranges."""
    path = folder / 'made.sog'
    save_sog(path, cloud)
    with zipfile.ZipFile(path) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
    path.unlink()
    if version == 1:
        meta = json.loads(members['meta.json'])
        meta['means']['shape'] = [meta.pop('count'), 3]
        del meta['version']
        meta['scales'] = {'mins': [-5.0] * 3, 'maxs': [0.1] * 3, 'files': ['scales.webp']}
        meta['sh0'] = {'mins': [-1.0] * 3 + [-6], 'maxs': [1.0] * 3 + [6], 'files': ['sh0.webp']}
        if 'shN' in meta:
            meta['shN'] = {'mins': -2.0, 'maxs': 2.0, 'files': meta['shN']['files']}
        members['meta.json'] = json.dumps(meta).encode()
    return members
