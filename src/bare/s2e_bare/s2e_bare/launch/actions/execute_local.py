"""Running a child process under a launch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.actions.process_lifetime import ProcessLifetime
from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler, as_entities
from s2e_bare.launch.event_handlers.process import OnProcessExit
from s2e_bare.launch.event_handlers.shutdown import OnShutdown
from s2e_bare.launch.events.process import (
    ProcessStdin,
    ProcessTargetedEvent,
    ShutdownProcess,
    SignalProcess,
)
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.logging import launch_config, screen
from s2e_bare.launch.substitution import SomeSubstitutionsType, perform_text
from s2e_bare.launch.substitutions.configuration import LaunchConfiguration
from s2e_bare.processes.output import OutputChoice, ProcessOutput, places

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext
    from s2e_bare.launch.process_command import ProcessCommand

# Settable for a whole launch: `ros2 launch ... sigterm_timeout:=2`.
SIGTERM_TIMEOUT = LaunchConfiguration('sigterm_timeout', default=5)
SIGKILL_TIMEOUT = LaunchConfiguration('sigkill_timeout', default=5)
DEFAULT_FORMAT = '[{this.process_description.final_name}] {line}'


class ExecuteLocal(Action):
    """Runs a command and emits events about it."""

    def __init__(
        self,
        *,
        process_description: ProcessCommand,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType | float = SIGTERM_TIMEOUT,
        sigkill_timeout: SomeSubstitutionsType | float = SIGKILL_TIMEOUT,
        emulate_tty: bool | SomeSubstitutionsType = False,
        output: OutputChoice | SomeSubstitutionsType = 'log',
        output_format: str = DEFAULT_FORMAT,
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: object = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        """Hold what to run and how.

        Args:
            process_description: The command.
            shell: Run it by a shell.
            sigterm_timeout: Seconds after SIGINT until SIGTERM.
            sigkill_timeout: Seconds after SIGTERM until SIGKILL.
            emulate_tty: Let the child think that it writes to a terminal; the launch
                configuration of this name wins.
            output: Where its lines go, see `s2e_bare.processes.output.places`.
            output_format: How a line is shown; knows `line` and `this`.
            cached_output: Keep all output for `get_stdout` and `get_stderr`.
            log_cmd: Log the command line before it runs.
            on_exit: Entities, or a function of event and context, for its end.
            respawn: Start it again when it ends, whatever its exit code.
            respawn_delay: Seconds to wait before that.
            respawn_max_retries: How often, negative for ever.
            **kwargs: `condition`.
        """
        super().__init__(**kwargs)
        self.process_description = process_description
        self.shell = shell
        self.output_format = output_format
        self.log_cmd = log_cmd
        self.respawn_delay = respawn_delay
        self.respawn_max_retries = respawn_max_retries
        self.return_code: int | None = None
        self.process_details: dict[str, Any] | None = None
        self._timeouts = (sigterm_timeout, sigkill_timeout)
        self._emulate_tty = emulate_tty
        self._output = os.environ.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT', output)
        if isinstance(self._output, (str, dict)):
            places(self._output)
        self._respawn = respawn
        self._on_exit = on_exit
        self._cached = cached_output
        self._cache: dict[int, list[str]] = {1: [], 2: []}
        self._lifetime: ProcessLifetime | None = None

    def get_stdout(self) -> str:
        """Give the cached standard output."""
        return ''.join(f'{line}\n' for line in self._cache[1])

    def get_stderr(self) -> str:
        """Give the cached standard error."""
        return ''.join(f'{line}\n' for line in self._cache[2])

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """List the entities for its end."""
        if callable(self._on_exit) and not isinstance(self._on_exit, LaunchDescriptionEntity):
            return ()
        return as_entities(self._on_exit, 'on_exit')

    def execute(self, context: LaunchContext) -> None:
        """Perform the substitutions and start the process.

        Raises:
            RuntimeError: The action was executed before.
        """
        if self._lifetime is not None:
            raise RuntimeError(
                f'{type(self).__name__} {self.process_description.final_name!r} was executed '
                'twice; make one action for each process'
            )
        if context.is_shutdown:
            return
        self.process_description.prepare(context)
        self._lifetime = ProcessLifetime(
            self,
            context,
            tty=self._truth(
                context, context.launch_configurations.get('emulate_tty', self._emulate_tty)
            ),
            respawn=self._truth(context, self._respawn),
            timeouts=(self._seconds(context, 0), self._seconds(context, 1)),
            output=self._open_output(context),
        )
        self._register(context, self._lifetime)
        self._lifetime.start()

    def keep(self, number: int, text: str) -> None:
        """Cache a line, if that is wanted."""
        if self._cached:
            self._cache[number].append(text)

    def _open_output(self, context: LaunchContext) -> ProcessOutput:
        choice: OutputChoice
        if isinstance(self._output, (str, dict)):
            choice = self._output
        else:
            choice = perform_text(context, self._output)
        return ProcessOutput(
            name=self.process_description.final_name,
            choice=choice,
            log_dir=Path(launch_config.log_dir),
            screen=screen,
            log=launch_config.write_log,
            form=lambda line: self.output_format.format(line=line, this=self),
        )

    def _register(self, context: LaunchContext, lifetime: ProcessLifetime) -> None:
        def targeted(kind: type[ProcessTargetedEvent]) -> Callable[[Event], bool]:
            return lambda event: isinstance(event, kind) and bool(event.process_matcher(self))

        def release() -> None:
            for handler in handlers:
                context.unregister_event_handler(handler)

        handlers = [
            OnShutdown(on_shutdown=lambda event, context: lifetime.stop()),
            EventHandler(
                matcher=targeted(ShutdownProcess), entities=lambda event, context: lifetime.stop()
            ),
            EventHandler(
                matcher=targeted(SignalProcess),
                entities=lambda event, context: lifetime.signal(event.signal),
            ),
            EventHandler(
                matcher=targeted(ProcessStdin),
                entities=lambda event, context: lifetime.write(event.text),
            ),
        ]
        for handler in handlers:
            context.register_event_handler(handler)
        lifetime.on_end(release)
        if self._on_exit is not None:
            context.register_event_handler(
                OnProcessExit(target_action=self, on_exit=self._on_exit)
            )

    def _seconds(self, context: LaunchContext, which: int) -> float:
        value = self._timeouts[which]
        text = str(value) if isinstance(value, (int, float)) else perform_text(context, value)
        try:
            return float(text)
        except ValueError:
            name = ('sigterm_timeout', 'sigkill_timeout')[which]
            raise ValueError(f'{name} must be seconds, got {text!r}') from None

    @staticmethod
    def _truth(context: LaunchContext, value: bool | SomeSubstitutionsType) -> bool:
        return value if isinstance(value, bool) else parse_truth(perform_text(context, value))

    def describe(self) -> str:
        """Show the class and the command."""
        return f'{type(self).__name__}({self.process_description.describe()})'
