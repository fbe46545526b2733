"""Never in the way of a real ROS 2: finds its `ros2` and lets it take over."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from s2e_bare.aliases import real_launch_present

_MARKS = (b's2e_bare', b's2e-bare')
# Set by the ROS 2 wheels for this Python; another Python's ROS 2 must not inherit them.
_WHEEL_VARIABLES = ('_ROS_WHEELS_BOOTSTRAP_COMPLETE', 'LD_LIBRARY_PATH')

Exec = Callable[[str, list[str], dict[str, str]], object]


def real_ros2(path: str) -> Path | None:
    """Find the first `ros2` on a search path that is not this stand-in.

    Args:
        path: As the variable PATH.
    """
    for entry in path.split(os.pathsep):
        candidate = Path(entry or '.') / 'ros2'
        if candidate.is_file() and os.access(candidate, os.X_OK) and not _is_ours(candidate):
            return candidate
    return None


def hand_over(
    argv: Sequence[str],
    environment: Mapping[str, str] | None = None,
    execute: Exec = os.execve,
) -> str | None:
    """Replace this process by the real `ros2` if there is one.

    Args:
        argv: Arguments without the program's name.
        environment: Environment to look in, by default that of this process.
        execute: What replaces the process; returns only in tests.

    Returns:
        None when the stand-in may work, else why it refuses: the real `launch_ros` can be
        imported here, but no `ros2` program is on PATH.
    """
    here = dict(os.environ if environment is None else environment)
    found = real_ros2(here.get('PATH', ''))
    if found is not None:
        if here.get(_WHEEL_VARIABLES[0]):
            for name in _WHEEL_VARIABLES:
                here.pop(name, None)
        execute(str(found), [str(found), *argv], here)
        return None
    if real_launch_present():
        return (
            'ros2: the real launch_ros is installed for this Python, so the stand-in does not '
            f'run, and no other ros2 is on PATH; source its setup file (Python: {sys.executable})'
        )
    return None


def _is_ours(program: Path) -> bool:
    """Tell whether a program is the stand-in, of whatever environment: its script says so."""
    try:
        with program.open('rb') as stream:
            head = stream.read(4096)
    except OSError:
        return False
    return any(mark in head for mark in _MARKS)
