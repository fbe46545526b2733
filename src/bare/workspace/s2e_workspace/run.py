"""Run a tool with its output in a log file, and show the end of that file when it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from s2e_workspace.errors import WorkspaceError

TAIL_LINES = 25


def run(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    purpose: str,
) -> None:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        log: File that receives both output streams.
        environment: The whole environment of the program.
        cwd: Working folder.
        purpose: What failed, for the message.

    Raises:
        WorkspaceError: If the command cannot start or exits non-zero, with the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w', encoding='utf-8', errors='replace') as stream:
        stream.write('$ ' + ' '.join(command) + '\n')
        stream.flush()
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
            ).returncode
        except OSError as error:
            raise WorkspaceError(f'{purpose}: cannot start {command[0]}: {error}') from error
    if code != 0:
        lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
        tail = '\n'.join('    ' + line for line in lines[-TAIL_LINES:])
        raise WorkspaceError(f'{purpose} failed (exit {code}); the end of {log}:\n{tail}')
