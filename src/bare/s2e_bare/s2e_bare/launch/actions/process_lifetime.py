"""Life of one process action: start, respawn, stop."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event_handlers.process import OnProcessIO
from s2e_bare.launch.events.process import (
    ProcessExited,
    ProcessStarted,
    ProcessStderr,
    ProcessStdout,
)
from s2e_bare.launch.logging import get_logger
from s2e_bare.processes.child import ChildProcess
from s2e_bare.processes.escalation import Escalation
from s2e_bare.processes.output import ProcessOutput

if TYPE_CHECKING:
    from s2e_bare.launch.actions.execute_local import ExecuteLocal
    from s2e_bare.launch.launch_context import LaunchContext


class ProcessLifetime:
    """Runs the child of one action, again and again where it respawns."""

    def __init__(
        self,
        action: ExecuteLocal,
        context: LaunchContext,
        *,
        tty: bool,
        respawn: bool,
        timeouts: tuple[float, float],
        output: ProcessOutput,
    ) -> None:
        """Hold the evaluated settings of the action."""
        self._action = action
        self._context = context
        self._tty = tty
        self._respawn = respawn
        self._timeouts = timeouts
        self._output = output
        self._name = action.process_description.final_name
        self._logger = get_logger(self._name)
        self._child: ChildProcess | None = None
        self._escalation: Escalation | None = None
        self._stopping = asyncio.Event()
        self._at_end: list[Callable[[], Any]] = [output.close]

    def start(self) -> None:
        """Start the child now, and follow it from a task."""
        loop = asyncio.get_running_loop()
        started = self._spawn()
        self._context.keep_alive_until(loop.create_task(self._follow(started)))

    def on_end(self, function: Callable[[], Any]) -> None:
        """Call a function when the last child has ended."""
        self._at_end.append(function)

    def stop(self) -> None:
        """End the child step by step; a second call changes nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._child is None or self._child.has_exited():
            return
        self._escalation = Escalation(
            self._child,
            name=self._name,
            sigterm_timeout=self._timeouts[0],
            sigkill_timeout=self._timeouts[1],
            log=lambda level, message: getattr(self._logger, level)(message),
        )
        task = asyncio.get_running_loop().create_task(self._escalation.run())
        self._context.keep_alive_until(task)

    def hurry(self) -> None:
        """Take the next step of the ending at once."""
        if self._escalation is not None:
            self._escalation.hurry()

    def kill(self) -> None:
        """Send SIGKILL to whatever is left; for a launch that itself failed."""
        if self._child is not None:
            self._child.signal(9)

    def signal(self, number: int) -> None:
        """Send a signal to the child's group."""
        if self._child is None or self._child.has_exited():
            self._logger.debug('no signal sent: the process is not running')
            return
        name = getattr(number, 'name', number)
        self._logger.info(f"sending signal '{name}' to process[{self._name}]")
        self._child.signal(number)

    def write(self, data: bytes) -> None:
        """Write to the child's standard input."""
        if self._child is not None:
            self._child.write(data)

    async def _follow(self, started: bool) -> None:
        retries = 0
        try:
            while started:
                await self._wait()
                limit = self._action.respawn_max_retries
                if not self._respawn or (0 <= limit <= retries) or not await self._pause():
                    return
                retries += 1
                started = self._spawn()
        finally:
            self._context.children.discard(self)
            for function in self._at_end:
                function()

    async def _pause(self) -> bool:
        """Wait before a respawn; False when the process is to stay down."""
        if self._stopping.is_set() or self._context.is_shutdown:
            return False
        try:
            await asyncio.wait_for(self._stopping.wait(), self._action.respawn_delay or 0.0)
        except asyncio.TimeoutError:
            return not self._context.is_shutdown
        return False

    def _spawn(self) -> bool:
        """Start one child; False when it cannot be started."""
        command = self._action.process_description
        if self._action.log_cmd:
            self._logger.info(
                f"process details: cmd='{shlex.join(command.argv)}', "
                f"cwd='{command.working_directory}', custom_env?={command.has_env}"
            )
        try:
            self._child = ChildProcess(
                ' '.join(command.argv) if self._action.shell else command.argv,
                loop=asyncio.get_running_loop(),
                on_line=self._on_line,
                cwd=command.working_directory,
                env=command.environment,
                shell=self._action.shell,
                tty=self._tty,
            )
        except OSError as error:
            self._logger.error(f'cannot start {shlex.join(command.argv)!r}: {error}')
            self._context.failures += 1
            return False
        self._context.children.add(self)
        self._action.process_details = {
            'action': self._action,
            'name': self._name,
            'cmd': list(command.argv),
            'cwd': command.working_directory,
            'env': command.environment,
            'pid': self._child.pid,
        }
        self._logger.info(f'process started with pid [{self._child.pid}]')
        self._context.emit_event_sync(ProcessStarted(**self._action.process_details))
        return True

    async def _wait(self) -> None:
        child = self._child
        if child is None or self._action.process_details is None:
            return
        code = await child.finish(self._timeouts[1])
        self._action.return_code = code
        if code == 0:
            self._logger.info(f'process has finished cleanly [pid {child.pid}]')
        else:
            command = shlex.join(self._action.process_description.argv)
            self._logger.error(
                f"process has died [pid {child.pid}, exit code {code}, cmd '{command}']."
            )
        self._context.emit_event_sync(
            ProcessExited(returncode=code, **self._action.process_details)
        )

    def _on_line(self, number: int, line: bytes) -> None:
        self._action.keep(number, self._output.write(number, line))
        details = self._action.process_details
        if details is None or not self._context.has_handler(OnProcessIO):
            return
        kind = ProcessStdout if number == 1 else ProcessStderr
        self._context.emit_event_sync(kind(text=line + b'\n', fd=number, **details))
