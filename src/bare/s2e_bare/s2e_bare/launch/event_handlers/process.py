"""Handlers of process events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import Answer, BaseEventHandler, EventHandler, as_entities
from s2e_bare.launch.events.process import (
    ProcessExited,
    ProcessIO,
    ProcessStarted,
    RunningProcessEvent,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Target = object


def _match(kind: type[RunningProcessEvent], target: Target) -> Callable[[Event], bool]:
    """Match events of a kind whose action is the target, or which the target accepts."""
    from s2e_bare.launch.actions.execute_local import ExecuteLocal

    if target is None:
        return lambda event: isinstance(event, kind)
    if isinstance(target, ExecuteLocal):
        return lambda event: isinstance(event, kind) and event.action is target
    if callable(target):
        return lambda event: isinstance(event, kind) and bool(target(event.action))
    raise TypeError(f'target_action must be a process action or a function, got {target!r}')


class OnProcessStart(EventHandler):
    """Answers the start of a process."""

    def __init__(self, *, on_start: object, target_action: Target = None, **kwargs: Any) -> None:
        """Hold the answer: entities, or a function of event and context."""
        super().__init__(
            matcher=_match(ProcessStarted, target_action), entities=on_start, **kwargs
        )


class OnProcessExit(EventHandler):
    """Answers the end of a process, whatever its exit code."""

    def __init__(self, *, on_exit: object, target_action: Target = None, **kwargs: Any) -> None:
        """Hold the answer: entities, or a function of event and context."""
        super().__init__(matcher=_match(ProcessExited, target_action), entities=on_exit, **kwargs)


class OnProcessIO(BaseEventHandler):
    """Answers output of a process, line by line."""

    def __init__(
        self,
        *,
        target_action: Target = None,
        on_stdout: Callable[[ProcessIO], Any] | None = None,
        on_stderr: Callable[[ProcessIO], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the functions, which get the event and may return entities."""
        super().__init__(matcher=_match(ProcessIO, target_action), **kwargs)
        self._on_stdout = on_stdout
        self._on_stderr = on_stderr

    def handle(self, event: Event, context: LaunchContext) -> Answer:
        """Call the function of the stream."""
        super().handle(event, context)
        if not isinstance(event, ProcessIO):
            return []
        react = self._on_stdout if event.from_stdout else self._on_stderr
        return as_entities(react(event), 'OnProcessIO') if react else []
