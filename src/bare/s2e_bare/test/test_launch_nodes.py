"""Launching real nodes: parameters, names, remappings, transitions."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS missing: rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.e2e]

LAB = Path(__file__).with_name('lab_node.py')

TELL = """
import sys
import rclpy
rclpy.init(args=sys.argv)
node = rclpy.create_node('default', automatically_declare_parameters_from_overrides=True)
for name, parameter in sorted(node._parameters.items()):
    print('param', name, repr(parameter.value))
print('name', node.get_fully_qualified_name(), node.resolve_topic_name('odom'), flush=True)
rclpy.shutdown()
"""


@pytest.fixture
def variables(reserve: Callable[[], Any]) -> Iterator[dict[str, str]]:
    with reserve() as number:
        yield {'ROS_DOMAIN_ID': str(number), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


def test_a_node_gets_what_the_launch_file_says(
    launch: Callable[..., Any], variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / 'base.yaml').write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1, c: 1.0}\n'
        '/fleet/robot:\n  ros__parameters: {b: 2, c: 2.0}\n'
        'other:\n  ros__parameters: {a: 9}\n'
    )
    (tmp_path / 'tell.py').write_text(TELL)
    running = launch(
        f"""
        DeclareLaunchArgument('speed', default_value='0.5'),
        SetParameter('everywhere', 'yes'),
        PushRosNamespace('fleet'),
        Node(executable={sys.executable!r}, arguments=[{str(tmp_path / 'tell.py')!r}],
             exec_name='teller', name='robot', output='screen', remappings=[('odom', 'my/odom')],
             parameters=[{str(tmp_path / 'base.yaml')!r},
                         {{'c': LaunchConfiguration('speed'), 'd.e': [True, False]}}]),
        """,
        'speed:=1.5',
        **variables,
    )
    assert running.finish() == 0
    told = [line.removeprefix('[teller-1] ') for line in running.lines if 'teller-1] ' in line]
    assert told[:5] == [
        'param a 1',
        'param b 2',
        'param c 1.5',
        'param d.e [True, False]',
        "param everywhere 'yes'",
    ]
    assert told[-1] == 'name /fleet/robot /fleet/my/odom'


LIFECYCLE_HEAD = f"""
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState

def lab(**kwargs):
    return LifecycleNode(executable=sys.executable, arguments=[{str(LAB)!r}, '--managed'],
                         exec_name='lab', name='managed', namespace='', output='screen', **kwargs)

node = lab()

def change(number):
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(node),
                                       transition_id=number))
"""


def test_transitions_drive_a_managed_node(
    launch: Callable[..., Any], variables: dict[str, str]
) -> None:
    running = launch(
        """
        RegisterEventHandler(OnStateTransition(
            target_lifecycle_node=node, goal_state='inactive', start_state='configuring',
            entities=[LogInfo(msg='is inactive'), change(3)])),
        RegisterEventHandler(OnStateTransition(
            target_lifecycle_node=node, goal_state='active',
            entities=[LogInfo(msg='is active'), Shutdown(reason='enough')])),
        node,
        RegisterEventHandler(OnProcessIO(target_action=node, on_stdout=lambda event:
            change(1) if b'ready' in event.text else None)),
        """,
        head=LIFECYCLE_HEAD,
        **variables,
    )
    assert running.finish(60) == 0
    text = running.text
    assert text.index('is inactive') < text.index('is active')
    assert 'process has finished cleanly' in text


def test_autostart_and_ctrl_c(launch: Callable[..., Any], variables: dict[str, str]) -> None:
    running = launch(
        """
        RegisterEventHandler(OnStateTransition(goal_state='active', entities=[LogInfo(msg='up')])),
        lab(autostart=True),
        """,
        head=LIFECYCLE_HEAD,
        **variables,
    )
    running.wait_for(r'\[launch.user\]: up', timeout=60)
    running.send(signal.SIGINT)
    assert running.finish(20) == 0
    assert '[lab-1] stopped' in running.text


def test_a_launch_that_handles_no_transition_has_no_ros_node(
    launch: Callable[..., Any], variables: dict[str, str]
) -> None:
    running = launch(
        'LogInfo(msg=str("rclpy" in sys.modules)), OpaqueFunction(function=look),',
        head='def look(context):\n    return LogInfo(msg="rclpy %s" % ("rclpy" in sys.modules))',
        **variables,
    )
    assert running.finish() == 0
    assert 'rclpy False' in running.text
