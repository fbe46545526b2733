"""Events of child processes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.unsupported import refuse_unknown

if TYPE_CHECKING:
    from s2e_bare.launch.actions.execute_local import ExecuteLocal

__all__ = [
    'ProcessExited',
    'ProcessIO',
    'ProcessStarted',
    'ProcessStderr',
    'ProcessStdin',
    'ProcessStdout',
    'ProcessTargetedEvent',
    'RunningProcessEvent',
    'ShutdownProcess',
    'SignalProcess',
]

Matcher = Callable[[Any], bool]


class RunningProcessEvent(Event):
    """Something about one child."""

    name = 'launch.events.process.RunningProcessEvent'

    def __init__(
        self,
        *,
        action: ExecuteLocal,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: Mapping[str, str] | None,
        pid: int,
    ) -> None:
        """Hold what identifies the child."""
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.cwd = cwd
        self.env = env
        self.pid = pid


class ProcessStarted(RunningProcessEvent):
    """A child runs."""

    name = 'launch.events.process.ProcessStarted'


class ProcessExited(RunningProcessEvent):
    """A child ended."""

    name = 'launch.events.process.ProcessExited'

    def __init__(self, *, returncode: int, **kwargs: Any) -> None:
        """Hold the exit code; -N means that signal N ended it."""
        super().__init__(**kwargs)
        self.returncode = returncode


class ProcessIO(RunningProcessEvent):
    """A child wrote something."""

    name = 'launch.events.process.ProcessIO'

    def __init__(self, *, text: bytes, fd: int, **kwargs: Any) -> None:
        """Hold the bytes, with the line end, and the descriptor number."""
        super().__init__(**kwargs)
        self.text = text
        self.fd = fd

    @property
    def from_stdout(self) -> bool:
        """True for standard output."""
        return self.fd == 1

    @property
    def from_stderr(self) -> bool:
        """True for standard error."""
        return self.fd == 2


class ProcessStdout(ProcessIO):
    """A child wrote to standard output."""

    name = 'launch.events.process.ProcessStdout'


class ProcessStderr(ProcessIO):
    """A child wrote to standard error."""

    name = 'launch.events.process.ProcessStderr'


class ProcessTargetedEvent(Event):
    """A request to the children that a function picks."""

    name = 'launch.events.process.ProcessTargetedEvent'

    def __init__(self, *, process_matcher: Matcher) -> None:
        """Hold the function, which gets the process action."""
        self.process_matcher = process_matcher


class ShutdownProcess(ProcessTargetedEvent):
    """Stop a child: SIGINT, SIGTERM, SIGKILL."""

    name = 'launch.events.process.ShutdownProcess'


class SignalProcess(ProcessTargetedEvent):
    """Send a signal to a child."""

    name = 'launch.events.process.SignalProcess'

    def __init__(self, *, signal_number: str | int | signal.Signals, **kwargs: Any) -> None:
        """Hold the signal, by name or number."""
        super().__init__(**kwargs)
        if isinstance(signal_number, str):
            self.signal = signal.Signals[signal_number]
        else:
            self.signal = signal.Signals(signal_number)

    @property
    def signal_name(self) -> str:
        """Name such as `SIGINT`."""
        return self.signal.name


class ProcessStdin(ProcessTargetedEvent):
    """Write to a child's standard input."""

    name = 'launch.events.process.ProcessStdin'

    def __init__(self, *, text: bytes | str, **kwargs: Any) -> None:
        """Hold the bytes."""
        super().__init__(**kwargs)
        self.text = text.encode() if isinstance(text, str) else text


__getattr__ = refuse_unknown('launch.events.process')
