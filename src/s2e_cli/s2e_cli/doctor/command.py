"""Commands that the self-test runs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 900
"""Longest time; a city may have to be made first, and nothing may be warm."""


def run_command(
    command: Sequence[str], seconds: int = SECONDS, environment: Mapping[str, str] | None = None
) -> tuple[bool, str]:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        seconds: Longest time.
        environment: Of the command; this process's own when left out.

    Returns:
        **done**: Whether it ended with 0 in time.
        **said**: Everything it wrote.
    """
    try:
        done = subprocess.run(
            list(command), capture_output=True, text=True, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, env=None if environment is None else dict(environment),
        )
    except subprocess.TimeoutExpired:
        return False, f'{Path(command[0]).name} was not done after {seconds} s'
    return done.returncode == 0, done.stdout + done.stderr


def failure(command: Sequence[str], seconds: int = SECONDS) -> str:
    """Run a command; return its last words if it failed, else nothing."""
    done, said = run_command(command, seconds)
    if done:
        return ''
    words = said.strip().splitlines()
    last = words[-1] if words else 'without a word'
    return last if 'was not done' in last else f'{Path(command[0]).name} failed: {last}'
