"""What a robot's profile means: how it turns, how it stops, what its camera shows the policy."""

from __future__ import annotations

import math
from typing import Any

from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.gate import GateConfig
from s2e_core.reprojection import Reprojector
from s2e_core.robot import RobotProfile
from s2e_policy.choice import AUTO, choose_policy


def describe(robot: RobotProfile) -> dict[str, Any]:
    """Return the figures that follow from a profile, by name."""
    gate = GateConfig()
    speed = min(robot.v_max, gate.speed_cap)
    if robot.base_timeout is None:
        speed = min(speed, gate.unmeasured_cap)
    stop = speed**2 / (2.0 * robot.stop_deceleration)
    view = Reprojector(robot.camera.model(), SMALL_CAMERA, (robot.camera.mount(), SMALL_MOUNT))
    turn = robot.min_turn_radius
    return {
        'kinematics': robot.kinematics,
        'footprint': f'{robot.footprint}, {robot.length:g} x {robot.width:g} m, '
        f'{robot.height:g} m high',
        'turns': f'radius {turn:g} m or more' if turn > 0 else f'on the spot, {_swept(robot)}',
        'sideways': f'{robot.vy_max:g} m/s, to correct its path' if robot.vy_max else 'no',
        'speed allowed': f'{speed:g} m/s of {robot.v_max:g}',
        'way to stop': f'{stop:.2f} m at {speed:g} m/s',
        'base time-out': 'not measured: s2e robot check' if robot.base_timeout is None
        else f'{robot.base_timeout:g} s, {robot.base_timeout * speed:.2f} m without a command',
        'messages': 'TwistStamped' if robot.twist_stamped else 'Twist',
        'topics': ', '.join(
            topic for name, topic in vars(robot.topics).items()
            if name in ('image', 'camera_info', 'odom', 'cmd_vel')
        ),
        'camera': f'{robot.camera.width}x{robot.camera.height}, '
        f'{math.degrees(robot.camera.hfov):.0f} deg, {robot.camera.z:g} m up, '
        f'{math.degrees(robot.camera.pitch):.0f} deg down',
        'covers': f"{view.coverage:.0%} of the small policy's view",
        'policy': choose_policy(AUTO, robot).text,
    }


def _swept(robot: RobotProfile) -> str:
    """Say what a turn on the spot needs of the gate."""
    if not robot.swing:
        return 'where it stands'
    return f'corners {robot.swing:.2f} m beyond the sides: seen, or gate.unseen.permit'
