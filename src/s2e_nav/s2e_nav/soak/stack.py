"""The nodes under test, started as a user starts them: by `ros2 launch`."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from s2e_nav.errors import StartError

STARTED = re.compile(r'\[([a-z_]+)-\d+\]: process started with pid \[(\d+)\]')
"""What both launch and its stand-in say of each process."""
LAUNCH = 'launch'
"""Name of the launch process itself."""
ENDING = 15.0
"""Longest orderly end, seconds."""


class LaunchedStack:
    """A running `ros2 launch` and the processes it has started."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        """Start.

        Args:
            words: Launch file and arguments, after `ros2 launch`.
            environment: Environment of every process.
            log: File for what they say.

        Raises:
            StartError: There is no `ros2` command.
        """
        # Beside the interpreter where the environment is not activated.
        beside = str(Path(sys.executable).parent)
        ros2 = shutil.which('ros2', path=environment.get('PATH')) or shutil.which(
            'ros2', path=beside)
        if ros2 is None:
            raise StartError('no ros2 command; source or activate an environment')
        self._lock = threading.Lock()
        self._said: deque[str] = deque(maxlen=20)
        self._process = subprocess.Popen(
            [ros2, 'launch', *words], env=dict(environment), text=True, errors='replace',
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            # Ctrl-C is for us: the nodes are watched to their end.
            start_new_session=True,
        )
        self._pids = {LAUNCH: self._process.pid}
        self.restarts: list[str] = []
        """Names of processes that were started again."""
        self._reader = threading.Thread(target=self._read, args=(log,), daemon=True)
        self._reader.start()

    def _read(self, log: Path) -> None:
        assert self._process.stdout is not None
        with log.open('w', encoding='utf-8') as file:
            for line in self._process.stdout:
                file.write(line)
                file.flush()
                with self._lock:
                    self._said.append(line.rstrip())
                    found = STARTED.search(line)
                    if found is None:
                        continue
                    if found[1] in self._pids:
                        self.restarts.append(found[1])
                    self._pids[found[1]] = int(found[2])

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, launch itself included."""
        with self._lock:
            return dict(self._pids)

    @property
    def ended(self) -> bool:
        """Whether launch has ended, which nobody asked it to."""
        return self._process.poll() is not None

    def said(self) -> str:
        """Return the last lines, for an error message."""
        with self._lock:
            return '\n'.join(self._said)

    def stop(self) -> int:
        """End everything as Ctrl-C does; returns the exit code of launch."""
        if self._process.poll() is None:
            # A process of the background may have been told to ignore SIGINT.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                self._process.send_signal(number)
                try:
                    self._process.wait(ENDING)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._reader.join(ENDING)
        return self._process.wait()
