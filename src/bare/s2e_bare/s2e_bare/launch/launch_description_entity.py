"""Anything that can stand in a launch description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Base of actions and descriptions: visited once, in order, depth first."""

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the entity's work and return the entities to visit right after it."""
        return None

    def describe(self) -> str:
        """Describe the entity in one line."""
        return f'{type(self).__name__}()'

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the entities inside, for `--show-args` and `--print`."""
        return ()
