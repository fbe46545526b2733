"""Reading and writing `.npz` archives without pickle and without surprise allocations."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError

MAX_BYTES = 1 << 30
"""Largest sum of unpacked array bytes that is read: 20 times an 80 m scene of 500 k gaussians."""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write named arrays, compressed; equal arrays give equal bytes."""
    with path.open('wb') as stream:
        ordered: dict[str, Any] = {name: np.asarray(a, order='C') for name, a in arrays.items()}
        np.savez_compressed(stream, **ordered)


def read_arrays(path: Path, names: set[str]) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of an archive.

    Args:
        path: a file of `write_arrays`.
        names: names that must be present.

    Raises:
        SceneError: the file is absent, damaged, too large, or lacks a name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(info.file_size for info in archive.infolist())
        if total > MAX_BYTES:
            raise SceneError(f'{path}: unpacked size must be <= {MAX_BYTES} bytes, got {total}')
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise SceneError(f'{path}: not a readable array archive: {error}') from error
    missing = names - arrays.keys()
    if missing:
        raise SceneError(f'{path}: lacks the arrays {sorted(missing)}, has {sorted(arrays)}')
    return arrays
