"""Base of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.condition import Condition
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.unsupported import refuse_arguments

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """An entity that does something, unless its condition says no."""

    def __init__(self, *, condition: Condition | None = None, **unknown: Any) -> None:
        """Hold the condition.

        Raises:
            UnsupportedFeatureError: A keyword argument that no class of the action takes.
        """
        refuse_arguments(self, unknown)
        if condition is not None and not isinstance(condition, Condition):
            raise TypeError(
                f'{type(self).__name__}: condition must be a Condition, got {condition!r}'
            )
        self.condition = condition

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Execute, if the condition holds."""
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        return self.execute(context)

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the work and return the entities to visit next."""
        return None
