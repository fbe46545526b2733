"""The robot in MuJoCo: a free body on real wheels, driven by velocity servos.

A holonomic base is the exception: how its rollers slip is not modelled. It slides on skids, and
servos of limited force on the body track the velocity.

Measured with MuJoCo 4.0 on one core: four rolling wheels on a free body are stable at steps of
5 ms, so no body-velocity servo is needed; pushing, slipping, climbing and tipping come from
wheel-floor friction alone.
"""

from __future__ import annotations

import mujoco
import numpy as np

from navbench_gs.physics import layers
from s2e_core.robot import RobotProfile

SERVO_TIME = 0.03
"""Time constant of the wheel speed servos, seconds."""
FORCE_RESERVE = 2.0
"""Wheel torque over what the hardest braking needs: leaves force for slopes and pushing."""
WHEEL_FRICTION = 1.0
"""Rubber on paving."""
WHEEL_SHARE = 0.03
"""Each wheel's share of the robot's mass."""
MASS_HEIGHT = 0.3
"""Height of the centre of mass as a share of the robot's height: batteries lie low."""
MAX_STEER = 1.1
"""Mechanical stop of the steered wheels, radians."""

ROBOT = 'robot'
"""Name of the robot's body; the free joint is `root`, its origin base_link on the floor."""


def add_robot(spec: mujoco.MjSpec, robot: RobotProfile) -> None:
    """Add hull, wheels and actuators; the origin (base_link) lies on the floor.

    Actuators, in order: left and right drive (rad/s), and for a car left and right steering
    angle (rad); for a holonomic base forward and left (m/s) and yaw (rad/s).
    """
    body = spec.worldbody.add_body(name=ROBOT)
    body.add_freejoint(name='root')
    _add_hull(body, robot)
    if robot.kinematics == 'holonomic':
        _add_holonomic(spec, body, robot)
        return
    if robot.kinematics == 'car':
        axle = robot.wheelbase / 2.0
        for side, name in ((1.0, 'left'), (-1.0, 'right')):
            _add_wheel(body, robot, f'front_{name}', axle, side, steered=True)
        for side, name in ((1.0, 'left'), (-1.0, 'right')):
            _add_wheel(body, robot, f'drive_{name}', -axle, side)
    else:
        for side, name in ((1.0, 'left'), (-1.0, 'right')):
            _add_wheel(body, robot, f'drive_{name}', 0.0, side)
        _add_skids(body, robot)
    _add_actuators(spec, robot)


def clearance(robot: RobotProfile) -> float:
    """Return the height of the hull's lower edge above the floor, metres."""
    return 0.7 * robot.wheel_radius


def wheel_count(robot: RobotProfile) -> int:
    """Return how many wheels the robot has (skids not counted)."""
    return {'car': 4, 'holonomic': 0}.get(robot.kinematics, 2)


def _add_hull(body: mujoco.MjsBody, robot: RobotProfile) -> None:
    """Add the footprint box from the ground clearance up, and the inertia of its load."""
    low = clearance(robot)
    half = [robot.length / 2.0, robot.width / 2.0, (robot.height - low) / 2.0]
    body.add_geom(
        name='hull', type=mujoco.mjtGeom.mjGEOM_BOX, size=half,
        pos=[0.0, 0.0, low + half[2]], mass=0.0, friction=[0.4, 0.005, 0.0001],
        contype=layers.PUSHABLE, conaffinity=layers.EVERYTHING,
    )
    mass = robot.mass * (1.0 - WHEEL_SHARE * wheel_count(robot))
    squares = np.array([half[1] ** 2 + half[2] ** 2, half[0] ** 2 + half[2] ** 2,
                        half[0] ** 2 + half[1] ** 2])
    body.explicitinertial = True
    body.mass = mass
    body.ipos = [0.0, 0.0, MASS_HEIGHT * robot.height]
    # A solid box: I = m/3 (a^2 + b^2) for half sizes a, b.
    body.inertia = (mass / 3.0 * squares).tolist()


