"""The action that runs a managed node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler
from s2e_bare.launch.substitution import SomeSubstitutionsType
from s2e_bare.launch_ros.actions.node import Node
from s2e_bare.launch_ros.events.lifecycle import ChangeState
from s2e_bare.launch_ros.lifecycle_monitor import monitor_of

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class LifecycleNode(Node):
    """A node with states; ChangeState events drive it, StateTransition events follow."""

    def __init__(
        self,
        *,
        name: SomeSubstitutionsType,
        namespace: SomeSubstitutionsType,
        autostart: bool | SomeSubstitutionsType = False,
        **kwargs: Any,
    ) -> None:
        """Hold the node's description.

        Args:
            name: Name, which must be known to find its services.
            namespace: Namespace, for the same reason.
            autostart: Configure and activate it when it is up.
            **kwargs: As of Node.
        """
        super().__init__(name=name, namespace=namespace, **kwargs)
        self._autostart = autostart

    @property
    def is_lifecycle_node(self) -> bool:
        """True; upstream's matchers ask for it."""
        return True

    def execute(self, context: LaunchContext) -> None:
        """Start the node and listen to its transitions."""
        if context.is_shutdown:
            return
        self.expand_names(context)
        monitor = monitor_of(context)
        monitor.add(self)
        handler = EventHandler(
            matcher=self._matcher(),
            entities=lambda event, context: monitor.change_state(self, event.transition_id),
        )
        context.register_event_handler(handler)
        super().execute(context)
        if self._truth(context, self._autostart):
            monitor.autostart(self)

    def _matcher(self) -> Callable[[Event], bool]:
        return lambda event: (
            isinstance(event, ChangeState) and bool(event.lifecycle_node_matcher(self))
        )
