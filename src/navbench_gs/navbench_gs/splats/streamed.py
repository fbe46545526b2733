"""PlayCanvas streamed SOG: `lod-meta.json`, a tree of cells over files of several levels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import Folder
from navbench_gs.splats.sog import read_sog
from navbench_gs.splats.sog_parts import parse_json
from navbench_gs.splats.validation import MAX_GAUSSIANS, require

META_NAME = 'lod-meta.json'
MAX_META_BYTES = 16 * 1024 * 1024
"""A capture of 843 k gaussians has an index of 0.3 MB; JSON takes up to 20 times its length."""
MAX_NODES = 1_000_000
MAX_FILES = 4096


@dataclass(frozen=True)
class _Range:
    """A run of gaussians in one file."""

    file: int
    offset: int
    count: int


@dataclass(frozen=True)
class StreamedScene:
    """The index of a streamed scene.

    Level 0 is the finest. `leaves` maps, for every cell, a level to its run of gaussians.
    """

    folder: Folder
    filenames: tuple[str, ...]
    leaves: tuple[dict[int, _Range], ...]

    @property
    def source(self) -> str:
        """File name for messages."""
        return f'{self.folder.name}/{META_NAME}'

    def levels(self) -> list[int]:
        """Return every level that the index names, finest first."""
        return sorted({level for leaf in self.leaves for level in leaf})

    def missing(self, level: int) -> list[str]:
        """Return the files that `level` needs and that are absent."""
        used = {leaf[level].file for leaf in self.leaves if level in leaf}
        names = [self.filenames[index] for index in sorted(used)]
        return [name for name in names if not self.folder.has(name)]

    def choose(self, level: int | None) -> int:
        """Return the asked level, or the finest that is present as a whole.

        Raises:
            SplatFormatError: the level is not named by the index or its files are absent.
        """
        levels = self.levels()
        if level is None:
            for candidate in levels:
                if not self.missing(candidate):
                    return candidate
            raise SplatFormatError(
                f'{self.source}: the files of one level must be present, got none of {levels}'
            )
        require(level in levels, self.source, f'level must be one of {levels}', level)
        absent = self.missing(level)
        require(
            not absent,
            self.source,
            f'the files of level {level} must be present',
            f'no {", ".join(absent[:4])}',
        )
        return level


def open_streamed(root: Path) -> StreamedScene:
    """Read the index of a streamed scene.

    Raises:
        SplatFormatError: the index breaks a rule of the format.
    """
    folder = Folder(root)
    source = f'{folder.name}/{META_NAME}'
    meta = parse_json(folder.read(META_NAME, MAX_META_BYTES), source)
    names = meta.get('filenames')
    listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
    require(listed and bool(names), source, 'filenames must be a list of names', repr(names)[:60])
    assert isinstance(names, list)
    # A name twice would have its file read twice, and so on.
    different = len(names) <= MAX_FILES and len(set(names)) == len(names)
    rule = f'filenames must be at most {MAX_FILES} and all different'
    require(different, source, rule, f'{len(names)} of them, {len(set(names))} different')
    leaves: list[dict[int, _Range]] = []
    stack: list[object] = [meta.get('tree')]
    visited = 0
    while stack:
        node = stack.pop()
        visited += 1
        require(
            visited <= MAX_NODES, source, f'the tree must have at most {MAX_NODES} cells', visited
        )
        require(isinstance(node, dict), source, 'tree cells must be objects', type(node).__name__)
        assert isinstance(node, dict)
        children = node.get('children') or []
        require(
            isinstance(children, list), source, 'children must be a list', type(children).__name__
        )
        stack.extend(reversed(children))
        if node.get('lods') is not None:
            leaves.append(_parse_lods(node['lods'], len(names), source))
    require(bool(leaves), source, 'the tree must hold gaussians', 'no cell with lods')
    return StreamedScene(folder, tuple(names), tuple(leaves))


def _parse_lods(lods: object, files: int, source: str) -> dict[int, _Range]:
    require(isinstance(lods, dict), source, 'lods must be an object', type(lods).__name__)
    assert isinstance(lods, dict)
    result: dict[int, _Range] = {}
    for key, entry in lods.items():
        require(
            key.isdecimal() and len(key) <= 3, source, 'lods keys must be levels', repr(key)[:20]
        )
        require(isinstance(entry, dict), source, 'lods entries must be objects', repr(entry)[:40])
        values = [entry.get(name) for name in ('file', 'offset', 'count')]
        whole = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
        require(whole, source, 'lods file, offset and count must be integers', repr(values)[:60])
        file, offset, count = (int(value) for value in values)
        sane = 0 <= file < files and 0 <= offset <= MAX_GAUSSIANS and 0 <= count <= MAX_GAUSSIANS
        require(sane, source, 'lods must point into the files', repr(values)[:60])
        result[int(key)] = _Range(file, offset, count)
    return result


def read_streamed(root: Path, level: int | None = None) -> GaussianCloud:
    """Read one level of a streamed scene, every cell of it.

    Args:
        root: folder that holds `lod-meta.json`.
        level: 0 is the finest; None takes the finest level whose files are all present.

    Raises:
        SplatFormatError: index or files break a rule, or the level is absent.
    """
    scene = open_streamed(root)
    chosen = scene.choose(level)
    ranges: dict[int, list[_Range]] = {}
    for leaf in scene.leaves:
        if chosen in leaf:
            ranges.setdefault(leaf[chosen].file, []).append(leaf[chosen])
    clouds: list[GaussianCloud] = []
    total = 0
    for file, runs in sorted(ranges.items()):
        cloud = read_sog(scene.folder, scene.filenames[file])
        used = _used(runs, len(cloud), scene.filenames[file], scene.source)
        clouds.append(cloud if used.all() else cloud.select(used))
        total += len(clouds[-1])
        rule = f'a level must hold at most {MAX_GAUSSIANS} gaussians'
        require(total <= MAX_GAUSSIANS, scene.source, rule, total)
    require(total > 0, scene.source, f'the cells of level {chosen} must hold gaussians', 'none')
    return GaussianCloud.concatenate(clouds)


def _used(runs: list[_Range], count: int, name: str, source: str) -> NDArray[np.bool_]:
    """Return `[count]`: the gaussians of a file that some run names."""
    worst = max(run.offset + run.count for run in runs)
    rule = f'cells must stay within the {count} gaussians of {name}'
    require(worst <= count, source, rule, worst)
    # Starts less ends, summed up: a million overlapping runs cost no more than one.
    steps = np.zeros(count + 1, dtype=np.int64)
    np.add.at(steps, [run.offset for run in runs], 1)
    np.add.at(steps, [run.offset + run.count for run in runs], -1)
    return np.cumsum(steps[:-1]) > 0
