"""One recorded drive: someone drives, the teacher labels every image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.env.simulation import Simulation
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.contract import POLICY_PERIOD_NS, TICK_NS, Observation, Policy, PolicyOutput
from s2e_core.control import ControlLoop
from s2e_core.navigator import NavigatorStatus
from s2e_core.records import CameraFrame, Odometry
from s2e_training.data.noise import CommandNoise

LABEL_SPEED = 0.6
"""Labels are planned from at least this speed, m/s.

A label that starts from rest says 'creep', and a policy that sees itself standing in eleven
equal images then learns to stand for ever; acceleration is the gate's business anyway.
"""
CONTACT_TICKS = 4
"""A drive ends this many ticks (0.2 s) after the first contact: what follows teaches nothing."""


@dataclass
class Drive:
    """What a drive left behind, one entry per image."""

    images: list[np.ndarray] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    odometry: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    plans: list[np.ndarray] = field(default_factory=list)
    free_space: list[np.ndarray] = field(default_factory=list)
    arrived: bool = False
    touched: bool = False

    def add(
        self, frame: CameraFrame, odometry: Odometry, plan: np.ndarray, free: np.ndarray
    ) -> None:
        """Keep one image with its labels."""
        pose = odometry.pose
        self.images.append(frame.rgb)
        self.stamps.append(frame.stamp_ns)
        self.odometry.append((pose.x, pose.y, pose.yaw, odometry.v, odometry.w))
        self.plans.append(plan)
        self.free_space.append(free)


class Teacher:
    """The planner on the true map as a policy; also the labeller when another drives."""

    def __init__(self, world: Simulation, planner: PrivilegedPlanner) -> None:
        """Watch a world that the planner is bound to."""
        self._world = world
        self._planner = planner
        # Images pass through the history of whoever drives, so they must have its size.
        self.spec = replace(planner.spec, camera=world.camera)
        self._planned: tuple[int, np.ndarray] | None = None

    def reset(self) -> None:
        """Forget the last plan."""
        self._planned = None

    def label(self) -> np.ndarray:
        """Plan from the true pose, once for each time. [10, 2] base_link, metres"""
        now = self._world.time_ns
        if self._planned is None or self._planned[0] != now:
            v, w = self._world.true_velocity()
            curvature = w / v if v > 0.2 else 0.0
            plan = self._planner.trajectory(
                self._world.true_pose(), now, max(v, LABEL_SPEED), curvature
            )
            self._planned = (now, plan)
        return self._planned[1]

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with the label as the only mode."""
        modes = self.label()[None].astype(np.float32)
        return PolicyOutput(observation.stamp_ns, modes, np.ones(1, np.float32))


def drive(
    world: Simulation, spec: EpisodeSpec, planner: PrivilegedPlanner, driver: Policy | None,
    noise: CommandNoise,
) -> Drive:
    """Drive one episode and label it.

    Args:
        world: The scene; reset by this call.
        spec: The episode.
        planner: Makes the labels, and drives where nobody else does.
        driver: The policy that drives; the teacher when left out.
        noise: Disturbs the commands.

    Returns:
        The drive up to arrival, contact or the time limit.
    """
    world.reset(spec)
    planner.bind(world, spec)
    teacher = Teacher(world, planner)
    loop = ControlLoop(driver or teacher, world.robot)
    loop.set_goal(world.goal_odom)
    result = Drive()
    left = CONTACT_TICKS
    while world.time_ns < spec.time_limit * 1e9 and left > 0 and not result.arrived:
        odometry, frame = world.odometry(), None
        if world.time_ns % POLICY_PERIOD_NS == 0:
            seen = world.frame()
            frame = CameraFrame(world.time_ns, seen.rgb)
            result.add(frame, odometry, teacher.label(), world.free_space(seen))
        out = loop.on_tick(world.time_ns, odometry, frame)
        status = loop.result.status if loop.result else None
        result.arrived = status is NavigatorStatus.ARRIVED
        world.tick(noise(out.command, TICK_NS * 1e-9))
        result.touched |= bool(world.state.contacts)
        left -= result.touched
    return result
