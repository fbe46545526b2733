"""Commands side by side, each with a log of its own; none outlives the caller."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from s2e_cli.process_group import end_group

POLL = 0.2
"""Seconds between two looks at what runs; commands take minutes."""


def run_side_by_side(
    commands: Mapping[str, Sequence[str]], log: Callable[[str], Path], at_once: int,
    say: Callable[[str], None],
) -> list[str]:
    """Run commands, so many at a time; one that fails leaves the others alone.

    Ctrl-C, SIGTERM and errors end all that run, with what they have started.

    Args:
        commands: Command of each name, in their order.
        log: Where the output of a name goes; the file is written anew.
        at_once: How many run at a time.
        say: Told of each start and end.

    Returns:
        The names of those that failed.

    Raises:
        SystemExit: SIGTERM came.
    """
    waiting = list(commands)
    running: dict[str, subprocess.Popen[bytes]] = {}
    failed = []
    with _ended_by_sigterm():
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    name = waiting.pop(0)
                    running[name] = _start(commands[name], log(name))
                    number = len(commands) - len(waiting)
                    say(f'{name}, {number} of {len(commands)}: {log(name)}')
                for name in [name for name, child in running.items() if child.poll() is not None]:
                    code = running.pop(name).returncode
                    say(f'{name} is done' if code == 0 else f'{name} failed, {code}: {log(name)}')
                    failed += [name] if code else []
                time.sleep(POLL)
        finally:
            for child in running.values():
                end_group(child)
    return failed


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('wb') as file:
        return subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that nothing is left running."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
