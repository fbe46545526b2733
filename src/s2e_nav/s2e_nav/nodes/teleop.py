"""Teleop node: serves the page from which a person drives, and speaks for them to the gate."""

from __future__ import annotations

import dataclasses
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import BatteryState

from s2e_core.config import check, option
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_nav.convert.diagnostics import OK, status_message, status_values
from s2e_nav.convert.poses import goal_message
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.teleop.output import OperatorOutput
from s2e_nav.teleop.study import StudyBridge
from s2e_nav.teleop.view import RobotView
from s2e_teleop.journal import Journal, LinkSample, OperatorInput
from s2e_teleop.link import load_link
from s2e_teleop.robot_port import RobotState
from s2e_teleop.server.config import ServerConfig, is_loopback
from s2e_teleop.server.room import Room
from s2e_teleop.server.server import TeleopServer
from s2e_teleop.session import SessionConfig
from s2e_teleop.study.desk import StudyDesk


@dataclass(frozen=True)
class TeleopParameters:
    """Parameters of the teleop node."""

    robot: str = option('coco', help='Robot profile by name or path.')
    stamped: bool = option(True, help='Send TwistStamped; Twist otherwise.')
    compressed: bool = option(True, help='Read camera/image_raw/compressed; raw otherwise.')
    odom_frame: str = option('odom', help='Frame of goals.')
    link: str = option('none', help='Profile of a worse link, by name or path, put between.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Of the link profile.')
    log: str = option('', help="Folder for the driver's inputs and the link, as CSV.")
    study: bool = option(False, help='Show the cards of s2e/study; goals are given by it.')
    server: ServerConfig = ServerConfig()
    session: SessionConfig = SessionConfig()

    def __post_init__(self) -> None:
        check(self, source='teleop parameters')


class TeleopNode:
    """A `RobotPort` for the server, made of topics and services."""

    def __init__(self, node: Node) -> None:
        """Subscribe, publish and serve.

        Raises:
            S2EError: A parameter is wrong, or the port is taken.
        """
        self.node = node
        self.exit_code: int | None = None
        config = declare(node, TeleopParameters)
        self._frame = config.odom_frame
        robot, link = load_robot(config.robot), load_link(config.link)
        session = dataclasses.replace(
            config.session,
            dead_man=dataclasses.replace(config.session.dead_man, max_age=link.max_age),
        )
        self._journal = Journal(Path(config.log).expanduser()) if config.log else None
        self._lock = threading.Lock()
        self._policy: dict[str, str] = {}
        self._battery = float('nan')
        self._goal_stamp, self._goal_seen = 0, False
        self._output = OperatorOutput(node, config.stamped)
        self._status = node.create_publisher(DiagnosticStatus, 's2e/teleop', RELIABLE)
        self._inputs = node.create_publisher(DiagnosticStatus, 's2e/operator', RELIABLE)
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._study: StudyBridge | None = None
        desk = StudyDesk(self._on_answer)
        self.server = TeleopServer(
            config.server, link,
            lambda: Room(session, robot, link, self, self._on_input, self._on_link, desk),
            self._on_failure, config.seed,
        )
        self._view = RobotView(
            node, robot.camera.mount(), config.compressed, self.server.show, self.server.draw
        )
        if config.study:
            self._study = StudyBridge(node, self.server, self._view)
        self._output.on_gate = self._tell
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_policy, LATCHED)
        node.create_subscription(BatteryState, 'battery_state', self._on_battery, SENSOR)
        steady_timer(node, 0.2, self._tell)
        # Last: the heartbeat that begins here must not wait for this thread.
        self.server.start()
        print(f'drive at {self.server.url}', flush=True)
        if not is_loopback(config.server.host):
            print("from elsewhere: the same with this machine's address", flush=True)
        if link.name != 'none':
            print(f'link profile {link.name}: {link.description}', flush=True)

    def close(self) -> None:
        """Close the pages: the driver is gone, so a zero goes out; then the heartbeat ends."""
        self.server.stop()
        self._output.halt()
        if self._journal is not None:
            with self._lock:
                self._journal.close()

    def drive(self, command: Command, age: float) -> None:
        """Send a driver's velocity."""
        self._output.drive(command, age)

    def halt(self, why: str) -> None:
        """Send zeros, then nothing."""
        self.node.get_logger().info(f'the drive ends: {why}')
        self._output.halt()

    def press(self) -> None:
        """The dead-man was pressed anew."""
        self._output.press()

    def e_stop(self, pressed: bool) -> None:
        """Send the heartbeat."""
        self._output.e_stop(pressed)

    def rearm(self) -> None:
        """Ask the gate, and tell the pages what it says."""
        self._output.rearm(self.server.say)

    def go_to(self, u: float, v: float) -> str:
        """Send a goal to the policy."""
        if self._study is not None:
            return 'the study gives the goals'
        point = self._view.ground(u, v)
        if isinstance(point, str):
            return point
        if self._goals.get_subscription_count() == 0:
            return 'no policy listens for goals'
        stamp = int(self.node.get_clock().now().nanoseconds)
        self._goal_stamp, self._goal_seen = stamp, False
        self._goals.publish(goal_message(point, stamp, self._frame))
        return ''

    def _on_policy(self, message: DiagnosticStatus) -> None:
        self._policy = status_values(message)
        if not self._goal_stamp:
            return
        current = int(self._policy.get('goal_stamp', 0)) == self._goal_stamp
        self._goal_seen = self._goal_seen or current
        over = not current or self._policy.get('state') != 'navigating'
        if self._goal_seen and over:
            self._goal_stamp = 0
            self.server.goal_ended()

    def _on_battery(self, message: BatteryState) -> None:
        self._battery = float(message.percentage)

    def _tell(self) -> None:
        gate, odometry = self._output.gate, self._view.odometry
        state = self._policy.get('fault') or self._policy.get('state', '')
        self.server.update(RobotState(
            speed=math.nan if odometry is None else odometry.v,
            reason=gate.get('reason', ''), latched=gate.get('latched', ''),
            source=gate.get('source', ''), policy=state, battery=self._battery,
            camera_age=self._view.camera_age,
            notes=(self._view.problem,) if self._view.problem else (),
        ))

    def _on_answer(self, values: dict[str, Any]) -> None:
        if self._study is not None:
            self._study.answer(values)

    def _on_input(self, row: OperatorInput) -> None:
        self._inputs.publish(
            status_message('operator', OK, row.verdict, dataclasses.asdict(row))
        )
        if self._journal is not None:
            with self._lock:
                self._journal.add_input(row)

    def _on_link(self, row: LinkSample) -> None:
        if self._journal is not None:
            with self._lock:
                self._journal.add_link(row)
        if row.driver:
            values = dataclasses.asdict(row)
            self._status.publish(status_message('teleop', OK, 'driven', values))

    def _on_failure(self, error: BaseException) -> None:
        """The server is gone: its heartbeat ends, so the gate stops; a zero goes out at once."""
        self._output.halt()
        self.node.get_logger().fatal(f'the server failed: {type(error).__name__}: {error}')
        self.exit_code = 1


def main(args: list[str] | None = None) -> None:
    """Run the teleop node."""
    main_program(lambda: TeleopNode(Node('teleop')), args)


if __name__ == '__main__':
    main()
