"""Launches in processes of their own, fake packages, and a DDS domain for each test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine makes single examples slow; the whole suite has its limit elsewhere.
settings.register_profile('s2e', deadline=None)
settings.load_profile('s2e')

PROGRAM = (
    'import sys; from s2e_bare.ros2.main import run_command; sys.exit(run_command(sys.argv[1:]))'
)
TIMEOUT = 30.0


class Running:
    """A process whose output is read line by line."""

    def __init__(self, command: list[str], env: dict[str, str], cwd: Path) -> None:
        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        return '\n'.join(self.lines)

    def wait_for(self, pattern: str, count: int = 1, timeout: float = TIMEOUT) -> re.Match[str]:
        """Wait for the count-th line that matches and give its match."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [m for line in self.lines if (m := re.search(pattern, line))]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    raise AssertionError(f'no {pattern!r} ({count}x) in:\n{self.text}')
                self._changed.wait(left)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def finish(self, timeout: float = TIMEOUT) -> int:
        """Wait for the end; gives the exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {timeout} s:\n{self.text}') from None
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip('\n'))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def reserved_domain() -> Iterator[int]:
    """Reserve a DDS domain: whoever holds its loopback port has it."""
    for domain in range(1, 101):
        lock = socket.socket()
        try:
            lock.bind(('127.0.0.1', 21000 + domain))
        except OSError:
            lock.close()
            continue
        try:
            yield domain
        finally:
            lock.close()
        return
    raise AssertionError('no free DDS domain')


def test_environment(log_dir: Path) -> dict[str, str]:
    """Environment of a child: our code first, logs in a folder of the test."""
    env = dict(os.environ)
    root = str(Path(__file__).resolve().parents[1])
    env['PYTHONPATH'] = os.pathsep.join([root, env.get('PYTHONPATH', '')]).rstrip(os.pathsep)
    env['ROS_LOG_DIR'] = str(log_dir)
    env.pop('OVERRIDE_LAUNCH_PROCESS_OUTPUT', None)
    return env


test_environment.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / 'log'


@pytest.fixture
def start(tmp_path: Path, log_dir: Path) -> Iterator[Callable[..., Running]]:
    """Start a command of the stand-in, `start('launch', path, ...)`."""
    running: list[Running] = []

    def begin(*words: object, **extra: str) -> Running:
        env = test_environment(log_dir) | extra
        command = [sys.executable, '-c', PROGRAM, *map(str, words)]
        running.append(Running(command, env, tmp_path))
        return running[-1]

    yield begin
    for item in running:
        item.close()


@pytest.fixture
def launch(tmp_path: Path, start: Callable[..., Running]) -> Callable[..., Running]:
    """Write a launch file whose entities are given as text, and run it."""

    def begin(entities: str, *words: str, head: str = '', **extra: str) -> Running:
        path = tmp_path / 'test.launch.py'
        path.write_text(LAUNCH_FILE.format(entities=entities, head=head))
        return start('launch', path, *words, **extra)

    return begin


LAUNCH_FILE = """
import sys
from launch import LaunchDescription
from launch.actions import *
from launch.conditions import *
from launch.event_handlers import *
from launch.events import Shutdown as ShutdownEvent, matches_action
from launch.events.process import ShutdownProcess, SignalProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import *
from launch_ros.actions import *

def python(code, name='child', **kwargs):
    kwargs.setdefault('output', 'screen')
    return ExecuteProcess(cmd=[sys.executable, '-c', code], name=name, **kwargs)

{head}

def generate_launch_description():
    return LaunchDescription([
{entities}
    ])
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prefix with the package `demo`, which has the executable `talker`."""
    prefix = tmp_path / 'prefix'
    index = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    (index / 'demo').touch()
    (prefix / 'share' / 'demo' / 'launch').mkdir(parents=True)
    program = prefix / 'lib' / 'demo' / 'talker'
    program.parent.mkdir(parents=True)
    program.write_text(f'#!{sys.executable}\nimport sys\nprint(sys.argv[1:])\n')
    program.chmod(0o755)
    known = os.environ.get('AMENT_PREFIX_PATH', '')
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{prefix}{os.pathsep}{known}'.rstrip(os.pathsep))
    return prefix


@pytest.fixture(scope='session')
def reserve() -> Callable[[], AbstractContextManager[int]]:
    """Function that reserves a DDS domain."""
    return reserved_domain


@pytest.fixture(scope='module')
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start a command that lives as long as the module's tests."""
    started: list[Running] = []
    folder = tmp_path_factory.mktemp('running')

    def begin(command: list[str], env: dict[str, str]) -> Running:
        variables = test_environment(folder / 'log') | env
        variables['PYTHONPATH'] = test_environment(folder)['PYTHONPATH']
        started.append(Running(command, variables, folder))
        return started[-1]

    yield begin
    for item in started:
        item.close()
