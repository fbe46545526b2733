"""The ament index: prefixes, packages and their executables."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

from s2e_bare.errors import PackageNotFoundError

_PACKAGES = Path('share/ament_index/resource_index/packages')


def prefixes() -> list[Path]:
    """List the prefixes to search, first match first.

    AMENT_PREFIX_PATH holds when it is set; this Python's own prefix comes last, because the
    ROS 2 wheels install their index into it.
    """
    named = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    found: list[Path] = []
    for entry in [*named, sys.prefix]:
        path = Path(entry)
        if entry and path not in found and path.is_dir():
            found.append(path)
    return found


def export_prefixes() -> None:
    """Write the prefixes to AMENT_PREFIX_PATH for this process and its children."""
    os.environ['AMENT_PREFIX_PATH'] = os.pathsep.join(str(path) for path in prefixes())


def packages() -> dict[str, Path]:
    """Map each package of the index to the first prefix that holds it, sorted by name."""
    found: dict[str, Path] = {}
    for prefix in prefixes():
        folder = prefix / _PACKAGES
        if folder.is_dir():
            for entry in folder.iterdir():
                if not entry.name.startswith('.'):
                    found.setdefault(entry.name, prefix)
    return dict(sorted(found.items()))


def package_prefix(package: str) -> Path:
    """Find the prefix of a package.

    Raises:
        PackageNotFoundError: No prefix has an index entry of this name.
    """
    for prefix in prefixes():
        if package and (prefix / _PACKAGES / package).is_file():
            return prefix
    searched = [str(path) for path in prefixes()]
    raise PackageNotFoundError(f'package {package!r} not found, searching: {searched}')


def package_share(package: str) -> Path:
    """Give the share directory of a package.

    Raises:
        PackageNotFoundError: No prefix has an index entry of this name.
    """
    return package_prefix(package) / 'share' / package


def executables(package: str) -> list[Path]:
    """List a package's executables: `<prefix>/lib/<package>/*`, else its console scripts.

    Raises:
        PackageNotFoundError: No prefix has an index entry of this name.
    """
    package_prefix(package)
    found: dict[str, Path] = {}
    for prefix in prefixes():
        folder = prefix / 'lib' / package
        if folder.is_dir():
            for path in folder.rglob('*'):
                if _is_executable(path):
                    found.setdefault(path.name, path)
    for name in _console_scripts(package):
        path = Path(sys.prefix) / 'bin' / name
        if _is_executable(path):
            found.setdefault(name, path)
    return [found[name] for name in sorted(found)]


def find_executable(package: str, executable: str) -> Path:
    """Find one executable of a package.

    A colcon tree has it at `<prefix>/lib/<package>/<executable>`, a pip installation at
    `<sys.prefix>/bin/<executable>`.

    Raises:
        PackageNotFoundError: Unknown package, or a package without this executable; the
            message lists those that it has.
    """
    package_prefix(package)
    for prefix in prefixes():
        path = prefix / 'lib' / package / executable
        if _is_executable(path):
            return path
    path = Path(sys.prefix) / 'bin' / executable
    scripts = _console_scripts(package)
    if _is_executable(path) and (executable in scripts or not scripts):
        return path
    known = [path.name for path in executables(package)]
    raise PackageNotFoundError(
        f'executable {executable!r} not found in package {package!r}; it has: {known}'
    )


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _console_scripts(package: str) -> list[str]:
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return []
    return [entry.name for entry in distribution.entry_points if entry.group == 'console_scripts']
