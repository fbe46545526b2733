"""The real nodes as processes that can be frozen, killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from s2e_core.paths import find_config
from s2e_nav.errors import StartError
from s2e_nav.faults.sockets import cut_off

MODULES = {
    'policy': 's2e_nav.faults.model',
    'follower': 's2e_nav.nodes.follower',
    'gate': 's2e_nav.nodes.gate',
    'nav2': 's2e_nav.faults.nav2',
    'simulator': 's2e_nav.nodes.sim_bridge',
}
FILES = {'policy': 'policy', 'follower': 'follower', 'gate': 'gate_robot'}
PEERS = (
    'ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS_SUPER_CLIENT', 'CYCLONEDDS_URI',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
)
"""Variables by which ROS finds others beyond this machine or this domain."""
PRIORITY = 2
"""Of nodes and saboteur, real time; 1 is the simulator's."""
ENDING = 8.0
"""Longest wait for an orderly end, seconds."""


class Processes:
    """Starts, signals and ends the nodes of one graph."""

    def __init__(
        self, environment: Mapping[str, str], parameters: Mapping[str, str], logs: Path,
        own: Mapping[str, Mapping[str, str]], remappings: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Prepare.

        Args:
            environment: Environment of every process.
            parameters: Parameters of every node by name.
            logs: Folder for what they say.
            own: Parameters of one node by name.
            remappings: Topics of one node by name.
        """
        self._environment, self._logs = dict(environment), logs
        self._parameters, self._own, self._remappings = parameters, own, remappings
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a node."""
        words = [sys.executable, '-m', MODULES[name], '--ros-args']
        if name in FILES:
            words += ['--params-file', str(find_config(f'nodes/{FILES[name]}.yaml'))]
        for key, value in {**self._parameters, **self._own.get(name, {})}.items():
            words += ['-p', f'{key}:={value}']
        if name in ('follower', 'gate'):
            words += ['-p', 'robot:=coco']
        for topic, other in self._remappings.get(name, {}).items():
            words += ['-r', f'{topic}:={other}']
        with (self._logs / f'{name}.log').open('ab') as log:
            self._running[name] = subprocess.Popen(
                words, env=self._environment, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if name == 'simulator':
            let_others_first(self._running[name].pid)

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a node."""
        self._running[name].send_signal(number)

    def cut_off(self, name: str) -> None:
        """Let a node neither hear nor say anything any more; its process goes on.

        Raises:
            StartError: This machine does not permit it.
        """
        try:
            cut_off(self._running[name].pid)
        except OSError as error:
            raise StartError(f'{name} cannot be cut off: {error}') from error

    def kill(self, name: str) -> None:
        """End a node as the kernel does when memory is short."""
        child = self._running.pop(name)
        child.kill()
        child.wait()

    def said(self, name: str) -> str:
        """Return the last lines of a node, for an error message."""
        path = self._logs / f'{name}.log'
        text = path.read_text(errors='replace') if path.exists() else ''
        return '\n'.join(text.splitlines()[-10:])

    def dead(self) -> list[str]:
        """Name the nodes that have ended by themselves."""
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


def ask_for_priority() -> bool:
    """Ask for real-time priority, which the nodes inherit; returns whether it was granted.

    Times of milliseconds are measured here; on a machine that is busy with something else they
    would be that machine's.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except (OSError, AttributeError):
        return False
    return True


def let_others_first(pid: int) -> None:
    """Let a process that has just begun, and the threads it will have, wait for the nodes.

    The simulator stands for the world, which needs nobody's processor: while it draws, for tens
    of milliseconds, the nodes must not queue behind it.
    """
    with contextlib.suppress(OSError, AttributeError):
        if os.sched_getscheduler(pid) == os.SCHED_RR:
            os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(PRIORITY - 1))


def isolated_environment(domain: int, *, udp: bool = False) -> dict[str, str]:
    """Return an environment that keeps ROS on this machine and off everybody else's domain.

    Args:
        domain: ROS domain.
        udp: Nothing but UDP over loopback; else shared memory too, as on a robot.
    """
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'ROS_AUTOMATIC_DISCOVERY_RANGE', *PEERS):
        environment.pop(name, None)
    if udp:
        environment['FASTDDS_DEFAULT_PROFILES_FILE'] = str(find_config('fastdds_loopback.xml'))
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return environment
