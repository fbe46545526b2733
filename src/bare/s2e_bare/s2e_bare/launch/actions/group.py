"""Grouping of actions, with a scope of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.actions.configurations import (
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    ResetLaunchConfigurations,
    SetLaunchConfiguration,
)
from s2e_bare.launch.actions.environment import PopEnvironment, PushEnvironment, ResetEnvironment
from s2e_bare.launch.event_handler import as_entities
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class GroupAction(Action):
    """Runs actions together; by default their configurations and environment stay inside."""

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the actions.

        Args:
            actions: What the group runs.
            scoped: Undo the group's changes to configurations and environment at its end.
            forwarding: Let the group see the configurations and the environment outside.
            launch_configurations: Configurations to set for the group.
            **kwargs: `condition`.
        """
        super().__init__(**kwargs)
        self._actions = as_entities(actions, 'GroupAction')
        self._scoped = scoped
        self._forwarding = forwarding
        self._configurations = dict(launch_configurations or {})

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Give the actions with what opens and closes their scope."""
        sets = [SetLaunchConfiguration(k, v) for k, v in self._configurations.items()]
        if not self._scoped:
            return [*sets, *self._actions]
        opening: list[Action] = [PushLaunchConfigurations(), PushEnvironment()]
        if self._forwarding:
            opening += sets
        else:
            opening += [ResetEnvironment(), ResetLaunchConfigurations(self._configurations)]
        return [*opening, *self._actions, PopEnvironment(), PopLaunchConfigurations()]

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the actions."""
        return self._actions
