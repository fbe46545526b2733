"""Messages of the launch: on the screen, and in `launch.log` of the launch's log folder."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from s2e_bare.unsupported import refuse_unknown

__all__ = ['get_logger', 'launch_config', 'screen']

_ROOT = 's2e_bare_launch'


class _Named(logging.Formatter):
    """Shows the name without our root in front."""

    def format(self, record: logging.LogRecord) -> str:
        record.shown = record.name.removeprefix(f'{_ROOT}.')
        return super().format(record)


class _Screen(logging.Handler):
    """Writes to whatever stdout is now, and never fails."""

    def emit(self, record: logging.LogRecord) -> None:
        screen(self.format(record))


def screen(line: str) -> None:
    """Write one line to stdout; a reader that went away is no reason to stop the launch."""
    try:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()
    except (OSError, ValueError):
        return


class LaunchConfig:
    """Where this launch logs."""

    def __init__(self) -> None:
        """Decide nothing yet: the folder is made when it is first needed."""
        self._log_dir: Path | None = None
        self._file: logging.FileHandler | None = None
        self._file_logger = logging.getLogger(_ROOT)
        self._screen_handler = _Screen()
        self._screen_handler.setFormatter(_Named('[%(levelname)s] [%(shown)s]: %(message)s'))
        self._file_logger.addHandler(self._screen_handler)
        self._file_logger.setLevel(logging.INFO)
        self._file_logger.propagate = False

    @property
    def level(self) -> int:
        """Lowest level that is logged."""
        return self._file_logger.level

    @level.setter
    def level(self, level: int | str) -> None:
        self._file_logger.setLevel(level)

    @property
    def log_dir(self) -> str:
        """Folder of this launch's logs; made on first use."""
        if self._log_dir is None:
            self._open(_make_log_dir())
        return str(self._log_dir)

    @log_dir.setter
    def log_dir(self, path: str | os.PathLike[str]) -> None:
        self.reset()
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        self._open(folder)

    def reset(self) -> None:
        """Close the log; the next launch of this process gets a folder of its own."""
        if self._file is not None:
            self._file_logger.removeHandler(self._file)
            self._file.close()
        self._file = self._log_dir = None

    def write_log(self, line: str) -> None:
        """Write a line to `launch.log` only."""
        if self._file is not None and self._file.stream is not None:
            self._file.stream.write(f'{time.time():.6f} {line}\n')
            self._file.flush()

    def _open(self, folder: Path) -> None:
        self._log_dir = folder
        self._file = logging.FileHandler(folder / 'launch.log', encoding='utf-8')
        form = _Named('%(created).6f [%(levelname)s] [%(shown)s]: %(message)s')
        self._file.setFormatter(form)
        self._file_logger.addHandler(self._file)


def _base_log_dir() -> Path:
    """Give ROS_LOG_DIR, else ROS_HOME/log, else ~/.ros/log."""
    if os.environ.get('ROS_LOG_DIR'):
        return Path(os.environ['ROS_LOG_DIR']).expanduser()
    return Path(os.environ.get('ROS_HOME') or '~/.ros').expanduser() / 'log'


def _make_log_dir() -> Path:
    stamp = datetime.now().strftime('%Y-%m-%d-%H-%M-%S-%f')
    name = f'{stamp}-{socket.gethostname()}-{os.getpid()}'
    base = _base_log_dir()
    try:
        folder = base / name
        folder.mkdir(parents=True)
    except (OSError, RuntimeError) as error:
        folder = Path(tempfile.mkdtemp(prefix='launch-log-'))
        screen(f'[WARNING] [launch]: cannot log below {base} ({error}), using {folder}')
    return folder


def get_logger(name: str = 'launch') -> logging.Logger:
    """Give the logger of a name, e.g. of a process; its messages go where the launch's go."""
    return logging.getLogger(f'{_ROOT}.{name}')


launch_config = LaunchConfig()

__getattr__ = refuse_unknown('launch.logging')
