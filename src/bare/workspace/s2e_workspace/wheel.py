"""Packs a colcon install tree of interface packages as a wheel laid out like the ros-* wheels.

Python modules go to site-packages; libraries, headers and `share` go under the environment's
prefix, which is also the ament prefix. The format is the binary distribution format 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

# What colcon adds for sourcing; in an environment the interpreter sets the paths.
SHELL_SUFFIXES = ('.bash', '.sh', '.zsh', '.ps1', '.dsv')
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def pack_wheel(tree: Path, wheel: Path) -> None:
    """Write the wheel.

    Args:
        tree: colcon's merged install folder.
        wheel: The file to write; its name gives distribution, version and compatibility tag.
    """
    wheel.parent.mkdir(parents=True, exist_ok=True)
    name, version, tag = wheel.name[: -len('.whl')].split('-', 2)
    partial = wheel.with_suffix('.tmp')
    info = f'{name}-{version}.dist-info'
    record: list[str] = []
    with zipfile.ZipFile(partial, 'w', zipfile.ZIP_DEFLATED) as archive:

        def add(path: str, content: bytes) -> None:
            hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=')
            record.append(f'{path},sha256={hashed.decode()},{len(content)}')
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if '.so' in path else 0o100644) << 16
            archive.writestr(entry, content)

        for source, destination in sorted(_members(tree, f'{name}-{version}.data/data')):
            add(destination, source.read_bytes())
        add(f'{info}/METADATA', _metadata(name, version).encode())
        add(f'{info}/WHEEL', _wheel_file(tag).encode())
        archive.writestr(f'{info}/RECORD', '\n'.join([*record, f'{info}/RECORD,,', '']))
    partial.replace(wheel)


def _members(tree: Path, data: str) -> Iterator[tuple[Path, str]]:
    for path in tree.rglob('*'):
        relative = path.relative_to(tree)
        parts = relative.parts
        if not path.is_file() or '__pycache__' in parts or len(parts) == 1:
            continue
        if 'site-packages' in parts:
            inner = parts[parts.index('site-packages') + 1 :]
            if inner[0].endswith('.egg-info') or path.suffix == '.c':
                continue
            yield path, '/'.join(inner)
        elif path.suffix not in SHELL_SUFFIXES and parts[:2] != ('share', 'colcon-core'):
            yield path, f'{data}/{relative.as_posix()}'


def _metadata(name: str, version: str) -> str:
    return (
        f'Metadata-Version: 2.1\nName: {name.replace("_", "-")}\nVersion: {version}\n'
        'Summary: ROS 2 interfaces of the s2e_nav workspace, built on this machine\n'
        'License: Apache-2.0\n'
    )


def _wheel_file(tag: str) -> str:
    return f'Wheel-Version: 1.0\nGenerator: s2e_workspace\nRoot-Is-Purelib: false\nTag: {tag}\n'
