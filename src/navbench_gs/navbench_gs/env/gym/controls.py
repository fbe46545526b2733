"""From a learner's action to the command at the base, over the parts that run on the robot."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from s2e_core.camera import CameraModel
from s2e_core.contract import WAYPOINTS, Observation, PolicyOutput, PolicySpec
from s2e_core.control import ControlLoop
from s2e_core.gate import Gate, Source
from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.robot import RobotProfile

_LENS = CameraModel(2, 2, 1.0, 1.0, 1.0, 1.0)


class Controls(Protocol):
    """Holds an action until the next decision."""

    mode: int
    """What the log of the episode names as the chosen mode."""

    def begin(self, goal: NDArray[np.float64]) -> None:
        """Begin an episode with a goal in odom, metres. [2]"""

    def act(self, action: NDArray[np.floating]) -> None:
        """Take the action of a decision."""

    def command(self, now_ns: int, odometry: Odometry, decision: bool) -> Command:
        """Return what goes to the base in a tick; `decision` marks the first after `act`."""


class VelocityControls:
    """Passes v and w through the safety gate, with its limits and ramps."""

    def __init__(self, robot: RobotProfile) -> None:
        """Take the robot's limits."""
        self._robot = robot
        self.mode = 0

    def begin(self, goal: NDArray[np.float64]) -> None:
        """Begin an episode; the goal is the learner's business."""
        self._gate = Gate(self._robot)
        self._gate.rearm()
        self._action = np.zeros(2)

    def act(self, action: NDArray[np.floating]) -> None:
        """Take `[2]` m/s and rad/s."""
        self._action = np.asarray(action, np.float64)

    def command(self, now_ns: int, odometry: Odometry, decision: bool) -> Command:
        """Ask the gate for the held velocity."""
        self._gate.update_odometry(odometry)
        if decision:
            self._gate.update_camera(now_ns)
        asked = Command(now_ns, float(self._action[0]), float(self._action[1]))
        self._gate.update_command(Source.AUTONOMY, asked)
        return self._gate.step(now_ns).command


class WaypointControls:
    """Lets navigator, follower and gate drive along `[10, 2]` waypoints, as they do a policy's."""

    def __init__(self, robot: RobotProfile, v_max: float) -> None:
        """Take the robot's limits and the protocol's top speed, m/s."""
        self._robot = robot
        self._answer = _Answer(v_max)
        self._blank = np.zeros((_LENS.height, _LENS.width, 3), np.uint8)
        self.mode = -1

    def begin(self, goal: NDArray[np.float64]) -> None:
        """Begin an episode; near its goal in odom the navigator stands still by itself."""
        self._loop = ControlLoop(self._answer, self._robot)
        self._loop.set_goal(goal)

    def act(self, action: NDArray[np.floating]) -> None:
        """Take `[10, 2]` metres in base_link, 0.2 s apart."""
        self._answer.points = np.asarray(action, np.float32).reshape(WAYPOINTS, 2)

    def command(self, now_ns: int, odometry: Odometry, decision: bool) -> Command:
        """Run a tick of the loop."""
        frame = CameraFrame(now_ns, self._blank) if decision else None
        command = self._loop.on_tick(now_ns, odometry, frame).command
        if decision and self._loop.result is not None:
            self.mode = self._loop.result.plan.mode
        return command


class _Answer:
    """A policy whose answer is the learner's action."""

    def __init__(self, v_max: float) -> None:
        self.spec = PolicySpec('learner', 1, _LENS, v_max, 3.0)
        self.points = np.zeros((WAYPOINTS, 2), np.float32)

    def reset(self) -> None:
        """Nothing to forget."""

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with one mode."""
        return PolicyOutput(observation.stamp_ns, self.points[None], np.ones(1, np.float32))
