"""Substitutions that read the launch context: configurations, environment, locals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from s2e_bare.unsupported import refuse_arguments

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class LaunchConfiguration(Substitution):
    """Value of a launch configuration, which is also the value of a launch argument."""

    def __init__(
        self, variable_name: SomeSubstitutionsType, *, default: Any = None, **unknown: Any
    ) -> None:
        """Hold the name and a default, which may be a bool or a number as upstream."""
        refuse_arguments(self, unknown)
        self._name = normalize_to_list_of_substitutions(variable_name)
        if isinstance(default, (bool, int, float)):
            default = str(default)
        self._default = None if default is None else normalize_to_list_of_substitutions(default)

    @property
    def variable_name(self) -> list[Substitution]:
        """Name of the configuration."""
        return self._name

    def perform(self, context: LaunchContext) -> str:
        """Give the value, else the default."""
        name = perform_substitutions(context, self._name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self._default is None:
            raise SubstitutionFailure(f'launch configuration {name!r} does not exist')
        return perform_substitutions(context, self._default)

    def describe(self) -> str:
        """Name the configuration."""
        return f'LaunchConfiguration({describe_substitutions(self._name)})'


class EnvironmentVariable(Substitution):
    """Value of an environment variable."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        *,
        default_value: SomeSubstitutionsType | None = None,
        **unknown: Any,
    ) -> None:
        """Hold the name and the default."""
        refuse_arguments(self, unknown)
        self._name = normalize_to_list_of_substitutions(name)
        self._default = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )

    def perform(self, context: LaunchContext) -> str:
        """Give the value, else the default."""
        name = perform_substitutions(context, self._name)
        if name in context.environment:
            return context.environment[name]
        if self._default is None:
            raise SubstitutionFailure(f'environment variable {name!r} does not exist')
        return perform_substitutions(context, self._default)

    def describe(self) -> str:
        """Name the variable."""
        return f'EnvVar({describe_substitutions(self._name)})'


class LocalSubstitution(Substitution):
    """Value from the context's locals, by a dotted expression such as `event.pid`."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        """Hold the expression."""
        self._expression = expression
        self._description = description

    def perform(self, context: LaunchContext) -> str:
        """Follow the dots."""
        value: Any = context.locals
        for part in self._expression.split('.'):
            try:
                value = getattr(value, part)
            except AttributeError as error:
                raise SubstitutionFailure(f'local {self._expression!r}: {error}') from error
        return str(value)

    def describe(self) -> str:
        """Give the description, else the expression."""
        return f'LocalVar({self._description or self._expression!r})'


class ThisLaunchFile(Substitution):
    """Path of the launch file being run."""

    def perform(self, context: LaunchContext) -> str:
        """Give the path."""
        path = context.get_locals_as_dict().get('current_launch_file_path')
        if path is None:
            raise SubstitutionFailure('ThisLaunchFile is used outside of a launch file')
        return str(path)


class ThisLaunchFileDir(ThisLaunchFile):
    """Folder of the launch file being run."""

    def perform(self, context: LaunchContext) -> str:
        """Give the folder."""
        return str(Path(super().perform(context)).parent)


class LaunchLogDir(Substitution):
    """Folder of this launch's logs."""

    def perform(self, context: LaunchContext) -> str:
        """Give the folder."""
        from s2e_bare.launch.logging import launch_config

        return str(launch_config.log_dir)


class BooleanSubstitution(Substitution):
    """Turns true/1/false/0 in any case into `true` or `false`."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        """Hold the value."""
        self._value = normalize_to_list_of_substitutions(value)

    def perform(self, context: LaunchContext) -> str:
        """Read the value."""
        return 'true' if parse_truth(perform_substitutions(context, self._value)) else 'false'

    def describe(self) -> str:
        """Describe the value."""
        return f'Boolean({describe_substitutions(self._value)})'
