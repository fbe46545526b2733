"""Captured splat objects as obstacles and people, each described by one line of YAML."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transforms3d.axangles import axangle2mat

from navbench_gs.errors import NavBenchError, SceneError
from navbench_gs.scenes.hull import matter_points, moved, shape_around, slabs_around
from navbench_gs.scenes.importer.options import Up
from navbench_gs.scenes.importer.orient import rotation
from navbench_gs.scenes.person import RADIUS, PersonSplats
from navbench_gs.scenes.resolve import content_hash
from navbench_gs.scenes.thing import SceneObject
from navbench_gs.splats import load
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.reduce import reduced
from s2e_core.config import check, from_yaml, option, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config

PUSHABLE = 15.0
"""Heaviest thing that a robot pushes, kg: the protocol's range ends here."""
TOP = 0.999
"""Part of the matter that lies below what counts as the top."""


@dataclass(frozen=True)
class ObjectLine:
    """One captured object: its file and how it stands."""

    file: str = option(help='Splat file or folder, relative to the folder of the catalogue.')
    up: Up = option('-y', choices=('+z', '-z', '+y', '-y'), help='Axis of the file that is up.')
    height: float | None = option(
        None, unit='m', low=0.05, high=10, help='From the floor to its top; sets the scale.'
    )
    scale: float | None = option(None, low=1e-4, high=1e4, help='Instead: metres per unit.')
    floor: float = option(
        0.0, low=0, high=0.9, help='Part of its extent that is cut off at the foot.'
    )
    within: float | None = option(
        None, unit='m', low=0.05, high=10, help='Matter farther from its middle is left out.'
    )
    yaw: float = option(0.0, unit='deg', low=-360, high=360, help='Turned about the vertical.')
    mass: float = option(20.0, unit='kg', low=0.1, high=10000, help='To 15 kg it can be pushed.')
    person: bool = option(False, help='Whether it is a person, not a thing.')
    gaussians: int = option(
        12000, low=100, high=1000000, help='Merged to so many: ten stand in one picture.'
    )
    licence: str = option('unknown', help='Licence of the capture.')

    def __post_init__(self) -> None:
        check(self, source=self.file)
        if (self.height is None) == (self.scale is None):
            raise ConfigError(
                f'{self.file}: one of height and scale must be given, got height {self.height}, '
                f'scale {self.scale}'
            )


@dataclass(frozen=True)
class Catalogue:
    """Captured objects by name."""

    objects: dict[str, ObjectLine]
    """The lines."""
    folder: str = option(
        '.', help='Where the files lie; relative to the catalogue, $NAME from the environment.'
    )


@dataclass(frozen=True)
class Entry:
    """A line and the file that it names."""

    name: str
    """In the catalogue."""
    line: ObjectLine
    path: Path

    @property
    def digest(self) -> str:
        """12 hex digits over line and file: equal digest, equal object."""
        text = json.dumps(to_mapping(self.line), sort_keys=True) + content_hash(self.path)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_catalogue(name: str) -> dict[str, Entry]:
    """Read a catalogue by name from ``config/objects`` or by path.

    Raises:
        SceneError: it is absent, breaks a rule, or needs a variable that is not set.
    """
    try:
        direct = Path(name).expanduser()
        path = direct if direct.suffix in ('.yaml', '.yml') else find_config(
            f'objects/{name}.yaml'
        )
        catalogue = from_yaml(Catalogue, path)
    except ConfigError as error:
        raise SceneError(str(error)) from error
    folder = os.path.expandvars(catalogue.folder)
    if '$' in folder:
        raise SceneError(f'{path}: folder {catalogue.folder!r} needs a variable that is not set')
    root = path.parent / Path(folder).expanduser()
    return {
        key: Entry(key, line, root / line.file) for key, line in catalogue.objects.items()
    }


def is_captured(kind: str) -> bool:
    """Whether a kind names a line of a catalogue: 'CATALOGUE:NAME', '@DIGEST' behind it or not."""
    return ':' in kind


def short_name(kind: str) -> str:
    """Return the name of a kind without catalogue and digest."""
    return kind.rpartition(':')[2].partition('@')[0]


def pinned(kind: str) -> str:
    """Return a captured kind with its digest, so that an episode cannot change unnoticed.

    Other kinds are returned as they are.

    Raises:
        SceneError: no such line or file.
    """
    if not is_captured(kind) or '@' in kind.rpartition(':')[2]:
        return kind
    return f'{kind}@{find_entry(kind).digest}'