def _add_wheel(
    body: mujoco.MjsBody, robot: RobotProfile, name: str, x: float, side: float,
    *, steered: bool = False,
) -> None:
    """Add one wheel: a narrow ellipsoid that touches the floor only (one contact point)."""
    radius = robot.wheel_radius
    wheel = body.add_body(name=name, pos=[x, side * robot.track / 2.0, radius])
    mass = WHEEL_SHARE * robot.mass
    if steered:
        wheel.add_joint(
            name=f'{name}_steer', type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0.0, 0.0, 1.0],
            armature=0.001 * robot.mass,
        )
    wheel.add_joint(
        name=f'{name}_roll', type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0.0, 1.0, 0.0],
        armature=0.5 * mass * radius**2,
    )
    wheel.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, size=[radius, 0.3 * radius, radius],
        mass=mass, friction=[WHEEL_FRICTION, 0.005, 0.0001], priority=1,
        contype=0, conaffinity=layers.GROUND,
    )


def _add_skids(body: mujoco.MjsBody, robot: RobotProfile) -> None:
    """Add slippery balls fore and aft that stand in for a differential base's castors."""
    radius = 0.6 * robot.wheel_radius
    for name, sign in (('skid_front', 1.0), ('skid_back', -1.0)):
        # 1 mm above the floor: the drive wheels always carry most of the weight.
        x = sign * (robot.length / 2.0 - 1.5 * radius)
        _add_skid(body, name, radius, (x, 0.0, radius + 0.001))


def _add_skid(
    body: mujoco.MjsBody, name: str, radius: float, place: tuple[float, float, float]
) -> None:
    body.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[radius, 0.0, 0.0], mass=0.0,
        pos=list(place), friction=[0.02, 0.005, 0.0001], priority=1, contype=0,
        conaffinity=layers.GROUND,
    )


def _add_holonomic(spec: mujoco.MjSpec, body: mujoco.MjsBody, robot: RobotProfile) -> None:
    """Add a skid at each wheel, and servos that push the body where wheels would: at the floor."""
    radius, x, y = robot.wheel_radius, robot.length / 2.0, robot.track / 2.0
    for front in (1.0, -1.0):
        for side in (1.0, -1.0):
            name = f'skid_{"front" if front > 0 else "back"}_{"left" if side > 0 else "right"}'
            _add_skid(body, name, radius, (front * (x - radius), side * y, radius))
    body.add_site(name='drive', pos=[0.0, 0.0, 0.0])
    hardest = FORCE_RESERVE * max(robot.a_max, robot.stop_deceleration)
    servos = {
        'forward': (0, robot.mass, hardest), 'left': (1, robot.mass, hardest),
        'yaw': (5, float(body.inertia[2]), FORCE_RESERVE * robot.w_acceleration),
    }
    for name, (axis, inertia, acceleration) in servos.items():
        gear = [0.0] * 6
        gear[axis] = 1.0
        force = inertia * acceleration
        servo = spec.add_actuator(
            name=f'drive_{name}', target='drive', trntype=mujoco.mjtTrn.mjTRN_SITE, gear=gear,
            forcerange=[-force, force], forcelimited=True,
        )
        servo.set_to_velocity(kv=inertia / SERVO_TIME)


def _add_actuators(spec: mujoco.MjSpec, robot: RobotProfile) -> None:
    """Add velocity servos on the driven wheels and position servos on the steered ones."""
    hardest = FORCE_RESERVE * max(robot.a_max, robot.stop_deceleration)
    torque = robot.mass * hardest * robot.wheel_radius / 2.0
    gain = robot.mass * robot.wheel_radius**2 / (2.0 * SERVO_TIME)
    for side in ('left', 'right'):
        drive = spec.add_actuator(
            name=f'drive_{side}', target=f'drive_{side}_roll',
            trntype=mujoco.mjtTrn.mjTRN_JOINT, forcerange=[-torque, torque], forcelimited=True,
        )
        drive.set_to_velocity(kv=gain)
    if robot.kinematics != 'car':
        return
    for side in ('left', 'right'):
        steer = spec.add_actuator(
            name=f'steer_{side}', target=f'front_{side}_steer',
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            forcerange=[-robot.mass, robot.mass], forcelimited=True,
        )
        steer.set_to_position(kp=4.0 * robot.mass, kv=0.3 * robot.mass)
