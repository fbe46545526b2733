"""Actions that change the environment of later children."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_text,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

_STACK = 'environment'
# What the environment was before any launch file ran: ResetEnvironment returns to it.
_INITIAL = dict(os.environ)


class SetEnvironmentVariable(Action):
    """Sets one environment variable."""

    def __init__(
        self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any
    ) -> None:
        """Hold name and value."""
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
        name = perform_substitutions(context, self._name)
        context.environment[name] = perform_substitutions(context, self._value)

    def describe(self) -> str:
        """Show name and value."""
        return (
            f'SetEnvironmentVariable({describe_substitutions(self._name)}, '
            f'{describe_substitutions(self._value)})'
        )


class AppendEnvironmentVariable(Action):
    """Appends to, or puts in front of, a variable that holds a list."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool | SomeSubstitutionsType = False,
        separator: SomeSubstitutionsType = os.pathsep,
        **kwargs: Any,
    ) -> None:
        """Hold name, value, side and separator."""
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)
        side = str(prepend) if isinstance(prepend, bool) else prepend
        self._prepend = normalize_to_list_of_substitutions(side)
        self._separator = normalize_to_list_of_substitutions(separator)

    def execute(self, context: LaunchContext) -> None:
        """Extend the variable, or set it where it was not."""
        name = perform_substitutions(context, self._name)
        value = perform_substitutions(context, self._value)
        separator = perform_substitutions(context, self._separator)
        parts = [context.environment[name]] if name in context.environment else []
        front = parse_truth(perform_substitutions(context, self._prepend))
        parts.insert(0 if front else len(parts), value)
        context.environment[name] = separator.join(parts)


class UnsetEnvironmentVariable(Action):
    """Removes one environment variable; one that is not set is no error."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Hold the name."""
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove it."""
        context.environment.pop(perform_substitutions(context, self._name), None)


class PushEnvironment(Action):
    """Keeps a copy of the environment."""

    def execute(self, context: LaunchContext) -> None:
        """Copy."""
        context.push(_STACK, context.environment)


class PopEnvironment(Action):
    """Puts the newest copy back."""

    def execute(self, context: LaunchContext) -> None:
        """Restore."""
        _replace(context, context.pop(_STACK))


class ResetEnvironment(Action):
    """Returns to the environment in which the launch was started."""

    def execute(self, context: LaunchContext) -> None:
        """Restore."""
        _replace(context, _INITIAL)


class ReplaceEnvironmentVariables(Action):
    """Removes all variables but those given."""

    def __init__(
        self,
        environment: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the new environment."""
        super().__init__(**kwargs)
        self._environment = dict(environment or {})

    def execute(self, context: LaunchContext) -> None:
        """Evaluate and replace."""
        _replace(
            context,
            {
                perform_text(context, name): perform_text(context, value)
                for name, value in self._environment.items()
            },
        )


def _replace(context: LaunchContext, environment: Mapping[str, str]) -> None:
    context.environment.clear()
    context.environment.update(environment)
