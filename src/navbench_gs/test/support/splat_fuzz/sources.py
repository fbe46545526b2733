"""Where inputs come from: sound files of one format, and damaged ones made from them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from navbench_gs.splats import GaussianCloud
from navbench_gs.splats.streamed import META_NAME
from splat_fuzz.damage import Rng, damage, damage_json, hostile_image

COUNT = 30
"""Gaussians in a sound file."""
BOMB = 64_000_000
"""Bytes that a bomb of a few kB unpacks to."""


class Source:
    """Good files of one format, and damaged ones made from them."""

    def __init__(self, folder: Path, read: Callable[[Path], GaussianCloud]) -> None:
        self.folder, self.read = folder, read

    def make(self, rng: Rng) -> Path:
        """Write the next damaged input; return what to load."""
        raise AssertionError


class File(Source):
    """A format of single files: `good` are the bytes of sound ones."""

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], GaussianCloud],
        good: list[bytes],
        special: Callable[[bytes, Rng], bytes] = damage,
    ) -> None:
        super().__init__(folder, read)
        self.good, self.special = good, special

    def make(self, rng: Rng) -> Path:
        """Write a file of bytes damaged outside or, half of the time, inside the packing."""
        good = self.good[int(rng.integers(len(self.good)))]
        alter = self.special if rng.random() < 0.5 else damage
        path = self.folder / 'input.bin'
        path.write_bytes(alter(good, rng))
        return path


class Members(Source):
    """A format of several files, below a folder or in a ZIP archive."""

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], GaussianCloud],
        good: list[dict[str, bytes]],
        bundled: bool = False,
    ) -> None:
        super().__init__(folder, read)
        self.good, self.bundled = good, bundled
        self.present: dict[str, bytes] = {}

    def make(self, rng: Rng) -> Path:
        """Write a set with one or two damaged members."""
        members = dict(self.good[int(rng.integers(len(self.good)))])
        for _ in range(1 + int(rng.random() < 0.2)):
            name = str(rng.choice(list(members)))
            if rng.random() < 0.3:
                # The description decides most.
                name = min(members, key=lambda key: ('meta.json' not in key, len(key)))
            members[name] = _alter_member(name, members[name], rng)
            if rng.random() < 0.05 and len(members) > 1:
                del members[str(rng.choice(list(members)))]
        if self.bundled:
            return self._damaged_bundle(members, rng)
        return self.write(members)

    def write(self, members: dict[str, bytes]) -> Path:
        """Write a set as it is."""
        if self.bundled:
            path = self.folder / 'input.sog'
            with zipfile.ZipFile(path, 'w') as target:
                for name, data in members.items():
                    target.writestr(name, data)
            return path
        root = self.folder / 'input'
        # Most members stay from input to input.
        for name in self.present.keys() - members.keys():
            (root / name).unlink()
        for name, data in members.items():
            if self.present.get(name) != data:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(data)
        self.present = members
        return root

    def _damaged_bundle(self, members: dict[str, bytes], rng: Rng) -> Path:
        path = self.folder / 'input.sog'
        buffer = io.BytesIO()
        packing = zipfile.ZIP_DEFLATED if rng.random() < 0.3 else zipfile.ZIP_STORED
        with zipfile.ZipFile(buffer, 'w', packing, compresslevel=1) as target:
            for name, data in members.items():
                if rng.random() < 0.003:
                    target.writestr(name, data + bytes(BOMB), zipfile.ZIP_DEFLATED, 1)
                else:
                    target.writestr(zipfile.ZipInfo(name), data, packing)
        data = buffer.getvalue()
        path.write_bytes(damage(data, rng) if rng.random() < 0.4 else data)
        return path


def _alter_member(name: str, data: bytes, rng: Rng) -> bytes:
    """Damage one member as text, as bytes or as an image."""
    if name == META_NAME and rng.random() < 0.02:
        return _crowded_index(rng)
    if name.endswith('.json') and rng.random() < 0.7:
        try:
            return json.dumps(damage_json(json.loads(data), rng)).encode()
        except (ValueError, RecursionError):
            return b'{}'
    if not name.endswith('.json') and rng.random() < 0.4:
        return hostile_image(data, rng)
    return damage(data, rng)


def _crowded_index(rng: Rng) -> bytes:
    """Return the index of a streamed scene with very many cells, names or levels."""
    many = int(rng.choice([2000, 20_000]))
    run = {'file': int(rng.integers(3)), 'offset': 0, 'count': int(rng.integers(COUNT + 2))}
    names = ['0_0/meta.json', '1_0/meta.json', '1_1/meta.json']
    kind = int(rng.integers(4))
    if kind == 0:
        tree: Any = {'children': [{'lods': {'1': run}}] * many}
    elif kind == 1:
        names += names * many
        tree = {'children': [{'lods': {'1': {**run, 'file': n}}} for n in range(many)]}
    elif kind == 2:
        tree = {'children': [{'lods': {str(n): run for n in range(1200)}}]}
    else:
        tree = {'children': [{}] * many}
    return json.dumps({'filenames': names, 'tree': tree}).encode()
