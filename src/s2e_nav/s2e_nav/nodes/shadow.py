"""Shadow: the policy runs, a person drives, and this node logs where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Path as PathMessage
from rclpy.node import Node

from s2e_core.config import check, option
from s2e_core.records import Odometry
from s2e_nav.convert.commands import command_from_stamped
from s2e_nav.convert.diagnostics import OK, WARN, status_message
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.errors import ConversionError, StartError
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.parameters import declare
from s2e_nav.qos import RELIABLE, SENSOR
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.shadow.comparison import Comparison
from s2e_nav.shadow.log import ShadowLog


@dataclass(frozen=True)
class ShadowParameters:
    """Parameters of the shadow node."""

    folder: str = option('', help='Folder of ticks.csv and plans.csv.')

    def __post_init__(self) -> None:
        check(self, source='shadow parameters')


class ShadowNode:
    """Listens only; nothing it does can move the robot."""

    def __init__(self, node: Node) -> None:
        """Open the files and subscribe.

        Raises:
            StartError: No folder, or it holds a log already.
        """
        self.node = node
        self.exit_code: int | None = None
        folder = declare(node, ShadowParameters).folder
        if not folder:
            raise StartError('shadow: the parameter folder must name a folder')
        self._comparison, self._log = Comparison(), ShadowLog(Path(folder))
        self._publisher = node.create_publisher(DiagnosticStatus, 's2e/shadow', RELIABLE)
        listen_to_odometry(node, self._on_odometry, SENSOR)
        node.create_subscription(TwistStamped, 'cmd_vel_teleop', self._on_person, SENSOR)
        node.create_subscription(TwistStamped, 'cmd_vel_nav', self._on_policy, RELIABLE)
        node.create_subscription(PathMessage, 's2e/trajectory', self._on_plan, RELIABLE)
        steady_timer(node, 1.0, self._each_second)

    def close(self) -> None:
        """Finish the files."""
        self._log.close()

    def _on_odometry(self, odometry: Odometry) -> None:
        for score in self._comparison.odometry(odometry):
            self._log.plan(score)

    def _on_person(self, message: TwistStamped) -> None:
        self._comparison.person(command_from_stamped(message))

    def _on_policy(self, message: TwistStamped) -> None:
        tick = self._comparison.policy(command_from_stamped(message))
        if tick is not None:
            self._log.tick(tick)

    def _on_plan(self, message: PathMessage) -> None:
        try:
            self._comparison.plan(plan_from_path(message))
        except ConversionError as error:
            self.node.get_logger().error(f's2e/trajectory: {error}', throttle_duration_sec=5.0)

    def _each_second(self) -> None:
        self._log.flush()
        failure = self._log.failure
        self._publisher.publish(status_message(
            'shadow', WARN if failure else OK, failure or 'comparing', self._log.facts()
        ))


def main(args: list[str] | None = None) -> None:
    """Run the shadow node."""
    main_program(lambda: ShadowNode(Node('shadow')), args)


if __name__ == '__main__':
    main()
