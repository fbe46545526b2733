"""`ros2 launch s2e_nav robot.launch.py` beside a synthetic robot, with the tools a user has."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROS2 = Path(sys.prefix) / 'bin' / 'ros2'
OVERLAY = ROOT / 'install' / 'share' / 's2e_nav'
PATIENCE = 120.0
"""Seconds for what takes three on an idle machine."""
POSE = '{{pose: {{header: {{frame_id: {0}}}, pose: {{position: {{x: {1}, y: 0.0}}}}}}}}'

pytestmark = [pytest.mark.ros, pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def ros2(ros_environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Bring up robot and stack, not yet configured; return a function that runs `ros2`."""
    if not ROS2.exists() or not OVERLAY.is_dir():
        pytest.skip('ROS missing: no overlay here; run `make setup`')
    pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')
    environment = {**ros_environment, 'ROS_LOG_DIR': str(tmp_path / 'log')}
    words = [
        [sys.executable, '-m', 's2e_nav.faults.robot'],
        [ROS2, 'launch', 's2e_nav', 'robot.launch.py', 'policy:=straight', 'autostart:=false'],
    ]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((tmp_path / 'launch.log').open('w'))
        running = [
            subprocess.Popen(line, env=environment, stdout=log, stderr=subprocess.STDOUT)
            for line in words
        ]

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [ROS2, *arguments], env=environment, capture_output=True, text=True,
                timeout=PATIENCE, check=False,
            )
            return done.stdout + done.stderr

        yield run
        for child in reversed(running):
            child.send_signal(signal.SIGINT)
        for child in running:
            assert child.wait(PATIENCE) == 0, (tmp_path / 'launch.log').read_text()


def send(ros2: Callable[..., str], action: str, goal: str) -> str:
    kind = ''.join(word.capitalize() for word in action.split('_'))
    return ros2('action', 'send_goal', '-f', f'/{action}', f'nav2_msgs/action/{kind}', goal)


def test_a_robot_is_brought_up_driven_and_put_to_rest(ros2):
    while 'unconfigured' not in ros2('lifecycle', 'get', '/policy'):
        pass
    assert 'successful' in ros2('lifecycle', 'set', '/policy', 'configure')
    assert 'rejected' in send(ros2, 'navigate_to_pose', POSE.format('odom', 1.0))
    assert 'successful' in ros2('lifecycle', 'set', '/policy', 'activate')

    said = send(ros2, 'navigate_to_pose', POSE.format('odom', 1.0))
    assert 'number_of_recoveries: 0' in said and 'distance_remaining: ' in said
    assert 'Goal finished with status: SUCCEEDED' in said, said

    said = send(ros2, 'navigate_to_pose', POSE.format('mars', 1.0))
    assert 'error_code: 10005' in said and 'status: ABORTED' in said, said

    poses = ', '.join(f'{{pose: {{position: {{x: {x}}}}}}}' for x in (2.5, 3.5))
    route = f'{{poses: {{header: {{frame_id: odom}}, goals: [{poses}]}}}}'
    said = send(ros2, 'navigate_through_poses', route)
    assert 'number_of_poses_remaining: 2' in said and 'status: SUCCEEDED' in said, said

    assert 'roaming' in ros2('service', 'call', '/policy/roam', 'std_srvs/srv/Trigger')
    assert 'cancelled' in ros2('service', 'call', '/policy/cancel', 'std_srvs/srv/Trigger')
    assert 'successful' in ros2('lifecycle', 'set', '/policy', 'deactivate')
    assert 'inactive' in ros2('lifecycle', 'get', '/policy')
