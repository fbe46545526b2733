"""Handler of state changes of managed nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler
from s2e_bare.launch_ros.events.lifecycle import StateTransition

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class OnStateTransition(EventHandler):
    """Answers transitions, of one node or of any, from and to given states or any."""

    def __init__(
        self,
        *,
        entities: object,
        target_lifecycle_node: object = None,
        transition: str | None = None,
        start_state: str | None = None,
        goal_state: str | None = None,
        matcher: Callable[[Event], bool] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the answer and what must match.

        Args:
            entities: Entities, or a function of event and context.
            target_lifecycle_node: The LifecycleNode action, None for any.
            transition: Label of the transition, None for any.
            start_state: Label of the state before, None for any.
            goal_state: Label of the state after, None for any.
            matcher: Own function; excludes the four above.
            **kwargs: `handle_once`.

        Raises:
            ValueError: A matcher and one of the four are given.
        """
        wanted = {'transition': transition, 'start_state': start_state, 'goal_state': goal_state}
        if matcher is not None and (target_lifecycle_node or any(wanted.values())):
            raise ValueError('OnStateTransition: give matcher, or what must match, not both')

        def match(event: Event) -> bool:
            if not isinstance(event, StateTransition):
                return False
            if matcher is not None:
                return bool(matcher(event))
            if target_lifecycle_node is not None and event.action is not target_lifecycle_node:
                return False
            return all(v is None or getattr(event, k) == v for k, v in wanted.items())

        super().__init__(matcher=match, entities=entities, **kwargs)

    def on_registered(self, context: LaunchContext) -> None:
        """Have the launch listen to transitions from now on."""
        from s2e_bare.launch_ros.lifecycle_monitor import monitor_of

        monitor_of(context).watch()
