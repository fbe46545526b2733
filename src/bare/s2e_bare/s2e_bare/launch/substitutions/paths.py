"""Substitutions that make or find paths."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class PathJoinSubstitution(Substitution):
    """Joins components with the path separator; a nested list is one component."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        """Hold the components."""
        if isinstance(substitutions, (str, Substitution)):
            raise TypeError(
                f'PathJoinSubstitution: expected a list of components, got {substitutions!r}'
            )
        self._components = [normalize_to_list_of_substitutions(part) for part in substitutions]

    def perform(self, context: LaunchContext) -> str:
        """Join the performed components."""
        parts = [perform_substitutions(context, part) for part in self._components]
        return str(Path(*parts)) if parts else ''

    def describe(self) -> str:
        """Describe the components."""
        parts = ', '.join(describe_substitutions(part) for part in self._components)
        return f'PathJoin({parts})'

    def __truediv__(self, other: SomeSubstitutionsType) -> PathJoinSubstitution:
        """Append a component."""
        joined = PathJoinSubstitution([])
        joined._components = [*self._components, normalize_to_list_of_substitutions(other)]
        return joined


class PathSubstitution(PathJoinSubstitution):
    """A path that grows with `/`."""

    def __init__(self, path: SomeSubstitutionsType) -> None:
        """Hold the first component."""
        super().__init__([path])


class FindExecutable(Substitution):
    """Full path of a program on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        """Hold the name."""
        self._name = normalize_to_list_of_substitutions(name)

    def perform(self, context: LaunchContext) -> str:
        """Search PATH."""
        name = perform_substitutions(context, self._name)
        found = shutil.which(name, path=context.environment.get('PATH'))
        if found is None:
            raise SubstitutionFailure(f'executable {name!r} not found on the PATH')
        return found

    def describe(self) -> str:
        """Name the program."""
        return f'FindExec({describe_substitutions(self._name)})'


class FileContent(Substitution):
    """Text of a file."""

    def __init__(self, path: SomeSubstitutionsType) -> None:
        """Hold the path."""
        self._path = normalize_to_list_of_substitutions(path)

    def perform(self, context: LaunchContext) -> str:
        """Read the file."""
        path = perform_substitutions(context, self._path)
        try:
            return Path(path).read_text(encoding='utf-8')
        except OSError as error:
            raise SubstitutionFailure(f'cannot read file {path!r}: {error.strerror}') from error

    def describe(self) -> str:
        """Name the file."""
        return f'FileContent({describe_substitutions(self._path)})'


class StringJoinSubstitution(Substitution):
    """Joins components with a delimiter."""

    def __init__(
        self,
        substitutions: Iterable[SomeSubstitutionsType],
        delimiter: SomeSubstitutionsType = '',
    ) -> None:
        """Hold the components and the delimiter."""
        self._components = [normalize_to_list_of_substitutions(part) for part in substitutions]
        self._delimiter = normalize_to_list_of_substitutions(delimiter)

    def perform(self, context: LaunchContext) -> str:
        """Join the performed components."""
        delimiter = perform_substitutions(context, self._delimiter)
        return delimiter.join(perform_substitutions(context, part) for part in self._components)
