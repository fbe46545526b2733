"""The launch description: an ordered list of entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.unsupported import refuse_arguments

if TYPE_CHECKING:
    from s2e_bare.launch.actions.arguments import DeclareLaunchArgument
    from s2e_bare.launch.launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """What a launch file returns."""

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        **unknown: Any,
    ) -> None:
        """Hold the entities.

        Raises:
            TypeError: One of them is not an entity.
        """
        refuse_arguments(self, unknown)
        self.entities: list[LaunchDescriptionEntity] = []
        for entity in initial_entities or ():
            self.add_entity(entity)

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append an entity."""
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f'LaunchDescription: expected a launch action, got {entity!r}')
        self.entities.append(entity)

    def add_action(self, action: LaunchDescriptionEntity) -> None:
        """Append an action."""
        self.add_entity(action)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Hand on all entities."""
        return self.entities

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the entities."""
        return self.entities

    def get_launch_arguments(self) -> list[DeclareLaunchArgument]:
        """List the declared arguments, also those inside groups and included files."""
        return [argument for argument, _ in self.walk_arguments()]

    def walk_arguments(self) -> list[tuple[DeclareLaunchArgument, bool]]:
        """List declared arguments, first declaration of a name only.

        Returns:
            Pairs of the argument and whether it is declared under some condition.
        """
        found: dict[str, tuple[DeclareLaunchArgument, bool]] = {}
        for argument, conditional in _walk(self.entities, False):
            known = found.get(argument.name)
            if known is None or (known[1] and not conditional):
                found[argument.name] = (argument, conditional)
        return list(found.values())


def _walk(
    entities: Iterable[LaunchDescriptionEntity], conditional: bool
) -> Iterator[tuple[DeclareLaunchArgument, bool]]:
    from s2e_bare.launch.actions.arguments import DeclareLaunchArgument

    for entity in entities:
        under = conditional or getattr(entity, 'condition', None) is not None
        if isinstance(entity, DeclareLaunchArgument):
            yield entity, under
        yield from _walk(entity.describe_sub_entities(), under)
