"""Base of event handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.unsupported import refuse_arguments

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Answer = Sequence[LaunchDescriptionEntity]
Reaction = Callable[..., Any]


def as_entities(value: object, where: str) -> list[LaunchDescriptionEntity]:
    """Flatten an entity, a nested sequence of entities or None.

    Raises:
        TypeError: Something in it is not an entity; the message names `where`.
    """
    if value is None:
        return []
    if isinstance(value, LaunchDescriptionEntity):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [entity for item in value for entity in as_entities(item, where)]
    raise TypeError(f'{where}: expected launch actions, got {value!r}')


class BaseEventHandler:
    """Matches events and answers them."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        handle_once: bool = False,
        **unknown: Any,
    ) -> None:
        """Hold the matcher.

        Args:
            matcher: Tells whether the handler wants an event.
            handle_once: Handle the first match only.
            **unknown: Refused by name.
        """
        refuse_arguments(self, unknown)
        self._matcher = matcher
        self.handle_once = handle_once
        self._handled = False

    def on_registered(self, context: LaunchContext) -> None:
        """Prepare what the handler needs to get its events; by default nothing."""

    def matches(self, event: Event) -> bool:
        """Tell whether the handler wants the event."""
        return not (self.handle_once and self._handled) and bool(self._matcher(event))

    def handle(self, event: Event, context: LaunchContext) -> Answer:
        """Answer an event that matches."""
        self._handled = True
        context.extend_locals({'event': event})
        if self.handle_once:
            context.unregister_event_handler(self)
        return []


class EventHandler(BaseEventHandler):
    """Answers an event with fixed entities or with those that a function returns."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: object = None,
        handle_once: bool = False,
        **unknown: Any,
    ) -> None:
        """Hold the matcher and the answer."""
        super().__init__(matcher=matcher, handle_once=handle_once, **unknown)
        self._react: Reaction | None = None
        self.entities: list[LaunchDescriptionEntity] = []
        if callable(entities) and not isinstance(entities, LaunchDescriptionEntity):
            self._react = entities
        else:
            self.entities = as_entities(entities, type(self).__name__)

    def handle(self, event: Event, context: LaunchContext) -> Answer:
        """Give the entities."""
        super().handle(event, context)
        if self._react is None:
            return self.entities
        takes = len(inspect.signature(self._react).parameters)
        found = self._react(event, context) if takes != 1 else self._react(event)
        return as_entities(found, type(self).__name__)
