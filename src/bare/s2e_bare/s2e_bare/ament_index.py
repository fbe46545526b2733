"""What launch files use of `ament_index_python`, for machines that lack even that."""

from __future__ import annotations

from pathlib import Path

from s2e_bare import index
from s2e_bare.errors import PackageNotFoundError
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'PackageNotFoundError',
    'get_package_prefix',
    'get_package_share_directory',
    'get_package_share_path',
    'get_packages_with_prefixes',
]


def get_package_prefix(package_name: str) -> str:
    """Give the installation prefix of a package."""
    return str(index.package_prefix(package_name))


def get_package_share_directory(package_name: str, print_warning: bool = True) -> str:
    """Give the share directory of a package; `print_warning` exists for compatibility."""
    return str(index.package_share(package_name))


def get_package_share_path(package_name: str, print_warning: bool = True) -> Path:
    """Give the share directory of a package as a path."""
    return index.package_share(package_name)


def get_packages_with_prefixes() -> dict[str, str]:
    """Map each package to its prefix."""
    return {name: str(prefix) for name, prefix in index.packages().items()}


__getattr__ = refuse_unknown('ament_index_python')
