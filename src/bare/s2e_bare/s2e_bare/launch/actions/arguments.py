"""Declaration of launch arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Declares an argument of the launch file; its value is a launch configuration."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the declaration.

        Args:
            name: Name of the argument and of the launch configuration.
            default_value: Used when the caller gives none; without it one must be given.
            description: Shown by `--show-args`.
            choices: The only values allowed.
            **kwargs: `condition`.

        Raises:
            ValueError: The choices are empty, or the default is fixed text and not among them.
        """
        super().__init__(**kwargs)
        self.name = name
        self._default = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )
        self.choices = None if choices is None else list(choices)
        if self.choices is not None and not self.choices:
            raise ValueError(f'DeclareLaunchArgument {name!r}: choices must not be empty')
        if isinstance(default_value, str):
            self._check(default_value)
        self._description = description

    @property
    def default_value(self) -> list[Substitution] | None:
        """Default as substitutions, None when a value must be given."""
        return self._default

    @property
    def description(self) -> str:
        """Description with the choices, as `--show-args` prints it."""
        text = self._description or 'no description given'
        if self.choices is None:
            return text
        if not text.endswith('.'):
            text += '.'
        return f'{text} Valid choices are: {self.choices}'

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Set the default when no value was given, and check the value.

        Raises:
            RuntimeError: A value must be given and was not, or it is not among the choices.
        """
        if self.name not in context.launch_configurations:
            if self._default is None:
                raise RuntimeError(
                    f'required launch argument {self.name!r} (description: '
                    f'{self.description!r}) was not provided: add {self.name}:=VALUE'
                )
            value = perform_substitutions(context, self._default)
            context.launch_configurations[self.name] = value
        self._check(context.launch_configurations[self.name])
        return None

    def describe(self) -> str:
        """Show name and default."""
        default = '' if self._default is None else describe_substitutions(self._default)
        return f'DeclareLaunchArgument({self.name!r}, default: {default})'

    def _check(self, value: str) -> None:
        if self.choices is not None and value not in self.choices:
            raise ValueError(
                f'launch argument {self.name!r}: {value!r} is not one of {self.choices}'
            )
