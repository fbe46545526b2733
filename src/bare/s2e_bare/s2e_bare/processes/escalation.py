"""Ending a child: SIGINT, after a while SIGTERM, after another while SIGKILL."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from s2e_bare.processes.child import ChildProcess

Log = Callable[[str, str], None]

_STEPS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Escalation:
    """Ends one child, step by step; `hurry` takes the next step at once."""

    def __init__(
        self,
        child: ChildProcess,
        *,
        name: str,
        sigterm_timeout: float,
        sigkill_timeout: float,
        log: Log,
    ) -> None:
        """Prepare the steps.

        Args:
            child: The child to end.
            name: Its name in messages.
            sigterm_timeout: Seconds between SIGINT and SIGTERM.
            sigkill_timeout: Seconds between SIGTERM and SIGKILL.
            log: Called with a level (`info` or `error`) and a message.
        """
        self._child = child
        self._name = name
        self._timeouts = (sigterm_timeout, sigkill_timeout)
        self._log = log
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Take the next step without waiting."""
        self._hurry.set()

    async def run(self) -> None:
        """Take steps until the child is gone."""
        for step, number in enumerate(_STEPS):
            if self._child.has_exited():
                return
            self._log('info', f"sending signal '{number.name}' to process[{self._name}]")
            if not self._child.signal(number) or number is signal.SIGKILL:
                return
            seconds = self._timeouts[step]
            waited = await self._wait(seconds)
            if self._child.has_exited():
                return
            self._log(
                'error',
                f'process[{self._name}] failed to terminate {waited} after receiving '
                f"'{number.name}', escalating to '{_STEPS[step + 1].name}'",
            )

    async def _wait(self, seconds: float) -> str:
        """Wait for the end, the time or the hurry; tell how long that was, in words."""
        self._hurry.clear()
        exited = asyncio.ensure_future(self._child.exited())
        hurried = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait((exited, hurried), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        told = 'before a second interrupt' if hurried.done() else f"'{seconds:g}' seconds"
        for task in (exited, hurried):
            task.cancel()
        return told
