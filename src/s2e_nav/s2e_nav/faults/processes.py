"""The real nodes as processes that can be frozen, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from s2e_core.paths import find_config

MODULES = {
    'policy': 's2e_nav.faults.model',
    'follower': 's2e_nav.nodes.follower',
    'gate': 's2e_nav.nodes.gate',
}
FILES = {'policy': 'policy', 'follower': 'follower', 'gate': 'gate_robot'}
ENDING = 8.0
"""Longest wait for an orderly end, seconds."""


class Processes:
    """Starts, signals and ends the nodes of one graph."""

    def __init__(
        self, environment: Mapping[str, str], parameters: Mapping[str, str], logs: Path
    ) -> None:
        """Prepare.

        Args:
            environment: Environment of every process.
            parameters: Parameters of every node by name.
            logs: Folder for what they say.
        """
        self._environment, self._parameters, self._logs = dict(environment), parameters, logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a node."""
        words = [sys.executable, '-m', MODULES[name], '--ros-args', '--params-file',
                 str(find_config(f'nodes/{FILES[name]}.yaml'))]
        for key, value in self._parameters.items():
            words += ['-p', f'{key}:={value}']
        if name != 'policy':
            words += ['-p', 'robot:=coco']
        with (self._logs / f'{name}.log').open('ab') as log:
            self._running[name] = subprocess.Popen(
                words, env=self._environment, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a node."""
        self._running[name].send_signal(number)

    def kill(self, name: str) -> None:
        """End a node as the kernel does when memory is short."""
        self._running[name].kill()
        self._running[name].wait()

    def said(self, name: str) -> str:
        """Return the last lines of a node, for an error message."""
        path = self._logs / f'{name}.log'
        text = path.read_text(errors='replace') if path.exists() else ''
        return '\n'.join(text.splitlines()[-10:])

    def dead(self) -> list[str]:
        """Name the nodes that have ended."""
        return [name for name, child in self._running.items() if child.poll() is not None]

    def stop(self) -> None:
        """End every node."""
        for child in self._running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.send_signal(signal.SIGINT)
        for child in self._running.values():
            try:
                child.wait(ENDING)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()


def isolated_environment(domain: int) -> dict[str, str]:
    """Return an environment that keeps ROS on this machine and off everybody else's domain."""
    environment = {
        **os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        # Killed processes leave shared memory behind; images of 49 KB need none.
        'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4',
    }
    environment.pop('FASTDDS_DEFAULT_PROFILES_FILE', None)
    return environment
