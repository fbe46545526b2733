"""The .splat format of antimatter15's viewer: 32 bytes per gaussian, no header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import read_limited
from navbench_gs.splats.validation import (
    MAX_COORDINATE,
    MAX_GAUSSIANS,
    check_count,
    cloud_from_file_values,
    require,
)

ROW = np.dtype(
    [('mean', '<f4', 3), ('scale', '<f4', 3), ('colour', 'u1', 4), ('rotation', 'u1', 4)]
)


def looks_like_splat(path: Path, head: bytes) -> bool:
    """Say whether a file can be a .splat: whole rows, and sound values in the first of them."""
    if not path.is_file() or len(head) < ROW.itemsize or path.stat().st_size % ROW.itemsize:
        return False
    rows = np.frombuffer(head, dtype=ROW, count=min(len(head) // ROW.itemsize, 64))
    with np.errstate(invalid='ignore'):
        placed = np.isfinite(rows['mean']) & (np.abs(rows['mean']) <= MAX_COORDINATE)
        sized = (rows['scale'] >= 0.0) & (rows['scale'] <= MAX_COORDINATE)
    turned = np.linalg.norm(rows['rotation'].astype(np.float64) - 128.0, axis=1)
    # A unit quaternion has length 128 in these bytes; rounding and clipping leave it near.
    return bool(placed.all() and sized.all() and (np.abs(turned - 128.0) < 16.0).mean() > 0.9)


def read_splat(path: Path) -> GaussianCloud:
    """Read a .splat: SH degree 0, linear scales, 8-bit colour, opacity and rotation.

    Raises:
        SplatFormatError: the file is no whole number of rows or holds values that are not sound.
    """
    source = path.name
    data = read_limited(path, MAX_GAUSSIANS * ROW.itemsize, source)
    whole = len(data) % ROW.itemsize == 0
    require(whole, source, f'the length must be a multiple of {ROW.itemsize}', len(data))
    check_count(len(data) // ROW.itemsize, source)
    rows = np.frombuffer(data, dtype=ROW)
    scales = rows['scale']
    with np.errstate(invalid='ignore', divide='ignore'):
        positive = bool((scales >= 0.0).all())
        logs = np.log(scales)
    require(positive, source, 'scales must be positive numbers', 'a negative one or NaN')
    colour = rows['colour'].astype(np.float64) / 255.0
    return cloud_from_file_values(
        source,
        rows['mean'],
        (rows['rotation'].astype(np.float64) - 128.0) / 128.0,
        logs,
        colour[:, 3],
        ((colour[:, :3] - 0.5) / harmonics.C0)[:, None, :],
    )


def save_splat(path: str | Path, cloud: GaussianCloud) -> None:
    """Write a .splat: colour, opacity and rotation in 8 bits, SH beyond the constant term lost.

    Raises:
        SplatFormatError: the file cannot be written.
    """
    rows = np.zeros(len(cloud), dtype=ROW)
    rows['mean'], rows['scale'] = cloud.means, cloud.scales
    colours = np.clip(0.5 + harmonics.C0 * cloud.sh[:, 0], 0.0, 1.0)
    levels = np.concatenate([colours, cloud.opacities[:, None]], axis=1)
    rows['colour'] = np.round(255.0 * levels)
    # +1 would need a byte of 256; half a step less than 128 keeps the direction.
    rows['rotation'] = np.clip(np.round(128.0 + 128.0 * cloud.quats), 0, 255)
    try:
        Path(path).write_bytes(rows.tobytes())
    except OSError as error:
        raise SplatFormatError(f'{Path(path).name}: must be writable, got {error}') from error
