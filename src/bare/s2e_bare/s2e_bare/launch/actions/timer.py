"""Actions that run later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler, as_entities
from s2e_bare.launch.event_handlers.shutdown import OnShutdown
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.substitution import SomeSubstitutionsType, perform_text

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class TimerEvent(Event):
    """A timer ran out."""

    name = 'launch.events.TimerEvent'

    def __init__(self, *, timer_action: TimerAction) -> None:
        """Hold the timer."""
        self.timer_action = timer_action


class TimerAction(Action):
    """Runs actions after a period in seconds, unless it is cancelled."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool = True,
        **kwargs: Any,
    ) -> None:
        """Hold the period and the actions."""
        super().__init__(**kwargs)
        self._period = period
        self._actions = as_entities(actions, 'TimerAction')
        self._cancel_on_shutdown = cancel_on_shutdown
        self._handle: asyncio.TimerHandle | None = None
        self._done: asyncio.Future[None] | None = None

    def execute(self, context: LaunchContext) -> None:
        """Start the timer."""
        if context.is_shutdown:
            return
        loop = context.asyncio_loop
        if loop is None:
            raise RuntimeError('TimerAction needs a running launch')
        self._done = loop.create_future()
        context.keep_alive_until(self._done)
        handler = EventHandler(
            matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
            entities=self._actions,
            handle_once=True,
        )
        context.register_event_handler(handler)
        if self._cancel_on_shutdown:
            stop = OnShutdown(on_shutdown=lambda event, context: self.cancel())
            context.register_event_handler(stop)
            self._done.add_done_callback(lambda _: context.unregister_event_handler(stop))
        self._handle = loop.call_later(self._seconds(context), self._fire, context)

    def cancel(self) -> None:
        """Stop the timer; its actions will not run."""
        if self._handle is not None:
            self._handle.cancel()
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the actions."""
        return self._actions

    def _seconds(self, context: LaunchContext) -> float:
        if isinstance(self._period, (int, float)):
            return float(self._period)
        text = perform_text(context, self._period)
        try:
            return float(text)
        except ValueError:
            raise ValueError(f'TimerAction: period must be seconds, got {text!r}') from None

    def _fire(self, context: LaunchContext) -> None:
        if self._done is not None and not self._done.done():
            context.emit_event_sync(TimerEvent(timer_action=self))
            self._done.set_result(None)
