"""Inclusion of another launch file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.actions.configurations import SetLaunchConfiguration
from s2e_bare.launch.actions.control import OpaqueFunction
from s2e_bare.launch.launch_description import LaunchDescription
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.launch_description_source import LaunchDescriptionSource
from s2e_bare.launch.launch_description_sources.python_source import AnyLaunchDescriptionSource
from s2e_bare.launch.substitution import SomeSubstitutionsType, perform_text

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Arguments = Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]
_PATH_LOCALS = ('current_launch_file_path', 'current_launch_file_directory')


class IncludeLaunchDescription(Action):
    """Includes a launch file; its configurations leak into the includer, as upstream's do."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Arguments | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the source and the arguments.

        Args:
            launch_description_source: A source, or the path of a launch file.
            launch_arguments: Pairs of name and value.
            **kwargs: `condition`.

        Raises:
            TypeError: The arguments are a mapping; upstream takes pairs only.
        """
        super().__init__(**kwargs)
        if isinstance(launch_arguments, Mapping):
            raise TypeError(
                'IncludeLaunchDescription: launch_arguments must be pairs, use .items() of '
                f'the mapping {dict(launch_arguments)!r}'
            )
        source = launch_description_source
        if not isinstance(source, LaunchDescriptionSource):
            source = AnyLaunchDescriptionSource(source)
        self._source = source
        self._arguments = list(launch_arguments or ())

    @property
    def launch_description_source(self) -> LaunchDescriptionSource:
        """The source."""
        return self._source

    @property
    def launch_arguments(self) -> list[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]:
        """Pairs of name and value."""
        return self._arguments

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Load the file and give its entities after the setting of its arguments.

        Raises:
            RuntimeError: The file declares an argument that must be given and was not.
        """
        description = self._source.get_launch_description(context)
        location = Path(self._source.location).absolute()
        self._check_required(context, description)
        before = {name: context.get_locals_as_dict().get(name) for name in _PATH_LOCALS}
        here = (str(location), str(location.parent))
        context.extend_locals(dict(zip(_PATH_LOCALS, here, strict=True)))
        sets = [SetLaunchConfiguration(name, value) for name, value in self._arguments]
        restore = OpaqueFunction(function=lambda context: context.extend_locals(before))
        return [*sets, description, restore]

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the file's entities where its path is known without running anything."""
        description = self._source.try_get_launch_description_without_context()
        return () if description is None else description.entities

    def _check_required(self, context: LaunchContext, description: LaunchDescription) -> None:
        given = {perform_text(context, name) for name, _ in self._arguments}
        known = given | set(context.launch_configurations)
        for argument, conditional in description.walk_arguments():
            if argument.default_value is None and not conditional and argument.name not in known:
                raise RuntimeError(
                    f'included launch file {self._source.location} misses its required argument '
                    f'{argument.name!r} (description: {argument.description!r}), '
                    f'given: {sorted(given)}'
                )
