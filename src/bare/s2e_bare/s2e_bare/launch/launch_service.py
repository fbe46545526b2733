"""Runs launch descriptions until everything in them has ended."""

from __future__ import annotations

import asyncio
import signal
import threading
import traceback
from collections.abc import Iterable
from typing import Any

from s2e_bare.launch.event import Event
from s2e_bare.launch.events.shutdown import Shutdown
from s2e_bare.launch.launch_context import Interrupted, LaunchContext
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.logging import get_logger, launch_config
from s2e_bare.launch.process_command import restart_numbers
from s2e_bare.unsupported import refuse_arguments

# What a shell reports for a program that SIGTERM ended: a supervisor must not take a launch
# that it stopped for one that finished.
_STOPPED = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}


class LaunchService:
    """Visits descriptions, handles events, hands signals on to the children."""

    def __init__(
        self,
        *,
        argv: Iterable[str] | None = None,
        noninteractive: bool = False,
        debug: bool = False,
        **unknown: Any,
    ) -> None:
        """Prepare a launch.

        Args:
            argv: Arguments, for descriptions that look at them.
            noninteractive: Nobody sits at the terminal.
            debug: Log debug messages and tracebacks.
            **unknown: Refused by name.
        """
        refuse_arguments(self, unknown)
        self._debug = debug
        launch_config.level = 'DEBUG' if debug else 'INFO'
        self._logger = get_logger('launch')
        self._context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._entities: list[LaunchDescriptionEntity] = []
        self._return_code = 0
        self._interrupts = 0
        self._before: dict[signal.Signals, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def context(self) -> LaunchContext:
        """The context of the launch."""
        return self._context

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop while the launch runs, else None."""
        return self._loop

    def include_launch_description(self, description: LaunchDescriptionEntity) -> None:
        """Add a description; it is visited as soon as the launch runs."""
        self._entities.append(description)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._visit_new)

    def emit_event(self, event: Event) -> None:
        """Queue an event, from any thread."""
        if self._loop is None:
            self._context.emit_event_sync(event)
        else:
            self._loop.call_soon_threadsafe(self._context.emit_event_sync, event)

    def shutdown(self) -> None:
        """Ask the launch to end, from any thread."""
        self.emit_event(Shutdown(reason='LaunchService.shutdown() called'))

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended.

        Returns:
            0, also when children died or Ctrl-C ended it; 1 after an exception in a
            description or a process that could not be started; 128 + N after signal N.
        """
        return asyncio.run(self.run_async(shutdown_when_idle=shutdown_when_idle))

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """Run in an event loop that exists already; see `run`."""
        self._loop = asyncio.get_running_loop()
        restart_numbers()
        wake = asyncio.Event()
        self._context.attach(self._loop, wake)
        self._catch_signals()
        try:
            self._visit_new()
            await self._process_events(wake, shutdown_when_idle)
        finally:
            for child in list(self._context.children):
                child.kill()
            self._context.close()
            self._release_signals()
            self._loop = None
        if self._context.failures and self._return_code == 0:
            self._return_code = 1
        return self._return_code

    async def _process_events(self, wake: asyncio.Event, shutdown_when_idle: bool) -> None:
        while True:
            wake.clear()
            event = self._context.next_event()
            if event is not None:
                self._handle(event)
                await asyncio.sleep(0)
            elif not self._context.is_idle:
                await wake.wait()
            elif self._context.is_shutdown:
                return
            elif shutdown_when_idle:
                self._context.emit_event_sync(Shutdown(reason='idle'))
            else:
                await wake.wait()

    def _visit_new(self) -> None:
        while self._entities:
            self._guard(lambda entity: self._visit([entity]), self._entities.pop(0))

    def _handle(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            if self._context.is_shutdown:
                return
            self._context.is_shutdown = True
            self._logger.debug(f'shutting down: {event.reason}')
        for handler in self._context.handlers_for(event):
            self._guard(lambda handler: self._visit(handler.handle(event, self._context)), handler)

    def _visit(self, entities: Iterable[LaunchDescriptionEntity]) -> None:
        """Visit entities depth first, in order."""
        for entity in entities:
            self._visit(entity.visit(self._context) or ())

    def _guard(self, function: Any, argument: object) -> None:
        """Call a function; its exception ends the launch with 1."""
        try:
            function(argument)
        except Interrupted as interrupted:
            if interrupted.number is not None:
                self._react(interrupted.number)
        except Exception as error:
            self._logger.debug(traceback.format_exc())
            hint = '' if self._debug else ' (see debug for traceback)'
            self._logger.error(
                f'Caught exception in launch{hint}: {type(error).__name__}: {error}'
            )
            self._return_code = 1
            if not self._context.is_shutdown:
                self._context.emit_event_sync(Shutdown(reason='uncaught exception'))

    def _catch_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, *_STOPPED):
                self._before[number] = signal.signal(number, self._on_signal)

    def _release_signals(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _on_signal(self, number: int, _: object) -> None:
        """Hand a signal to the loop; a long function of the launch file is interrupted."""
        if self._context.in_user_code:
            self._context.in_user_code = False
            raise Interrupted(number)
        if self._loop is not None:
            self._context.queued_signals += 1
            self._loop.call_soon_threadsafe(self._react_queued, number)

    def _react_queued(self, number: int) -> None:
        self._context.queued_signals -= 1
        self._react(number)

    def _react(self, number: int) -> None:
        if number == signal.SIGINT:
            self._on_interrupt()
        else:
            self._on_stop(signal.Signals(number))

    def _on_interrupt(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            self._logger.warning('user interrupted with ctrl-c (SIGINT)')
            self._context.emit_event_sync(Shutdown(reason='ctrl-c (SIGINT)', due_to_sigint=True))
            return
        self._logger.warning('user interrupted with ctrl-c (SIGINT) again, escalating')
        self._hurry()

    def _on_stop(self, number: signal.Signals) -> None:
        self._return_code = _STOPPED[number]
        self._logger.warning(f'received {number.name}, shutting the children down')
        if self._context.is_shutdown:
            self._hurry()
        else:
            self._context.emit_event_sync(Shutdown(reason=number.name))

    def _hurry(self) -> None:
        for child in list(self._context.children):
            child.hurry()
