"""Actions that steer the launch itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import BaseEventHandler, as_entities
from s2e_bare.launch.events.shutdown import Shutdown as ShutdownEvent
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class OpaqueFunction(Action):
    """Calls a function with the context; it may return entities to visit."""

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **left_over: Any,
    ) -> None:
        """Hold the function and its further arguments."""
        super().__init__(**left_over)
        if not callable(function):
            raise TypeError(f'OpaqueFunction: function must be callable, got {function!r}')
        self._function = function
        self._args = list(args or ())
        self._kwargs = dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Call it."""
        with context.user_code():
            found = self._function(context, *self._args, **self._kwargs)
        return as_entities(found, f'OpaqueFunction {self._function!r}')


class LogInfo(Action):
    """Logs a message."""

    def __init__(self, *, msg: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Hold the message."""
        super().__init__(**kwargs)
        self._message = normalize_to_list_of_substitutions(msg)

    def execute(self, context: LaunchContext) -> None:
        """Log it."""
        from s2e_bare.launch.logging import get_logger

        get_logger('launch.user').info(perform_substitutions(context, self._message))

    def describe(self) -> str:
        """Show the message."""
        return f'LogInfo({describe_substitutions(self._message)})'


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        """Hold the event."""
        super().__init__(**kwargs)
        if not isinstance(event, Event):
            raise TypeError(f'EmitEvent: event must be a launch event, got {event!r}')
        self._event = event

    @property
    def event(self) -> Event:
        """The event."""
        return self._event

    def execute(self, context: LaunchContext) -> None:
        """Queue it."""
        context.emit_event_sync(self._event)


class Shutdown(EmitEvent):
    """Shuts the whole launch down."""

    def __init__(
        self, *, reason: SomeSubstitutionsType = 'reason not given', **kwargs: Any
    ) -> None:
        """Hold the reason."""
        self._reason = normalize_to_list_of_substitutions(reason)
        super().__init__(event=ShutdownEvent(reason=describe_substitutions(reason)), **kwargs)

    def execute(self, context: LaunchContext) -> None:
        """Emit the event with the reason; upstream names the process that gave rise to it."""
        reason = perform_substitutions(context, self._reason)
        if not context.is_shutdown:
            context.emit_event_sync(ShutdownEvent(reason=reason))


class RegisterEventHandler(Action):
    """Registers an event handler."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Hold the handler."""
        super().__init__(**kwargs)
        if not isinstance(event_handler, BaseEventHandler):
            raise TypeError(f'RegisterEventHandler: not an event handler: {event_handler!r}')
        self._handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The handler."""
        return self._handler

    def execute(self, context: LaunchContext) -> None:
        """Register it."""
        context.register_event_handler(self._handler)

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the entities of the handler."""
        return getattr(self._handler, 'entities', ())


class UnregisterEventHandler(Action):
    """Removes an event handler."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Hold the handler."""
        super().__init__(**kwargs)
        self._handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Remove it."""
        context.unregister_event_handler(self._handler)
