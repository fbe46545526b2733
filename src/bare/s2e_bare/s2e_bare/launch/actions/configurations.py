"""Actions that change launch configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_text,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

_STACK = 'launch configurations'


class SetLaunchConfiguration(Action):
    """Sets one launch configuration."""

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
        context.launch_configurations[name] = perform_substitutions(context, self._value)

    def describe(self) -> str:
        """Show name and value."""
        return (
            f'SetLaunchConfiguration({describe_substitutions(self._name)}, '
            f'{describe_substitutions(self._value)})'
        )


class UnsetLaunchConfiguration(Action):
    """Removes one launch configuration; one that is not set is no error."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Hold the name."""
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove it."""
        context.launch_configurations.pop(perform_substitutions(context, self._name), None)


class PushLaunchConfigurations(Action):
    """Keeps a copy of all launch configurations."""

    def execute(self, context: LaunchContext) -> None:
        """Copy."""
        context.push(_STACK, context.launch_configurations)


class PopLaunchConfigurations(Action):
    """Puts the newest copy back."""

    def execute(self, context: LaunchContext) -> None:
        """Restore."""
        restored = context.pop(_STACK)
        context.launch_configurations.clear()
        context.launch_configurations.update(restored)


class ResetLaunchConfigurations(Action):
    """Removes all launch configurations but those given, which are evaluated before."""

    def __init__(
        self,
        launch_configurations: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold what stays."""
        super().__init__(**kwargs)
        self._kept = dict(launch_configurations or {})

    def execute(self, context: LaunchContext) -> None:
        """Evaluate what stays, clear, and set it."""
        kept = {
            perform_text(context, name): perform_text(context, value)
            for name, value in self._kept.items()
        }
        context.launch_configurations.clear()
        context.launch_configurations.update(kept)
