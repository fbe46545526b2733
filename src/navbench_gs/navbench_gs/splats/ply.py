"""INRIA's .ply of a trained splat: binary little endian, one float32 row per gaussian."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.ply_header import read_header, read_rows
from navbench_gs.splats.validation import cloud_from_file_values, require

_REQUIRED = (
    'x', 'y', 'z', 'f_dc_0', 'f_dc_1', 'f_dc_2', 'opacity',
    'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3',
)  # fmt: skip


def read_ply(path: Path) -> GaussianCloud:
    """Read an INRIA .ply of SH degree 0 to 3.

    Raises:
        SplatFormatError: the file breaks a rule of the format.
    """
    source = path.name
    vertex = read_header(path)['vertex']
    missing = [name for name in _REQUIRED if name not in vertex.names]
    require(not missing, source, 'every property of a splat must be present', f'no {missing}')
    return _rows_to_cloud(read_rows(path, vertex), source)


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
