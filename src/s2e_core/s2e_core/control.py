"""The one order in which navigator, follower and gate are called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_core.contract import Policy
from s2e_core.follower import Follower, FollowerConfig
from s2e_core.gate import Gate, GateConfig, GateOutput, Source
from s2e_core.navigator import Navigator, NavigatorConfig, NavigatorResult
from s2e_core.obstacle_veto import ObstacleVeto
from s2e_core.range_scan import RangeScan
from s2e_core.records import CameraFrame, Odometry, Plan
from s2e_core.robot import RobotProfile


@dataclass(frozen=True)
class ControlConfig:
    """Settings of the three parts."""

    navigator: NavigatorConfig = NavigatorConfig()
    follower: FollowerConfig = FollowerConfig()
    gate: GateConfig = GateConfig()


class ControlLoop:
    """Runs one episode without ROS; the nodes call the same parts in the same order."""

    def __init__(
        self, policy: Policy, robot: RobotProfile, config: ControlConfig | None = None
    ) -> None:
        """Start without a goal.

        Args:
            policy: Any policy.
            robot: Limits and kinematics.
            config: Settings.
        """
        config = config or ControlConfig()
        # The navigator looks a policy's period ahead of the gate; each remembers for itself, as in
        # the nodes.
        self._obstacles = ObstacleVeto(robot, config.gate.obstacles)
        self.navigator = Navigator(policy, config.navigator, self._obstacles)
        self.follower = Follower(robot, config.follower)
        self.gate = Gate(robot, config.gate)
        self.result: NavigatorResult | None = None
        """Outcome of the newest image, for films and logs."""
        self._plan: Plan | None = None
        policy.reset()

    def set_goal(self, goal: np.ndarray | tuple[float, float]) -> None:
        """Drive to a point of the odom frame, metres; also rearms the gate. [2]"""
        self.navigator.set_goal(goal)
        self.gate.rearm()

    def on_tick(
        self, now_ns: int, odometry: Odometry, frame: CameraFrame | None,
        scan: RangeScan | None = None,
    ) -> GateOutput:
        """Run one tick of 50 ms.

        Args:
            now_ns: Time of the tick, nanoseconds.
            odometry: Odometry at the tick.
            frame: The image, on every fourth tick; already in the policy camera's view.
            scan: What the gate's source sees at the tick, where it is another than the policy.

        Returns:
            What goes to the base.
        """
        self.gate.update_odometry(odometry)
        if scan is not None:
            self._obstacles.add(scan, odometry.pose)
            self.gate.update_obstacles(scan, odometry.pose)
        if frame is not None:
            self.gate.update_camera(frame.stamp_ns)
            self.result = self.navigator.step(frame, odometry)
            self._plan = self.result.plan
            own = self.result.free_space
            if own is not None:
                self.gate.update_obstacles(own, odometry.pose)
        command = self.follower.step(now_ns, odometry, self._plan)
        self.gate.update_command(Source.AUTONOMY, command)
        return self.gate.step(now_ns)
