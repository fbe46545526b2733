"""Which reader takes which file: formats are recognised by content, never by name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import streamed
from navbench_gs.splats.antimatter import looks_like_splat, read_splat
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.compressed_ply import is_compressed, read_compressed_ply
from navbench_gs.splats.fileset import Archive, Folder
from navbench_gs.splats.ksplat import looks_like_ksplat, read_ksplat
from navbench_gs.splats.ply import read_ply
from navbench_gs.splats.ply_header import MAGIC as PLY_MAGIC
from navbench_gs.splats.sog import read_sog
from navbench_gs.splats.spz import GZIP_MAGIC, read_spz
from navbench_gs.splats.spz import MAGIC as SPZ_MAGIC
from navbench_gs.splats.validation import brief

SNIFF_BYTES = 65536
ENVIRONMENT_NAMES = ('environment.sog', 'environment/meta.json')


@dataclass(frozen=True)
class SplatFormat:
    """One file format."""

    name: str
    recognises: Callable[[Path, bytes], bool]
    """(path, first bytes of the file; empty for a folder) -> is it this format."""
    read: Callable[[Path, int | None], GaussianCloud]
    """(path, level of detail or None) -> cloud."""


def _read_bundle(path: Path, level: int | None) -> GaussianCloud:
    archive = Archive(path)
    try:
        return read_sog(archive)
    finally:
        archive.close()


def _is_member(path: Path, head: bytes, name: str) -> bool:
    return (path / name).is_file() if path.is_dir() else path.name == name and head[:1] == b'{'


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


FORMATS: list[SplatFormat] = [
    SplatFormat(
        'streamed SOG (lod-meta.json)',
        lambda path, head: _is_member(path, head, streamed.META_NAME),
        lambda path, level: streamed.read_streamed(_folder_of(path), level),
    ),
    SplatFormat(
        'SOG folder (meta.json)',
        lambda path, head: _is_member(path, head, 'meta.json'),
        lambda path, level: read_sog(Folder(_folder_of(path))),
    ),
    SplatFormat('SOG bundle (ZIP)', lambda path, head: head[:2] == b'PK', _read_bundle),
    SplatFormat(
        'PlayCanvas compressed .ply',
        lambda path, head: head[:3] == PLY_MAGIC and is_compressed(head),
        lambda path, level: read_compressed_ply(path),
    ),
    SplatFormat(
        'INRIA .ply',
        lambda path, head: head[:3] == PLY_MAGIC,
        lambda path, level: read_ply(path),
    ),
    SplatFormat(
        'SPZ',
        lambda path, head: head[:4] == SPZ_MAGIC or head[:2] == GZIP_MAGIC,
        lambda path, level: read_spz(path),
    ),
    SplatFormat('.ksplat', looks_like_ksplat, lambda path, level: read_ksplat(path)),
    # Last: it has no magic number, only values that make sense.
    SplatFormat('.splat', looks_like_splat, lambda path, level: read_splat(path)),
]
"""Tried in order; a further format is one more entry."""


def recognise(path: Path) -> SplatFormat:
    """Return the format of a file or folder.

    Raises:
        SplatFormatError: it does not exist or no format recognises it.
    """
    head = b''
    try:
        if not path.exists():
            raise SplatFormatError(f'{path}: a splat file or folder must exist, got none')
        if path.is_file():
            with path.open('rb') as stream:
                head = stream.read(SNIFF_BYTES)
        for candidate in FORMATS:
            if candidate.recognises(path, head):
                return candidate
    except OSError as error:
        name = brief(path.name)
        raise SplatFormatError(f'{name}: must be readable, got {brief(error)}') from error
    known = ', '.join(candidate.name for candidate in FORMATS)
    what = 'a folder without any of their files' if path.is_dir() else f'header {head[:8]!r}'
    raise SplatFormatError(f'{path.name}: must be one of {known}, got {what}')


def find_environment(path: Path) -> Path | None:
    """Return the sky file that lies beside a scene, or None."""
    for name in ENVIRONMENT_NAMES:
        candidate = _folder_of(path) / name
        if candidate.is_file():
            return candidate
    return None


def load(
    path: str | Path, *, level: int | None = None, environment: bool = False
) -> GaussianCloud:
    """Read a splat file or folder of any known format.

    Args:
        path: file, folder, `meta.json` or `lod-meta.json`.
        level: level of detail of a streamed scene, 0 the finest; None takes the finest that is
            present. Formats without levels take None only.
        environment: read the scene's sky (`environment.sog` beside it) instead of the scene
            itself; join both with `GaussianCloud.concatenate` to draw them together.

    Raises:
        SplatFormatError: names the file, the rule that is broken and the value received.
    """
    target = Path(path)
    if environment:
        sky = find_environment(target)
        if sky is None:
            raise SplatFormatError(
                f'{target}: {" or ".join(ENVIRONMENT_NAMES)} must lie beside it, got none'
            )
        return recognise(sky).read(sky, None)
    chosen = recognise(target)
    if level is not None and chosen is not FORMATS[0]:
        raise SplatFormatError(f'{target.name}: {chosen.name} has no levels, got level {level}')
    try:
        return chosen.read(target, level)
    except MemoryError as error:
        raise SplatFormatError(f'{target.name}: must fit into memory, got {error!r}') from error
