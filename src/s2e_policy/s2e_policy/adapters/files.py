"""Reads an ONNX file of unknown origin, with the files it may name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from s2e_policy.errors import PolicyError
from s2e_policy.manifest import MAX_FILE_BYTES
from s2e_policy.wire import external_locations


@dataclass(frozen=True)
class ModelFile:
    """A graph and its external tensors, in memory."""

    path: Path
    """Where it was read."""
    model: bytes
    """The graph."""
    weights: dict[str, bytes]
    """Content of external files by name."""

    @property
    def digest(self) -> str:
        """sha256 of the graph file, hexadecimal."""
        return hashlib.sha256(self.model).hexdigest()


def read_model(path: Path) -> ModelFile:
    """Read a graph and the tensors beside it.

    Args:
        path: A ``.onnx`` file; external tensors must be plain files of its folder.

    Raises:
        PolicyError: Missing, too large, no ONNX file, or it names a file outside its folder.
    """
    model = _read(path)
    weights = {}
    for name in sorted(external_locations(model)):
        if name in ('', '.', '..') or PurePosixPath(name).name != name or '\\' in name:
            raise PolicyError(
                f'{path}: tensors may lie only in files of its own folder, got {name!r}'
            )
        beside = path.parent / name
        if beside.is_symlink():
            raise PolicyError(
                f'{beside}: tensors may lie only in plain files, this is a link; copy the file'
            )
        weights[name] = _read(beside)
    return ModelFile(path, model, weights)


def _read(path: Path) -> bytes:
    """Read a file after its size was looked at."""
    if not path.is_file():
        raise PolicyError(f'{path}: no such file')
    size = path.stat().st_size
    if not 0 < size <= MAX_FILE_BYTES:
        raise PolicyError(f'{path}: must have 1 to {MAX_FILE_BYTES} bytes, got {size}')
    return path.read_bytes()
