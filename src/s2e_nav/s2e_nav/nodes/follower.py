"""Follower node: odometry and the newest plan in, a velocity for the gate out."""

from __future__ import annotations

from dataclasses import dataclass

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Path
from rclpy.node import Node

from s2e_core.config import check, option
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.follower import Follower, FollowerConfig
from s2e_core.records import Command, Odometry, Plan
from s2e_core.robot import load_robot
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.errors import ConversionError
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.parameters import declare
from s2e_nav.qos import RELIABLE, input_qos
from s2e_nav.runtime.process import main_program


@dataclass(frozen=True)
class FollowerParameters:
    """Parameters of the follower node."""

    robot: str = option('coco', help='Robot profile by name or path.')
    mode: str = option(
        'realtime', choices=('realtime', 'lockstep'), help='Whether the world waits.'
    )
    follower: FollowerConfig = FollowerConfig()

    def __post_init__(self) -> None:
        check(self, source='follower parameters')


class FollowerNode:
    """Answers each odometry, and each plan, with a velocity, re-basing the plan by odometry.

    In lock-step it first waits, on image ticks, for the plan of that very stamp.
    """

    def __init__(self, node: Node) -> None:
        """Subscribe and publish."""
        self.node = node
        self.exit_code: int | None = None
        config = declare(node, FollowerParameters)
        self._follower = Follower(load_robot(config.robot), config.follower)
        self._lockstep = config.mode == 'lockstep'
        self._plan: Plan | None = None
        self._odometry: Odometry | None = None
        self._waiting: Odometry | None = None
        self._publisher = node.create_publisher(TwistStamped, 'cmd_vel_nav', RELIABLE)
        qos = input_qos(self._lockstep)
        listen_to_odometry(node, self._on_odometry, qos)
        node.create_subscription(Path, 's2e/trajectory', self._on_plan, RELIABLE)

    def close(self) -> None:
        """Leave a zero behind."""
        self._publisher.publish(stamped_from_command(Command(self._now())))

    def _now(self) -> int:
        return int(self.node.get_clock().now().nanoseconds)

    def _on_odometry(self, odometry: Odometry) -> None:
        self._odometry = odometry
        if self._lockstep and odometry.stamp_ns % POLICY_PERIOD_NS == 0:
            if self._plan is None or self._plan.stamp_ns != odometry.stamp_ns:
                self._waiting = odometry
                return
        self._answer(odometry)

    def _on_plan(self, message: Path) -> None:
        try:
            self._plan = plan_from_path(message)
        except ConversionError as error:
            self.node.get_logger().error(f's2e/trajectory: {error}', throttle_duration_sec=5.0)
            return
        waiting = self._waiting
        if waiting is not None and waiting.stamp_ns == self._plan.stamp_ns:
            self._waiting = None
            self._answer(waiting)
        elif not self._lockstep and self._odometry is not None:
            # A new plan, and a stop above all, does not wait for the next odometry: at 20 Hz that
            # would be 25 ms on average. The stamp stays the odometry's, and so does its age.
            self._answer(self._odometry)

    def _answer(self, odometry: Odometry) -> None:
        command = self._follower.step(odometry.stamp_ns, odometry, self._plan)
        self._publisher.publish(stamped_from_command(command))


def main(args: list[str] | None = None) -> None:
    """Run the follower."""
    main_program(lambda: FollowerNode(Node('follower')), args)


if __name__ == '__main__':
    main()
