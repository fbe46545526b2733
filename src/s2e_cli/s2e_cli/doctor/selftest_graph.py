"""The robot's graph as this machine has it: `ros2` tools, RViz, Foxglove, Nav2.

A robot of numbers stands for the robot. Everything runs on a ROS domain of its own that does not
leave this machine.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from s2e_cli.doctor.check import Check
from s2e_cli.doctor.command import run_command
from s2e_cli.process_group import end_group
from s2e_core.errors import S2EError

GROUP = 'selftest'
PATIENCE = 90
"""Seconds for an answer that takes three on an idle machine."""
RUNS = 10.0
"""Seconds that a viewer must stay alive."""
GOAL = '{{pose: {{header: {{frame_id: {0}}}, pose: {{position: {{x: {1}, y: 0.0}}}}}}}}'
NAV2 = {
    'nav2_velocity_smoother': 'velocity_smoother', 'nav2_collision_monitor': 'collision_monitor',
    'nav2_lifecycle_manager': 'lifecycle_manager',
}


@dataclass
class Graph:
    """A running stack and the environment that reaches it."""

    environment: dict[str, str]
    logs: Path
    stack: ExitStack = field(default_factory=ExitStack)

    def ros2(self, *words: str) -> str:
        """Run a `ros2` command; returns all it said."""
        return run_command([_ros2(), *words], PATIENCE, self.environment)[1]

    def until(self, wanted: str, *words: str) -> str:
        """Repeat a `ros2` command until it says a word; returns what it said last."""
        end = time.monotonic() + PATIENCE
        said = self.ros2(*words)
        while wanted not in said and time.monotonic() < end:
            said = self.ros2(*words)
        return said

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process that ends with the graph; what it says goes to `NAME.log`."""
        log: IO[bytes] = self.stack.enter_context((self.logs / f'{name}.log').open('wb'))
        child = subprocess.Popen(
            list(command), env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )
        self.stack.callback(end_group, child)
        return child

    def said(self, name: str) -> str:
        """Return what a process has said."""
        return (self.logs / f'{name}.log').read_text(errors='replace')


@contextmanager
def bring_up(*arguments: str) -> Iterator[Graph]:
    """Start a robot of numbers and `robot.launch.py` with the straight policy.

    Args:
        arguments: More launch arguments.

    Raises:
        S2EError: No domain is free.
    """
    from s2e_nav.faults.domains import own_domain
    from s2e_nav.faults.processes import isolated_environment

    with ExitStack() as outer:
        domain = outer.enter_context(own_domain())
        logs = Path(outer.enter_context(tempfile.TemporaryDirectory(prefix='s2e-selftest-')))
        environment = {**isolated_environment(domain), 'ROS_LOG_DIR': str(logs / 'ros')}
        graph = Graph(environment, logs, outer.enter_context(ExitStack()))
        graph.start('robot', [sys.executable, '-m', 's2e_nav.faults.robot'])
        graph.start('launch', [
            _ros2(), 'launch', 's2e_nav', 'robot.launch.py', 'policy:=straight', *arguments,
        ])
        yield graph


def checks(tell: Callable[[str], None]) -> Iterator[Check]:
    """Try the tools, the viewers and Nav2 that are installed here."""
    for name, trial in (
        ('ros2 launch, lifecycle, action', try_tools), ('RViz', try_rviz),
        ('Foxglove bridge', try_foxglove), ("Nav2's smoother and monitor", try_nav2_chain),
        ("Nav2's lifecycle manager", try_nav2_manager),
    ):
        tell(name)
        try:
            if shutil.which('ros2') is None:
                yield Check(GROUP, name, 'skip', 'no ros2 command; source or activate ROS')
            else:
                yield trial(name)
        except (S2EError, OSError) as error:
            yield Check(GROUP, name, 'fail', str(error), 'run `s2e doctor --only ros`')


