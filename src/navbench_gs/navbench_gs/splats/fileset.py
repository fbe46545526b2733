"""A set of named files: a folder or a ZIP archive, read with size limits."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.validation import brief, require

MAX_MEMBER_BYTES = 512 * 1024 * 1024
"""Largest single image accepted; 16 M gaussians of random bytes take 64 MB per image."""
MAX_ARCHIVE_MEMBERS = 4096
# What zipfile raises on damaged, encrypted or exotic archives.
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, OSError, ValueError, EOFError,
    OverflowError, IndexError,
)  # fmt: skip


class FileSet(Protocol):
    """Named files that belong together."""

    name: str

    def has(self, member: str) -> bool:
        """Say whether a member of that name is present."""
        ...

    def read(self, member: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
        """Return the member's bytes; SplatFormatError if absent or longer than `limit`."""
        ...


def check_member_name(member: str, source: str) -> PurePosixPath:
    """Return a member's path after refusing names that leave the set (`..`, absolute, drives)."""
    path = PurePosixPath(member)
    safe = (
        bool(member)
        and not path.is_absolute()
        and '..' not in path.parts
        and not any(character in member for character in '\\:\0')
        and len(member) < 512
    )
    require(
        safe, source, 'file names must be relative and stay inside the folder', repr(member)[:80]
    )
    return path


class Folder:
    """Files below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = root.name

    def has(self, member: str) -> bool:
        """Say whether a member of that name is present."""
        return _is_file(self.root / check_member_name(member, self.name))

    def read(self, member: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
        """Return the member's bytes; SplatFormatError if absent or longer than `limit`."""
        path = self.root / check_member_name(member, self.name)
        source = f'{self.name}/{member}'
        require(_is_file(path), source, 'the file must exist', 'none')
        return read_limited(path, limit, source)


def _is_file(path: Path) -> bool:
    """Say whether a path is a file; names that the system cannot hold are none."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_limited(path: Path, limit: int, source: str) -> bytes:
    """Read a whole file of at most `limit` bytes."""
    try:
        size = path.stat().st_size
        require(size <= limit, source, f'the file must be at most {limit} bytes', size)
        with path.open('rb') as stream:
            # Not limit + 1: a read takes memory for what it is asked for.
            data = stream.read(size + 1)
    except OSError as error:
        raise SplatFormatError(f'{source}: the file must be readable, got {error}') from error
    require(len(data) <= limit, source, f'the file must be at most {limit} bytes', len(data))
    return data


class Archive:
    """Members of a ZIP file, found by name or, for bundles with a top folder, by base name."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._zip = zipfile.ZipFile(path)
            # Not is_dir(): it fails on an empty name, which a damaged archive can hold.
            members = [
                item
                for item in self._zip.infolist()
                if item.filename and not item.filename.endswith('/')
            ]
        except _ZIP_ERRORS as error:
            raise SplatFormatError(
                f'{self.name}: must be a ZIP archive, got {brief(error)}'
            ) from error
        require(
            len(members) <= MAX_ARCHIVE_MEMBERS,
            self.name,
            f'an archive must hold at most {MAX_ARCHIVE_MEMBERS} files',
            len(members),
        )
        self._members = {PurePosixPath(item.filename).name: item for item in members}
        self._members.update({item.filename: item for item in members})

    def has(self, member: str) -> bool:
        """Say whether a member of that name is present."""
        return member in self._members

    def read(self, member: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
        """Return the member's bytes; SplatFormatError if absent or longer than `limit`."""
        source = f'{self.name}/{member}'
        info = self._members.get(member)
        if info is None:
            raise SplatFormatError(f'{source}: the file must be in the archive, got none')
        rule = f'the file must unpack to at most {limit} bytes'
        require(info.file_size <= limit, source, rule, info.file_size)
        try:
            with self._zip.open(info) as stream:
                # The header's size may lie: a bounded read stops a bomb at the limit.
                data = stream.read(limit + 1)
        except _ZIP_ERRORS as error:
            raise SplatFormatError(f'{source}: must unpack, got {brief(error)}') from error
        require(len(data) <= limit, source, rule, f'more than {limit}')
        return data

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()
