"""Ends a process that was started in a session of its own, with all it has started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress


def end_group(child: subprocess.Popen[bytes], patience: float = 15.0) -> None:
    """Ask as Ctrl-C does, then harder; returns at once where the process has ended.

    Args:
        child: Started with `start_new_session`.
        patience: Seconds that each signal is given.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(child.pid, number)
            child.wait(patience)