def try_tools(name: str) -> Check:
    """Bring the policy up by `ros2 lifecycle` and drive it by `ros2 action`."""
    from s2e_cli.doctor.ros import is_full

    whose = 'of the full ROS 2' if is_full() else "the stand-in's"
    send = ('action', 'send_goal', '-f', '/navigate_to_pose', 'nav2_msgs/action/NavigateToPose')
    steps = (
        ('unconfigured', ('lifecycle', 'get', '/policy')),
        ('successful', ('lifecycle', 'set', '/policy', 'configure')),
        ('successful', ('lifecycle', 'set', '/policy', 'activate')),
        ('SUCCEEDED', (*send, GOAL.format('odom', 1.0))),
        ('ABORTED', (*send, GOAL.format('mars', 1.0))),
        ('roaming', ('service', 'call', '/policy/roam', 'std_srvs/srv/Trigger')),
        ('cancelled', ('service', 'call', '/policy/cancel', 'std_srvs/srv/Trigger')),
        ('0.5', ('param', 'get', '/gate', 'gate.speed_cap')),
        ('successful', ('lifecycle', 'set', '/policy', 'deactivate')),
    )
    with bring_up('autostart:=false') as graph:
        for number, (wanted, words) in enumerate(steps):
            said = graph.until(wanted, *words) if number == 0 else graph.ros2(*words)
            if wanted not in said:
                last = ' '.join(said.split())[-200:]
                text = f'{whose} `ros2 {" ".join(words[:3])}` did not say {wanted}: {last}'
                return Check(GROUP, name, 'fail', text, 'report it with this line')
    return Check(GROUP, name, 'ok', f'{whose}: {len(steps)} commands, a goal driven to and one '
                 'refused')


def try_rviz(name: str) -> Check:
    """Open the committed layout and see that it stays open and loads every display."""
    if not _installed('rviz2'):
        return Check(GROUP, name, 'skip', 'rviz2 is not installed')
    command = ['rviz2', *_arguments('rviz')]
    if not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        if shutil.which('xvfb-run') is None:
            return Check(GROUP, name, 'skip', 'no display, and no xvfb-run to do without')
        command = ['xvfb-run', '-a', *command]
    with bring_up() as graph:
        child = graph.start('rviz', command)
        with suppress(subprocess.TimeoutExpired):
            child.wait(RUNS)
        ended, said = child.poll() is not None, graph.said('rviz')
    wrong = [line for line in said.splitlines() if 'ERROR' in line or 'failed to load' in line]
    if ended or wrong:
        text = wrong[0] if wrong else ' '.join(said.split())[-200:]
        return Check(GROUP, name, 'fail', text, 'report it with this line')
    return Check(GROUP, name, 'ok', f'open for {RUNS:.0f} s, every display loaded')


def try_foxglove(name: str) -> Check:
    """Start the bridge and read over its socket that it offers the robot's topics."""
    if not _installed('foxglove_bridge'):
        return Check(GROUP, name, 'skip', 'foxglove_bridge is not installed')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    with bring_up() as graph:
        graph.start('bridge', [
            _ros2(), 'run', 'foxglove_bridge', 'foxglove_bridge', *_arguments('foxglove'),
            '-p', f'port:={port}',
        ])
        missing = advertised(port, ('/s2e/gate', '/odom', '/camera/image_raw'))
        said = ' '.join(graph.said('bridge').split())[-200:]
    if missing:
        return Check(GROUP, name, 'fail', f'{missing}; {said}', 'report it with this line')
    return Check(GROUP, name, 'ok', 'its socket offers gate, odometry and camera')


def advertised(port: int, topics: Sequence[str], patience: float = PATIENCE) -> str:
    """Listen to a bridge until it has offered topics; say what is missing at the end, or nothing.

    Args:
        port: On the loopback interface.
        topics: Names.
        patience: Seconds.
    """
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    spoken = [Subprotocol('foxglove.sdk.v1'), Subprotocol('foxglove.websocket.v1')]
    end, left, why = time.monotonic() + patience, set(topics), 'it did not answer'
    while left and (remaining := end - time.monotonic()) > 0.0:
        try:
            with connect(f'ws://127.0.0.1:{port}', subprotocols=spoken, max_size=2**24,
                         open_timeout=remaining) as bridge:
                why = f'it does not offer {", ".join(sorted(left))}'
                while left and (remaining := end - time.monotonic()) > 0.0:
                    said = bridge.recv(timeout=remaining)
                    text = said if isinstance(said, str) else said.decode(errors='replace')
                    left = {topic for topic in left if f'"{topic}"' not in text}
        except (OSError, WebSocketException) as error:
            why = f'{why} ({type(error).__name__})'[:200]
            # The bridge's start has no event in this process.
            time.sleep(min(0.5, max(0.0, remaining)))
    return why if left else ''


