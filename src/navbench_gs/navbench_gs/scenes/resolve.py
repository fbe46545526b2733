"""From what a user types to a scene on disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from navbench_gs.errors import SceneError, SplatFormatError
from navbench_gs.scenes.bundle import SceneBundle, load_scene
from navbench_gs.scenes.part import split_part, take_part
from navbench_gs.splats.registry import recognise

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction done, 0 to 1."""

ALLOWED = (
    "'city:SEED' (generated), the folder of a scene bundle, or a capture to import "
    '(a .ply or .sog file, or a folder with meta.json or lod-meta.json); @training or @held-out '
    'behind it takes a part of its routes'
)


def cache_folder() -> Path:
    """Return where scenes are kept: $S2E_CACHE, else $XDG_CACHE_HOME/s2e, else ~/.cache/s2e."""
    if explicit := os.environ.get('S2E_CACHE'):
        return Path(explicit)
    base = os.environ.get('XDG_CACHE_HOME')
    return (Path(base) if base else Path.home() / '.cache') / 's2e'


def resolve_scene(
    spec: str, *, cache: Path | None = None, progress: Progress | None = None
) -> SceneBundle:
    """Return the scene that `spec` names, made or imported on first use.

    Args:
        spec: `city:SEED`, a bundle's folder, or a capture's file or folder; `@training` or
            `@held-out` behind it takes a part of its routes.
        cache: where made scenes are kept, `cache_folder()` by default.
        progress: told about long work.

    Raises:
        SceneError: nothing can be made of `spec`.
    """
    spec, part = split_part(str(spec))
    bundle = _whole(spec, cache, progress)
    return bundle if part is None else take_part(bundle, part)


def _whole(spec: str, cache: Path | None, progress: Progress | None) -> SceneBundle:
    """Return a scene with all of its routes."""
    root = Path(cache) if cache is not None else cache_folder()
    if match := re.fullmatch(r'city:(\d{1,9})', spec):
        return _generated(int(match[1]), root, progress)
    path = Path(spec).expanduser()
    if not spec or not path.exists():
        raise SceneError(f'scene {spec!r}: no such file or folder; allowed: {ALLOWED}')
    if (path / 'scene.yaml').is_file():
        return load_scene(path)
    try:
        # Before hashing: a folder of something else may be huge.
        recognise(path)
    except SplatFormatError as error:
        raise SceneError(f'scene {spec!r}: {error}; allowed: {ALLOWED}') from error
    return _imported(path, root, progress)


def _generated(seed: int, root: Path, progress: Progress | None) -> SceneBundle:
    """Load the city of a seed from the cache, or make it."""
    from navbench_gs.scenes.city import GENERATOR_VERSION, check_seed, write_city

    check_seed(seed)
    target = root / 'scenes' / f'city-{seed}-v{GENERATOR_VERSION}'
    return _cached(target, lambda folder: write_city(seed, folder, progress))


def _imported(path: Path, root: Path, progress: Progress | None) -> SceneBundle:
    """Load a capture's bundle from the cache, or import it."""
    from navbench_gs.scenes.importer import IMPORTER_VERSION, import_capture

    if progress is not None:
        progress(f'reading {path.name}', 0.0)
    key = content_hash(path)[:16]
    target = root / 'scenes' / f'capture-{path.resolve().stem}-{key}-v{IMPORTER_VERSION}'
    return _cached(target, lambda folder: import_capture(path, folder, progress=progress))


def _cached(target: Path, make: Callable[[Path], SceneBundle]) -> SceneBundle:
    """Return the bundle at `target`; make it beside and move it there when whole.

    Two processes may make the same scene at once: the first to finish wins, both get its bundle.
    """
    if (target / 'scene.yaml').is_file():
        try:
            return load_scene(target)
        except SceneError:
            # A cache entry that was cut or edited is made again, never trusted.
            shutil.rmtree(target, ignore_errors=True)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f'.{target.name}.', dir=target.parent))
    except OSError as error:
        raise SceneError(f'{target.parent}: cannot write the scene cache: {error}') from error
    try:
        make(draft)
        try:
            draft.rename(target)
        except OSError:
            if not (target / 'scene.yaml').is_file():
                raise
    except OSError as error:
        raise SceneError(f'{target}: cannot write the scene cache: {error}') from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return load_scene(target)


def content_hash(path: Path) -> str:
    """Return the sha256 over the names and bytes of a capture's files.

    Raises:
        SceneError: a file cannot be read.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob('*') if p.is_file())
    digest = hashlib.sha256()
    try:
        for file in files:
            digest.update(str(file.relative_to(path)).encode())
            with file.open('rb') as stream:
                digest.update(hashlib.file_digest(stream, 'sha256').digest()
                              if hasattr(hashlib, 'file_digest')
                              else hashlib.sha256(stream.read()).digest())
    except OSError as error:
        raise SceneError(f'{path}: cannot be read: {error}') from error
    return digest.hexdigest()
