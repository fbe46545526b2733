"""The learned gait: from a velocity command to joint torques.

The policy is a network of 45 inputs and 12 outputs at 50 Hz (rl_sar's deployment of robot_lab's
Go2); torques are those of a PD controller around the joint angles it asks for.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from navbench_gs.physics import legs
from navbench_gs.physics.chassis import ROBOT
from navbench_gs.physics.footing import Footing
from navbench_gs.scenes.collision import CollisionMap

Floats = NDArray[np.float64]

POSE: Floats = np.array([0.0, 0.8, -1.5] * 4)
"""Joint angles around which the gait was trained, rad: hip, thigh, calf of each leg."""
ACTION_SCALE: Floats = np.array([0.125, 0.25, 0.25] * 4)
STIFFNESS, DAMPING = 20.0, 0.5
"""Of the joint controller, Nm/rad and Nm s/rad."""
MOTOR_LAG = 0.0151
"""Time constant between asked-for and applied torque, seconds."""
PERIOD_STEPS = 2
"""Physics steps of 10 ms between two answers of the policy."""
STRIDE = 0.3
"""Time over which velocity is averaged, seconds: within a stride the trunk sways by 0.1 m/s and
0.3 rad/s around where it goes."""
LYING = 0.15
"""A trunk lower than this over its lowest foothold lies, metres: walking it bobs between 0.24 and
0.37."""
# The gait alone ignores slow commands and turns by 0.15 rad/s when told to stand: what is missing
# is added up and asked for on top, per second and at most, as (vx, vy, wz).
_TRIM_GAIN: Floats = np.array([1.5, 1.5, 2.0])
_TRIM_LIMIT: Floats = np.array([0.4, 0.3, 0.6])


def observe(
    spin: Floats, down: Floats, command: Floats, angles: Floats, speeds: Floats, last: Floats
) -> NDArray[np.float32]:
    """Lay out what the policy sees.

    Args:
        spin: Angular velocity of the trunk in its own frame, rad/s. [3]
        down: Unit vector of gravity in the trunk's frame. [3]
        command: Forward and leftward speed, m/s, and yaw rate, rad/s. [3]
        angles: Joint angles, legs FR FL RR RL, each hip thigh calf, rad. [12]
        speeds: Joint speeds, rad/s. [12]
        last: The policy's last answer. [12]

    Returns:
        `[1, 45]`
    """
    parts = [0.25 * spin, down, command, angles - POSE, 0.05 * speeds, last]
    return np.clip(np.concatenate(parts), -100.0, 100.0).astype(np.float32)[None]


class Gait:
    """Walks one robot."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, ground: CollisionMap
    ) -> None:
        """Find the robot's parts and open the policy.

        Args:
            model: With a robot of `legs.add_robot`.
            data: The state that is walked.
            ground: The floor.

        Raises:
            SimulationError: the package with the policy is missing.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread: the same numbers on any machine's core count, and no faster with more.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(legs.data_file('policy/policy.onnx')), options, providers=['CPUExecutionProvider']
        )
        self._input = self._session.get_inputs()[0].name
        self._model, self._data = model, data
        joints = [int(model.joint(name).id) for name in legs.JOINTS]
        motors = {int(model.actuator_trnid[a, 0]): a for a in range(model.nu)}
        self._angles, self._speeds = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
        self._motors = np.array([motors[joint] for joint in joints])
        self._limits = model.actuator_ctrlrange[self._motors, 1]
        self._footing = Footing(model, data, legs.hull(model)[1], ground)
        self._trunk = int(model.body(ROBOT).id)
        self._free = int(model.joint('root').dofadr[0])
        self._lag = model.opt.timestep / (MOTOR_LAG + model.opt.timestep)
        self.reset()

    def reset(self) -> None:
        """Put the legs into the gait's pose and forget all strides."""
        self._data.qpos[self._angles] = POSE
        self._targets = POSE.copy()
        self._last, self._torque = np.zeros(12), np.zeros(12)
        self._trim, self._asked, self.velocity = np.zeros(3), np.zeros(3), np.zeros(3)
        self._step = 0

    def advance(self, v: float, w: float, substeps: int) -> None:
        """Make one physics step of 10 ms.

        Args:
            v: Forward speed, m/s.
            w: Yaw rate, rad/s.
            substeps: MuJoCo steps in it.
        """
        data = self._data
        if self._step % PERIOD_STEPS == 0:
            self._decide(np.array([v, 0.0, w]), PERIOD_STEPS * substeps * self._model.opt.timestep)
        self._step += 1
        self._footing.lay()
        for _ in range(substeps):
            error = self._targets - data.qpos[self._angles]
            torque = STIFFNESS * error - DAMPING * data.qvel[self._speeds]
            torque = np.clip(torque, -self._limits, self._limits)
            self._torque = self._torque + self._lag * (torque - self._torque)
            data.ctrl[self._motors] = self._torque
            mujoco.mj_step(self._model, data)

    def lies(self) -> bool:
        """Whether the trunk lies on the ground, whichever way it fell."""
        height = float(self._data.xpos[self._trunk, 2]) - self._footing.lowest()
        return height < LYING

    def _decide(self, command: Floats, dt: float) -> None:
        """Ask the policy for joint angles that serve a command."""
        data = self._data
        spin = data.qvel[self._free + 3 : self._free + 6].copy()
        rotation = data.xmat[self._trunk].reshape(3, 3)
        walked = _planar(rotation, data.qvel[self._free : self._free + 3], spin)
        share = dt / (STRIDE + dt)
        self.velocity = self.velocity + share * (walked - self.velocity)
        # What was asked for lags as much as what was walked: else stops end in steps backwards.
        self._asked = self._asked + share * (command - self._asked)
        trim = self._trim + dt * _TRIM_GAIN * (self._asked - self.velocity)
        self._trim = np.clip(trim, -_TRIM_LIMIT, _TRIM_LIMIT)
        seen = observe(
            spin, -rotation[2], command + self._trim, data.qpos[self._angles],
            data.qvel[self._speeds], self._last,
        )
        answer = self._session.run(None, {self._input: seen})[0][0]
        self._last = np.clip(answer.astype(np.float64), -100.0, 100.0)
        self._targets = POSE + ACTION_SCALE * self._last


def _planar(rotation: Floats, linear: Floats, spin: Floats) -> Floats:
    """Speed along and across the heading, m/s, and yaw rate, rad/s. [3]"""
    heading = math.atan2(rotation[1, 0], rotation[0, 0])
    c, s = math.cos(heading), math.sin(heading)
    x, y = float(linear[0]), float(linear[1])
    return np.array([c * x + s * y, c * y - s * x, float(rotation[2] @ spin)])
