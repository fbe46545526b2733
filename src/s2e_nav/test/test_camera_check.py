"""The camera check beside a robot turned by hand: true, mirrored, and without a picture."""

from __future__ import annotations

from typing import Any

import pytest
from geometry_msgs.msg import TwistStamped
from rclpy.executors import SingleThreadedExecutor

from s2e_core.robot import load_robot
from s2e_nav.faults.robot import SyntheticRobot
from s2e_nav.nodes.camera_check import CameraCheckNode

RATE = 0.6
"""rad/s."""


def check(ros: Any, image: str, patience: float = 60.0) -> tuple[CameraCheckNode, list[str]]:
    """Turn a robot the way the check asks for, until it is over."""
    node = ros.node('robot')
    robot = SyntheticRobot(node, 0.5, sim_time=False)
    robot.sabotage.image, robot.sabotage.info = image, image != 'off'
    ros.spin(node)
    hand = ros.node('hand').create_publisher(TwistStamped, 'cmd_vel', 10)
    said: list[str] = []
    program = CameraCheckNode(
        load_robot('coco').camera, False, patience, said.append, context=ros.context
    )
    moving = [p.topic_name for p in program.node.publishers if 'cmd_vel' in p.topic_name]
    assert moving == [], 'only the hand moves the robot'
    executor = SingleThreadedExecutor(context=ros.context)
    executor.add_node(program.node)
    robot.start()
    try:
        while program.exit_code is None:
            push = TwistStamped()
            push.twist.angular.z = RATE if program.trial.missing == 'left' else -RATE
            hand.publish(push)
            executor.spin_once(timeout_sec=1.0)
    finally:
        robot.stop()
        executor.shutdown()
        program.node.destroy_node()
    return program, said


def test_a_camera_that_turns_with_the_robot_passes(ros: Any) -> None:
    program, said = check(ros, 'ok')
    assert (program.exit_code, program.problem) == (0, '')
    assert ['left' in said[0], 'right' in said[1]] == [True, True]


@pytest.mark.parametrize(('image', 'patience', 'text'), [
    ('mirrored', 60.0, 'mirrored or upside down'),
    ('off', 1.5, 'nothing came of camera, camera_info'),
])
def test_what_is_wrong_is_said(ros: Any, image: str, patience: float, text: str) -> None:
    program, _ = check(ros, image, patience)
    assert program.exit_code == 1
    assert text in program.problem
