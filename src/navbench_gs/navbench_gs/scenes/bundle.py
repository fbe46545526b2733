"""The scene bundle: a folder of scene.yaml, splats, collision.npz and spawn.npz."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.archive import read_arrays, write_arrays
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.splatfile import read_splats, write_splats
from navbench_gs.splats.cloud import GaussianCloud

VERSION = 1
"""Version of the folder's layout."""

_KINDS = ('generated', 'capture')
_FILES = ('splats.npz', 'collision.npz', 'spawn.npz')


@dataclass(frozen=True)
class SceneBundle:
    """A loaded scene; splats stay on disk until `cloud` is called."""

    root: Path
    """Folder of the bundle."""
    name: str
    """Short name, such as city-7."""
    kind: Literal['generated', 'capture']
    """Where the scene comes from."""
    seed: int | None
    """Seed of a generated scene."""
    source: str
    """Where the splats come from: generator version, or the capture's folder name."""
    licence: str
    """Licence of the picture, 'unknown' for a capture without one."""
    metric: bool
    """Whether a unit is known to be a metre; captures without a known scale assume it."""
    gaussians: int
    """Number of splats, background included."""
    hash: str
    """sha256 over the bundle's files: equal hash, equal world."""
    collision: CollisionMap
    """What can be hit, where the floor is."""
    spawn: NDArray[np.float64]
    """`[S, 2]` xy on free space where robots may start or goals may lie."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What the generator or importer found: layout, sun, removed splats, path length."""
    part: str = ''
    """Which part of the scene's routes `spawn` is for; see `scenes.part`."""

    def cloud(self) -> GaussianCloud:
        """Read the splats: scene frame, metric, z up, background (sky) included.

        Raises:
            SceneError: the splat file is damaged.
        """
        cloud = read_splats(self.root / 'splats.npz')
        if len(cloud) != self.gaussians:
            raise SceneError(
                f'{self.root}: scene.yaml names {self.gaussians} gaussians, splats.npz holds '
                f'{len(cloud)}'
            )
        return cloud


def save_scene(
    root: Path,
    *,
    name: str,
    kind: Literal['generated', 'capture'],
    cloud: GaussianCloud,
    collision: CollisionMap,
    spawn: NDArray[np.floating],
    seed: int | None = None,
    source: str,
    licence: str,
    metric: bool,
    notes: dict[str, Any] | None = None,
) -> SceneBundle:
    """Write a bundle into an existing or new folder and return it loaded.

    Raises:
        SceneError: the folder cannot be written.
    """
    root = Path(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        write_splats(root / 'splats.npz', cloud)
        collision.save(root / 'collision.npz')
        write_arrays(root / 'spawn.npz', {'spawn': np.asarray(spawn, dtype=np.float64)})
        meta = {
            'version': VERSION,
            'name': name,
            'kind': kind,
            'seed': seed,
            'source': source,
            'licence': licence,
            'metric': metric,
            'gaussians': len(cloud),
            'files': {file: _digest(root / file) for file in _FILES},
            'notes': notes or {},
        }
        (root / 'scene.yaml').write_text(yaml.safe_dump(meta, sort_keys=False), encoding='utf-8')
    except OSError as error:
        raise SceneError(f'{root}: cannot write the scene bundle: {error}') from error
    return load_scene(root)


def load_scene(path: Path | str) -> SceneBundle:
    """Read a bundle folder and verify its files.

    Raises:
        SceneError: a file is missing, was changed, or breaks a rule.
    """
    root = Path(path)
    meta = _read_meta(root / 'scene.yaml')
    digests = {}
    for file, expected in meta['files'].items():
        if file not in _FILES:
            raise SceneError(f'{root / "scene.yaml"}: files must be among {_FILES}, got {file!r}')
        digests[file] = _digest(root / file)
        if digests[file] != expected:
            raise SceneError(
                f'{root / file}: sha256 must be {expected}, got {digests[file]}: the file was '
                'changed or cut; make the bundle again'
            )
    text = '\n'.join(f'{file} {digests[file]}' for file in sorted(digests))
    return SceneBundle(
        root=root,
        name=str(meta['name']),
        kind=meta['kind'],
        seed=meta['seed'],
        source=str(meta['source']),
        licence=str(meta['licence']),
        metric=bool(meta['metric']),
        gaussians=int(meta['gaussians']),
        hash=hashlib.sha256(text.encode()).hexdigest(),
        collision=CollisionMap.load(root / 'collision.npz'),
        spawn=read_arrays(root / 'spawn.npz', {'spawn'})['spawn'].astype(np.float64),
        notes=dict(meta['notes']),
    )


def _read_meta(path: Path) -> dict[str, Any]:
    """Read and check scene.yaml."""
    try:
        meta = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SceneError(f'{path}: not a readable scene description: {error}') from error
    keys = {
        'version', 'name', 'kind', 'seed', 'source', 'licence', 'metric', 'gaussians', 'files',
        'notes',
    }
    if not isinstance(meta, dict) or meta.keys() != keys:
        got = sorted(meta) if isinstance(meta, dict) else type(meta).__name__
        raise SceneError(f'{path}: must have exactly the keys {sorted(keys)}, got {got}')
    if meta['version'] != VERSION:
        raise SceneError(f'{path}: version must be {VERSION}, got {meta["version"]!r}')
    if meta['kind'] not in _KINDS:
        raise SceneError(f'{path}: kind must be one of {_KINDS}, got {meta["kind"]!r}')
    if not isinstance(meta['files'], dict) or set(meta['files']) != set(_FILES):
        raise SceneError(f'{path}: files must name {_FILES}, got {meta["files"]!r}')
    return meta


def _digest(path: Path) -> str:
    """Return the sha256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SceneError(f'{path}: cannot be read: {error}') from error
