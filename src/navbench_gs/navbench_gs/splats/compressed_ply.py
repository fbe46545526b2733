"""PlayCanvas compressed .ply: bits of each gaussian within the bounds of its chunk of 256."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.ply_header import read_header, read_rows
from navbench_gs.splats.quaternion_code import unpack_smallest_three
from navbench_gs.splats.validation import cloud_from_file_values, require

CHUNK = 256
_VERTEX = ('packed_position', 'packed_rotation', 'packed_scale', 'packed_color')
_BOUNDS = tuple(
    f'{side}_{axis}'
    for axis in ('x', 'y', 'z', 'scale_x', 'scale_y', 'scale_z')
    for side in ('min', 'max')
)
_COLOUR_BOUNDS = tuple(f'{side}_{axis}' for axis in 'rgb' for side in ('min', 'max'))

Words = NDArray[np.uint32]
Floats = NDArray[np.float64]


def is_compressed(head: bytes) -> bool:
    """Say whether the first bytes of a .ply declare packed gaussians."""
    return b'property uint packed_position' in head[: head.find(b'end_header') + 1]


def read_compressed_ply(path: Path) -> GaussianCloud:
    """Read a compressed .ply of SH degree 0 to 3.

    Raises:
        SplatFormatError: the file breaks a rule of the format.
    """
    source = path.name
    elements = read_header(path)
    require('chunk' in elements, source, 'there must be a chunk element', list(elements))
    vertex, chunk = elements['vertex'], elements['chunk']
    for element, needed in ((vertex, _VERTEX), (chunk, _BOUNDS)):
        missing = [name for name in needed if name not in element.names]
        require(not missing, source, f'{element.name} must be complete', f'no {missing}')
    packed = all(vertex.row[name] == np.dtype('<u4') for name in _VERTEX)
    require(packed, source, 'packed properties must be uint', str(vertex.row)[:80])
    chunks = -(-vertex.count // CHUNK)
    require(chunk.count == chunks, source, f'there must be {chunks} chunks', chunk.count)
    rows, bounds = read_rows(path, vertex), read_rows(path, chunk)
    which = np.arange(vertex.count) // CHUNK
    colours = _split(rows['packed_color'], (24, 16, 8, 0), (8, 8, 8, 8))
    rgb = colours[:, :3]
    if all(name in chunk.names for name in _COLOUR_BOUNDS):
        rgb = _within(bounds, which, ('r', 'g', 'b'), rgb)
    # Bounds near the end of float32 become infinite, which the check on the cloud refuses.
    with np.errstate(over='ignore'):
        sh = [((rgb - 0.5) / harmonics.C0)[:, None, :].astype(np.float32)]
    if 'sh' in elements:
        table = elements['sh']
        require(table.count == vertex.count, source, 'sh must have a row per vertex', table.count)
        sh.append(_read_rest(read_rows(path, table), source))
    return cloud_from_file_values(
        source,
        _within(bounds, which, ('x', 'y', 'z'), _three(rows['packed_position'])),
        _rotations(rows['packed_rotation']),
        _within(bounds, which, ('scale_x', 'scale_y', 'scale_z'), _three(rows['packed_scale'])),
        colours[:, 3],
        np.concatenate(sh, axis=1),
    )


def _split(words: Words, shifts: tuple[int, ...], bits: tuple[int, ...]) -> Floats:
    """Cut words into fields, each scaled to [0, 1]."""
    columns = [
        ((words >> np.uint32(shift)) & np.uint32((1 << width) - 1)) / float((1 << width) - 1)
        for shift, width in zip(shifts, bits, strict=True)
    ]
    return np.stack(columns, axis=1)


def _three(words: Words) -> Floats:
    """Unpack 11, 10 and 11 bits."""
    return _split(words, (21, 11, 0), (11, 10, 11))


def _rotations(words: Words) -> Floats:
    """Unpack three components of 10 bits below the index of the largest."""
    three = (_split(words, (20, 10, 0), (10, 10, 10)) - 0.5) * np.sqrt(2.0)
    return unpack_smallest_three(three, (words >> np.uint32(30)).astype(np.int64))


# Signalling NaN warn when they are widened.
@np.errstate(invalid='ignore', over='ignore')
def _within(
    bounds: NDArray[np.void], which: NDArray[np.integer], axes: tuple[str, ...], fractions: Floats
) -> Floats:
    """Place fractions `[N, 3]` between the minimum and maximum of each gaussian's chunk."""
    columns = []
    for column, axis in enumerate(axes):
        low = bounds[f'min_{axis}'].astype(np.float64)[which]
        high = bounds[f'max_{axis}'].astype(np.float64)[which]
        # As a weighted mean: infinite bounds give NaN or infinity, which the checks refuse.
        columns.append(low * (1.0 - fractions[:, column]) + high * fractions[:, column])
    return np.stack(columns, axis=1)


def _read_rest(rows: NDArray[np.void], source: str) -> NDArray[np.float32]:
    """Return the SH bands above the constant one; a byte covers -4 to 4."""
    names = rows.dtype.names or ()
    allowed = [3 * (count - 1) for count in harmonics.COEFFICIENTS[1:]]
    require(len(names) in allowed, source, f'sh must have one of {allowed} columns', len(names))
    expected = [f'f_rest_{index}' for index in range(len(names))]
    known = list(names) == expected and all(rows.dtype[name] == np.uint8 for name in names)
    require(known, source, 'sh columns must be uchar f_rest_0 and on', names[:4])
    fractions = (np.arange(256) + 0.5) / 256.0
    fractions[[0, 255]] = 0.0, 1.0
    values = ((fractions - 0.5) * 8.0).astype(np.float32)
    levels = np.stack([rows[name] for name in expected], axis=1)
    return values[levels].reshape(len(rows), 3, len(names) // 3).swapaxes(1, 2)
