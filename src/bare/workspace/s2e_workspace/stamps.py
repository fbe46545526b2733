"""Stamps: a finished step leaves the digest of its inputs, so that it is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(*, texts: Iterable[str] = (), files: Iterable[Path] = (), base: Path) -> str:
    """Return a hash over texts and over the relative names and contents of files.

    Args:
        texts: Values that decide the result, such as a Python version.
        files: Files whose content decides the result; a missing file counts as absent.
        base: Folder against which file names are taken, so that a moved checkout hashes equally.
    """
    total = hashlib.sha256()
    for text in texts:
        total.update(b'text\0' + text.encode() + b'\0')
    for path in sorted(files):
        total.update(b'file\0' + str(path.relative_to(base)).encode() + b'\0')
        total.update(path.read_bytes() if path.is_file() else b'absent')
        total.update(b'\0')
    return total.hexdigest()


class Stamps:
    """Digests of finished steps, one small file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self, step: str, value: str) -> bool:
        """Return whether the step was finished with exactly these inputs."""
        path = self._folder / step
        return path.is_file() and path.read_text(encoding='utf-8').strip() == value

    def write(self, step: str, value: str) -> None:
        """Record that the step is finished."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / step).write_text(value + '\n', encoding='utf-8')

    def drop(self, step: str) -> None:
        """Forget a step, so that an interrupted one is done again."""
        path = self._folder / step
        if path.exists():
            path.unlink()