@lru_cache(maxsize=256)
def find_entry(kind: str) -> Entry:
    """Find the line of 'CATALOGUE:NAME[@DIGEST]'.

    Raises:
        SceneError: no such line or file, or another digest.
    """
    catalogue, _, rest = kind.rpartition(':')
    name, _, digest = rest.partition('@')
    entries = read_catalogue(catalogue)
    if name not in entries:
        raise SceneError(f'{kind}: the catalogue has {sorted(entries)}, got {name!r}')
    entry = entries[name]
    if not entry.path.exists():
        raise SceneError(f'{kind}: {entry.path} must exist, got no such file or folder')
    if digest and entry.digest != digest:
        raise SceneError(
            f'{kind}: its line and file must have the digest {digest}, got {entry.digest}: one of '
            'them was changed'
        )
    return entry


@lru_cache(maxsize=64)
def captured_object(kind: str) -> SceneObject:
    """Make the obstacle of 'CATALOGUE:NAME'; the same object for the same kind.

    Raises:
        SceneError: as `find_entry`, or the line names a person or has nothing to stand.
    """
    entry = find_entry(kind)
    if entry.line.person:
        raise SceneError(f'{kind}: is a person, not an obstacle: it belongs into people.looks')
    return make_object(entry, kind)


@lru_cache(maxsize=64)
def captured_person(kind: str) -> PersonSplats:
    """Make the person of 'CATALOGUE:NAME': one pose, standing.

    Raises:
        SceneError: as `find_entry`, or the line is no person's.
    """
    entry = find_entry(kind)
    if not entry.line.person:
        raise SceneError(f'{kind}: must be a person (person: true), got an obstacle')
    return make_standing(entry)


def make_standing(entry: Entry) -> PersonSplats:
    """Make a person of a line: one pose, which stands.

    Raises:
        SceneError: the file is no splat, or nothing is left of it.
    """
    cloud = upright(entry)
    return PersonSplats(RADIUS, _top(cloud), (cloud,), cloud)


def make_object(entry: Entry, kind: str) -> SceneObject:
    """Make an obstacle of a line.

    Raises:
        SceneError: the file is no splat, or holds no matter that could stand.
    """
    cloud = upright(entry)
    try:
        slabs = slabs_around(cloud)
    except SceneError as error:
        raise SceneError(f'{kind}: {error}') from error
    shape, (half_x, half_y), centre, turn = shape_around(slabs)
    pose = np.eye(4)
    pose[:3, :3] = axangle2mat((0.0, 0.0, 1.0), -turn)
    pose[:2, 3] = -pose[:2, :2] @ centre
    half = slabs[-1].top / 2.0
    size = (half_x, half_y, half) if shape == 'box' else (half_x, half, 0.0)
    return SceneObject(
        kind, cloud.transformed(pose), shape, size, entry.line.mass, entry.line.mass <= PUSHABLE,
        tuple(moved(slab, -centre, -turn) for slab in slabs),
    )


def upright(entry: Entry) -> GaussianCloud:
    """Read an object, set it upright on z = 0 with its middle on the z axis, in metres.

    Raises:
        SceneError: the file is no splat, or nothing is left of it.
    """
    line = entry.line
    try:
        cloud = load(entry.path)
    except NavBenchError as error:
        raise SceneError(f'{entry.name}: {error}') from error
    turn = np.eye(4)
    turn[:3, :3] = axangle2mat((0.0, 0.0, 1.0), np.radians(line.yaw)) @ rotation(line.up)
    cloud = cloud.transformed(turn)
    low, high = _bottom(cloud), _top(cloud)
    low += line.floor * (high - low)
    scale = line.scale or (line.height or 1.0) / max(high - low, 1e-6)
    cloud = cloud.select(cloud.means[:, 2] >= low)
    if len(cloud) == 0:
        raise SceneError(f'{entry.path}: nothing is above its floor')
    middle = np.median(cloud.means[:, :2], axis=0)
    pose = np.diag([scale, scale, scale, 1.0])
    pose[:3, 3] = -scale * np.array([*middle, low])
    cloud = cloud.transformed(pose)
    if line.within is not None:
        cloud = cloud.select(np.hypot(cloud.means[:, 0], cloud.means[:, 1]) <= line.within)
    return reduced(_without_smears(cloud, scale * (high - low)), line.gaussians)


def _without_smears(cloud: GaussianCloud, height: float) -> GaussianCloud:
    """Leave out gaussians as large as a third of the object: left-overs of a background.

    The view-dependent part is dropped, too: it was fitted to one light and turns with the thing.
    """
    kept = cloud.select(cloud.scales.max(axis=1) < height / 3.0)
    return dataclasses.replace(kept, sh=kept.sh[:, :1])


def _top(cloud: GaussianCloud) -> float:
    return float(np.quantile(_heights(cloud), TOP))


def _bottom(cloud: GaussianCloud) -> float:
    return float(np.quantile(_heights(cloud), 1.0 - TOP))


def _heights(cloud: GaussianCloud) -> NDArray[np.floating]:
    """Return the heights of points on the matter, or of all centres where there is none."""
    points, _ = matter_points(cloud)
    return points[:, 2] if len(points) else cloud.means[:, 2]
