"""INRIA's .ply of a trained splat: binary little endian, one float32 row per gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.validation import check_count, cloud_from_file_values, require

MAGIC = b'ply'
MAX_HEADER_BYTES = 16384
_TYPES = {
    'float': '<f4', 'float32': '<f4', 'double': '<f8', 'float64': '<f8',
    'uchar': 'u1', 'uint8': 'u1', 'char': 'i1', 'int8': 'i1',
    'short': '<i2', 'int16': '<i2', 'ushort': '<u2', 'uint16': '<u2',
    'int': '<i4', 'int32': '<i4', 'uint': '<u4', 'uint32': '<u4',
}  # fmt: skip
_REQUIRED = (
    'x', 'y', 'z', 'f_dc_0', 'f_dc_1', 'f_dc_2', 'opacity',
    'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3',
)  # fmt: skip


@dataclass(frozen=True)
class PlyHeader:
    """The first element of a .ply: its rows, their layout and where they start."""

    count: int
    row: np.dtype[np.void]
    offset: int


def parse_header(data: bytes, source: str) -> PlyHeader:
    """Parse the header of a binary little-endian .ply whose first element is `vertex`.

    Raises:
        SplatFormatError: the header breaks a rule of the format or of this reader.
    """
    end = data.find(b'end_header', 0, MAX_HEADER_BYTES)
    require(end >= 0, source, f'end_header must come within {MAX_HEADER_BYTES} bytes', 'none')
    newline = data.find(b'\n', end, end + 16)
    require(newline >= 0, source, 'end_header must end its line', 'end of file')
    lines = data[:end].decode('ascii', errors='replace').split('\n')
    words = [line.split() for line in lines if line.strip()]
    formats = [line[1:] for line in words if line[0] == 'format']
    known = formats == [['binary_little_endian', '1.0']]
    require(known, source, 'format must be binary_little_endian 1.0', formats)
    count, fields = 0, []
    for line in words:
        if line[0] == 'element':
            if count:
                break
            named = len(line) == 3 and line[1] == 'vertex' and line[2].isdigit()
            require(named, source, 'the first element must be vertex with a count', line)
            # Nine digits hold any permitted count; longer text is not worth converting.
            require(len(line[2]) <= 9, source, 'the vertex count must be sane', line[2][:20])
            count = check_count(int(line[2]), source)
        elif line[0] == 'property' and count:
            scalar = len(line) == 3 and line[1] in _TYPES
            require(scalar, source, 'vertex properties must be scalars', ' '.join(line)[:60])
            fields.append((line[2], _TYPES[line[1]]))
    names = [name for name, _ in fields]
    require(len(set(names)) == len(names), source, 'vertex properties must differ', names[:8])
    require(count > 0 and bool(fields), source, 'there must be vertex properties', 'none')
    return PlyHeader(count, np.dtype(fields), newline + 1)


def read_ply(path: Path) -> GaussianCloud:
    """Read an INRIA .ply of SH degree 0 to 3.

    Raises:
        SplatFormatError: the file breaks a rule of the format.
    """
    source = path.name
    try:
        size = path.stat().st_size
        with path.open('rb') as stream:
            header = parse_header(stream.read(MAX_HEADER_BYTES), source)
    except OSError as error:
        raise SplatFormatError(f'{source}: the file must be readable, got {error}') from error
    missing = [name for name in _REQUIRED if name not in (header.row.names or ())]
    require(not missing, source, 'every property of a splat must be present', f'no {missing}')
    needed = header.offset + header.count * header.row.itemsize
    require(size >= needed, source, f'{header.count} rows need {needed} bytes', f'{size} bytes')
    rows = np.fromfile(path, dtype=header.row, count=header.count, offset=header.offset)
    return _rows_to_cloud(rows, source)


def _columns(rows: NDArray[np.void], names: list[str]) -> NDArray[np.float32]:
    # Doubles beyond float32 become infinite here and are refused by the check on values.
    with np.errstate(over='ignore', invalid='ignore'):
        return np.stack([rows[name].astype(np.float32) for name in names], axis=1)


def _rows_to_cloud(rows: NDArray[np.void], source: str) -> GaussianCloud:
    """Turn the structured rows into a cloud."""
    rest = sum(name.startswith('f_rest_') for name in rows.dtype.names or ())
    allowed = [3 * (count - 1) for count in harmonics.COEFFICIENTS]
    require(rest in allowed, source, f'f_rest_* must number one of {allowed}', rest)
    rest_names = [f'f_rest_{index}' for index in range(rest)]
    complete = all(name in (rows.dtype.names or ()) for name in rest_names)
    require(complete, source, f'f_rest_* must run from 0 to {rest - 1}', 'a gap')
    sh = np.empty((len(rows), 1 + rest // 3, 3), dtype=np.float32)
    sh[:, 0] = _columns(rows, ['f_dc_0', 'f_dc_1', 'f_dc_2'])
    if rest:
        # The file stores all red coefficients, then all green, then all blue.
        sh[:, 1:] = _columns(rows, rest_names).reshape(len(rows), 3, rest // 3).swapaxes(1, 2)
    with np.errstate(over='ignore', invalid='ignore'):
        logits = rows['opacity'].astype(np.float64)
        require(not bool(np.isnan(logits).any()), source, 'opacities must be numbers', 'NaN')
        opacities = 1.0 / (1.0 + np.exp(-logits))
    return cloud_from_file_values(
        source,
        _columns(rows, ['x', 'y', 'z']),
        _columns(rows, ['rot_0', 'rot_1', 'rot_2', 'rot_3']),
        _columns(rows, ['scale_0', 'scale_1', 'scale_2']),
        opacities,
        sh,
    )


def save_ply(path: str | Path, cloud: GaussianCloud) -> None:
    """Write a cloud as INRIA .ply with its own SH degree; opacities within 1e-6 of 0 or 1 clip."""
    rest = 3 * (cloud.sh.shape[1] - 1)
    names = ['x', 'y', 'z', 'nx', 'ny', 'nz', 'f_dc_0', 'f_dc_1', 'f_dc_2']
    names += [f'f_rest_{index}' for index in range(rest)]
    names += ['opacity', 'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3']
    opacity = np.clip(cloud.opacities.astype(np.float64), 1e-6, 1.0 - 1e-6)
    table = np.concatenate(
        [
            cloud.means,
            np.zeros_like(cloud.means),
            cloud.sh[:, 0],
            cloud.sh[:, 1:].swapaxes(1, 2).reshape(len(cloud), rest),
            np.log(opacity / (1.0 - opacity))[:, None],
            np.log(cloud.scales),
            cloud.quats,
        ],
        axis=1,
    ).astype('<f4')
    header = ['ply', 'format binary_little_endian 1.0', f'element vertex {len(cloud)}']
    header += [f'property float {name}' for name in names] + ['end_header', '']
    with Path(path).open('wb') as stream:
        stream.write('\n'.join(header).encode('ascii'))
        stream.write(table.tobytes())