def try_nav2_chain(name: str) -> Check:
    """Drive to a goal through Nav2's own nodes, set as in docs/robot.md."""
    from s2e_core.paths import find_config

    absent = [package for package in NAV2 if not _installed(package)]
    if absent:
        return Check(GROUP, name, 'skip', f'not installed: {", ".join(absent)}')
    chain = str(find_config('nodes/nav2_chain.yaml'))
    send = ('action', 'send_goal', '/navigate_to_pose', 'nav2_msgs/action/NavigateToPose')
    with bring_up('cmd_vel_follower:=cmd_vel_raw') as graph:
        # The monitor wants to know where its scanner and the robot are.
        for parent, child in (('odom', 'base_link'), ('base_link', 'laser')):
            graph.start(child, [
                _ros2(), 'run', 'tf2_ros', 'static_transform_publisher',
                '--frame-id', parent, '--child-frame-id', child,
            ])
        graph.start('scanner', [_ros2(), *SCAN])
        for package, executable in NAV2.items():
            named = {
                'velocity_smoother': ['-r', 'cmd_vel:=cmd_vel_raw'],
                'lifecycle_manager': ['-r', '__node:=lifecycle_manager_chain'],
            }.get(executable, [])
            graph.start(executable, [
                _ros2(), 'run', package, executable, '--ros-args', '--params-file', chain, *named,
            ])
        for node in ('/collision_monitor', '/policy'):
            graph.until('active [3]', 'lifecycle', 'get', node)
        said = graph.ros2(*send, GOAL.format('odom', 1.0))
        heard = ' '.join(graph.said('collision_monitor').split())[-200:]
    if 'SUCCEEDED' not in said:
        return Check(GROUP, name, 'fail', f'{" ".join(said.split())[-200:]}; {heard}',
                     'report it with this line')
    return Check(GROUP, name, 'ok', 'a goal driven to through both')


SCAN = (
    'topic', 'pub', '-r', '10', '/scan', 'sensor_msgs/msg/LaserScan',
    ('{header: {stamp: now, frame_id: laser}, angle_min: -1.5, angle_max: 1.5, '
     'angle_increment: 1.0, range_min: 0.1, range_max: 10.0, ranges: [9.0, 9.0, 9.0, 9.0]}'),
)
"""A scanner that sees nothing near."""


def try_nav2_manager(name: str) -> Check:
    """Let Nav2's lifecycle manager bring the policy up; it offers no bond."""
    if not _installed('nav2_lifecycle_manager'):
        return Check(GROUP, name, 'skip', 'not installed: nav2_lifecycle_manager')
    with bring_up('autostart:=false') as graph:
        graph.until('unconfigured', 'lifecycle', 'get', '/policy')
        graph.start('manager', [
            _ros2(), 'run', 'nav2_lifecycle_manager', 'lifecycle_manager', '--ros-args',
            '-p', 'autostart:=true', '-p', 'node_names:=[policy]', '-p', 'bond_timeout:=0.0',
        ])
        said = graph.until('active [3]', 'lifecycle', 'get', '/policy')
        heard = ' '.join(graph.said('manager').split())[-200:]
    if 'active [3]' not in said:
        return Check(GROUP, name, 'fail', heard, 'report it with this line')
    return Check(GROUP, name, 'ok', 'configured and activated the policy')


def _ros2() -> str:
    return shutil.which('ros2') or 'ros2'


def _installed(package: str) -> bool:
    from s2e_nav.viewers import is_installed

    return is_installed(package, os.environ)


def _arguments(word: str) -> list[str]:
    from s2e_nav.viewers import viewers

    return viewers(word, use_sim_time=False)[0].arguments
