"""Stand-in for `launch_ros.substitutions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s2e_bare import index
from s2e_bare.errors import PackageNotFoundError
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from s2e_bare.launch.substitutions.paths import PathJoinSubstitution
from s2e_bare.unsupported import refuse_unknown

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

__all__ = [
    'ExecutableInPackage',
    'FindPackage',
    'FindPackagePrefix',
    'FindPackageShare',
    'Parameter',
]


class FindPackage(Substitution):
    """Base: finds a package by its name."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        """Hold the name."""
        self._package = normalize_to_list_of_substitutions(package)

    def describe(self) -> str:
        """Name the package."""
        return f'{type(self).__name__}(pkg={describe_substitutions(self._package)})'

    def __truediv__(self, other: SomeSubstitutionsType) -> PathJoinSubstitution:
        """Make a path below the package's folder."""
        return PathJoinSubstitution([self, other])

    def _name(self, context: LaunchContext) -> str:
        return perform_substitutions(context, self._package)


class FindPackagePrefix(FindPackage):
    """Prefix in which a package is installed."""

    def perform(self, context: LaunchContext) -> str:
        """Search the index."""
        return str(index.package_prefix(self._name(context)))


class FindPackageShare(FindPackage):
    """Share folder of a package."""

    def perform(self, context: LaunchContext) -> str:
        """Search the index."""
        return str(index.package_share(self._name(context)))


class ExecutableInPackage(Substitution):
    """Full path of a package's executable."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        """Hold both names."""
        self._executable = normalize_to_list_of_substitutions(executable)
        self._package = normalize_to_list_of_substitutions(package)

    def perform(self, context: LaunchContext) -> str:
        """Search the index."""
        executable = perform_substitutions(context, self._executable)
        package = perform_substitutions(context, self._package)
        try:
            return str(index.find_executable(package, executable))
        except PackageNotFoundError as error:
            raise SubstitutionFailure(str(error)) from error

    def describe(self) -> str:
        """Name both."""
        return (
            f'ExecInPkg(pkg={describe_substitutions(self._package)}, '
            f'exec={describe_substitutions(self._executable)})'
        )


class Parameter(Substitution):
    """Value of a parameter that SetParameter set for all nodes."""

    def __init__(
        self, name: SomeSubstitutionsType, *, default: SomeSubstitutionsType | None = None
    ) -> None:
        """Hold name and default."""
        self._name = normalize_to_list_of_substitutions(name)
        self._default = default

    def perform(self, context: LaunchContext) -> str:
        """Look at the newest setting."""
        name = perform_substitutions(context, self._name)
        entries: list[Any] = context.launch_configurations.get('global_params', [])
        for entry in reversed(entries):
            if isinstance(entry, tuple) and entry[0] == name:
                return str(entry[1])
        if self._default is None:
            raise SubstitutionFailure(f'parameter {name!r} is not set by SetParameter')
        return perform_substitutions(context, normalize_to_list_of_substitutions(self._default))


__getattr__ = refuse_unknown('launch_ros.substitutions')
