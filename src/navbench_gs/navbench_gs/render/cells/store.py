"""Surveyed points on disk: one small file each, made again when it does not read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.cells.grid import Node
from navbench_gs.render.cpu.prepare import PreparedCloud

FORMAT = 1
"""Raise when a survey of the same cloud would give another answer."""


def fingerprint(cloud: PreparedCloud, settings: tuple[object, ...]) -> str:
    """Return 16 hex digits that name a cloud's geometry, its opacities and the settings."""
    digest = hashlib.sha256(repr((FORMAT, *settings)).encode())
    for array in (cloud.means, cloud.covariances, cloud.looks[:, 0]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


class NodeStore:
    """Visible sets in a folder, below the fingerprint of their cloud; without one, nowhere."""

    def __init__(self, folder: Path | None, name: str, gaussians: int) -> None:
        """Keep sets in `folder`/`name` (nowhere when None) of indices below `gaussians`."""
        self._folder = None if folder is None else folder / name
        self._gaussians = gaussians

    def load(self, resolution: int, node: Node) -> NDArray[np.int32] | None:
        """Return the stored set, or None when there is none that can be trusted."""
        path = self._path(resolution, node)
        if path is None or not path.is_file():
            return None
        unpacker = zlib.decompressobj()
        try:
            # A step takes 4 bytes, so a longer file is not ours.
            data = unpacker.decompress(path.read_bytes(), 4 * self._gaussians)
        except (OSError, zlib.error):
            return None
        if not unpacker.eof or len(data) % 4:
            return None
        steps = np.frombuffer(data, dtype='<u4').astype(np.int64)
        indices = np.cumsum(steps) - 1
        if len(indices) and (steps.min() < 1 or indices[-1] >= self._gaussians):
            return None
        return indices.astype(np.int32)

    def save(self, resolution: int, node: Node, indices: NDArray[np.int32]) -> None:
        """Store ascending indices `[K]` as the compressed steps between them.

        A folder that cannot be written is no error: the set is surveyed again next time.
        """
        path = self._path(resolution, node)
        if path is None:
            return
        steps = np.diff(indices.astype(np.int64), prepend=-1).astype('<u4')
        part = path.with_name(f'{path.name}.{os.getpid()}.part')
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(zlib.compress(steps.tobytes(), 6))
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()

    def _path(self, resolution: int, node: Node) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / str(resolution) / '_'.join(str(step) for step in node)
