"""A small, exact-size store for the splats of generated scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navbench_gs.errors import SceneError
from navbench_gs.scenes.archive import read_arrays, write_arrays
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import normalised

_NAMES = {'means', 'quats', 'scales', 'opacities', 'sh'}


def write_splats(path: Path, cloud: GaussianCloud) -> None:
    """Write a view-independent cloud in 24 bytes per gaussian before compression.

    Means stay float32; quaternions take 8 bits per component (0.5 deg), log scales and colours
    float16 (0.1 % and 1/2000), opacities 8 bits.
    """
    write_arrays(
        path,
        {
            'means': cloud.means,
            'quats': np.round(cloud.quats * 127.0).astype(np.int8),
            'scales': np.log(cloud.scales).astype(np.float16),
            'opacities': np.round(cloud.opacities * 255.0).astype(np.uint8),
            'sh': cloud.sh.astype(np.float16),
        },
    )


def read_splats(path: Path) -> GaussianCloud:
    """Read a file of `write_splats`.

    Raises:
        SceneError: the file is damaged or holds values that are not finite.
    """
    arrays = read_arrays(path, _NAMES)
    try:
        cloud = GaussianCloud(
            arrays['means'].astype(np.float32),
            normalised(arrays['quats'].astype(np.float64)).astype(np.float32),
            np.exp(arrays['scales'].astype(np.float64)).astype(np.float32),
            arrays['opacities'].astype(np.float32) / 255.0,
            arrays['sh'].astype(np.float32),
        )
    except (ValueError, TypeError) as error:
        raise SceneError(f'{path}: {error}') from error
    finite = (np.isfinite(a).all() for a in (cloud.means, cloud.scales, cloud.sh))
    if not all(finite):
        raise SceneError(f'{path}: holds values that are not finite')
    return cloud
