"""State of a running launch: configurations, environment, handlers and queued events."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event

if TYPE_CHECKING:
    from s2e_bare.launch.actions.process_lifetime import ProcessLifetime
    from s2e_bare.launch.event_handler import BaseEventHandler


class Interrupted(BaseException):
    """A signal came while a function of the launch file ran."""

    def __init__(self, number: int | None) -> None:
        """Hold the signal, None for one that is queued for handling already."""
        super().__init__(number)
        self.number = number


class Locals:
    """Values of one scope, read as attributes."""

    def __init__(self, values: Mapping[str, object]) -> None:
        """Hold a copy of the values."""
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        """Name what is missing."""
        raise AttributeError(f'context.locals does not have {name!r}')


class LaunchContext:
    """What actions, substitutions and handlers see of the launch."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        """Start with no configurations and this process's environment.

        Args:
            argv: Arguments of the launch file's caller.
            noninteractive: Nobody sits at the terminal.
        """
        self.argv = list(argv or ())
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, Any] = {}
        self.is_shutdown = False
        self.in_user_code = False
        self.queued_signals = 0
        self.failures = 0
        self.children: set[ProcessLifetime] = set()
        self.extensions: dict[str, Any] = {}
        self._at_exit: list[Callable[[], object]] = []
        self._values: dict[str, object] = {}
        self._stacks: dict[str, list[dict[str, Any]]] = {}
        self._handlers: deque[BaseEventHandler] = deque()
        self._events: deque[Event] = deque()
        self._pending: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def attach(self, loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
        """Bind to the running loop; `wake` is set whenever there is work."""
        self._loop, self._wake = loop, wake

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop | None:
        """The running event loop, None before the launch runs."""
        return self._loop

    @property
    def environment(self) -> MutableMapping[str, str]:
        """Environment that children get; as upstream it is this process's own."""
        return os.environ

    @property
    def locals(self) -> Locals:
        """Values of the current scope as attributes."""
        return Locals(self._values)

    def get_locals_as_dict(self) -> dict[str, object]:
        """Copy the values of the current scope."""
        return dict(self._values)

    def extend_locals(self, values: Mapping[str, object]) -> None:
        """Add values to the current scope."""
        self._values.update(values)

    def replace_locals(self, values: Mapping[str, object]) -> None:
        """Put back a scope that `get_locals_as_dict` gave."""
        self._values = dict(values)

    def push(self, stack: str, state: Mapping[str, Any]) -> None:
        """Keep a copy of a state (configurations, environment) on a named stack."""
        self._stacks.setdefault(stack, []).append(dict(state))

    def pop(self, stack: str) -> dict[str, Any]:
        """Take the newest copy from a named stack.

        Raises:
            RuntimeError: Nothing was pushed.
        """
        if not self._stacks.get(stack):
            raise RuntimeError(f'nothing to pop: no {stack} was pushed before')
        return self._stacks[stack].pop()

    def register_event_handler(self, handler: BaseEventHandler, append: bool = False) -> None:
        """Add a handler; the newest is asked first unless `append` is set."""
        if append:
            self._handlers.append(handler)
        else:
            self._handlers.appendleft(handler)
        handler.on_registered(self)

    def unregister_event_handler(self, handler: BaseEventHandler) -> None:
        """Remove a handler; one that is gone already is no error."""
        if handler in self._handlers:
            self._handlers.remove(handler)

    def handlers_for(self, event: Event) -> list[BaseEventHandler]:
        """List the handlers that want an event, newest first."""
        return [handler for handler in self._handlers if handler.matches(event)]

    @contextmanager
    def user_code(self) -> Iterator[None]:
        """Run a function of the launch file: a signal may interrupt it where it stands.

        Raises:
            Interrupted: A signal came; the launch service turns it into a shutdown.
        """
        self.in_user_code = True
        try:
            # One that came just before is queued for the loop, which does not run meanwhile.
            if self.queued_signals:
                raise Interrupted(None)
            yield
        finally:
            self.in_user_code = False

    def at_exit(self, function: Callable[[], object]) -> None:
        """Call a function when the launch has ended."""
        self._at_exit.append(function)

    def close(self) -> None:
        """Call the functions of `at_exit`, newest first."""
        while self._at_exit:
            self._at_exit.pop()()

    def has_handler(self, kind: type[BaseEventHandler]) -> bool:
        """Tell whether a handler of a kind is registered."""
        return any(isinstance(handler, kind) for handler in self._handlers)

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event."""
        if not isinstance(event, Event):
            raise TypeError(f'expected a launch event, got {event!r}')
        self._events.append(event)
        self._notify()

    async def emit_event(self, event: Event) -> None:
        """Queue an event from a coroutine."""
        self.emit_event_sync(event)

    def next_event(self) -> Event | None:
        """Take the oldest queued event, None when there is none."""
        return self._events.popleft() if self._events else None

    def keep_alive_until(self, future: asyncio.Future[Any]) -> None:
        """Let the launch run at least until the future is done."""
        self._pending.add(future)
        future.add_done_callback(self._forget)

    @property
    def is_idle(self) -> bool:
        """True when nothing is queued and nothing is running."""
        return not self._events and not self._pending

    def _forget(self, future: asyncio.Future[Any]) -> None:
        self._pending.discard(future)
        if not future.cancelled() and future.exception() is not None:
            self.failures += 1
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()
