"""Gate node: the last thing between any source of velocity and the base."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Bool, Header
from std_srvs.srv import Trigger

from s2e_core.config import check, option
from s2e_core.contract import TICK_NS
from s2e_core.gate import Gate, GateConfig, GateOutput, Reason, Source
from s2e_core.range_scan import RangeScan
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.stops import WAITING
from s2e_nav.convert.commands import command_from_stamped
from s2e_nav.convert.diagnostics import (
    ERROR,
    OK,
    WARN,
    diagnostics,
    status_message,
    with_values,
)
from s2e_nav.convert.poses import odometry_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.gate.drivers import LockstepDriver, SteadyDriver
from s2e_nav.gate.latency import CommandLatency
from s2e_nav.gate.output import VelocityOutput
from s2e_nav.obstacles.intake import ScanIntake
from s2e_nav.odometry_buffer import OdometryBuffer
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR, input_qos
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer

SHARE = 0.5
"""The gate looks twice as often as its watchdogs count on: what a plan and a command take on their
way is part of the time to zero. At 0.75 images that ended were noticed after 298 ms, once 301."""
ODOMETRY_SLACK_NS = 100_000_000
"""Two periods of 20 Hz odometry: older odometry does not say where a scan was taken."""
WATCH_SECONDS = 0.1
"""Between two looks at who else publishes on cmd_vel."""

UNTIL = {
    Reason.OBSTACLE: 'the way is free', Reason.UNSEEN_SPACE: 'it is asked to go where it sees',
}
"""What ends stops that are no faults."""


@dataclass(frozen=True)
class GateParameters:
    """Parameters of the gate node."""

    robot: str = option('coco', help='Robot profile by name or path.')
    mode: str = option(
        'realtime', choices=('realtime', 'lockstep'), help='Whether the world waits.'
    )
    stamped: bool = option(True, help='Send TwistStamped; Twist otherwise.')
    shadow: bool = option(False, help='Only a person drives: cmd_vel_nav is not listened to.')
    base_frame: str = option('base_link', help='Frame of the robot, that scans are moved to.')
    gate: GateConfig = GateConfig()

    def __post_init__(self) -> None:
        check(self, source='gate parameters')


class GateNode:
    """Feeds the gate of `s2e_core` and sends what it lets through."""

    def __init__(self, node: Node) -> None:
        """Subscribe, publish and start the watchdog."""
        self.node = node
        self.exit_code: int | None = None
        config = declare(node, GateParameters)
        lockstep = config.mode == 'lockstep'
        gate = config.gate
        if not lockstep:
            # A gate that was killed and came back must not let the old drive go on.
            gate = dataclasses.replace(gate, needs_goal=True)
        self._robot = load_robot(config.robot)
        self._gate = Gate(self._robot, gate)
        self._lock = threading.RLock()
        self._latency = CommandLatency()
        self._poses = OdometryBuffer()
        self._sees = 'camera_only' if gate.obstacles.camera_only else gate.obstacles.source
        self._goal_stamp = 0
        self._reported: tuple[Reason, Reason, int, Source | None, bool] | None = None
        self._output = VelocityOutput(node, config.stamped)
        self._status = node.create_publisher(DiagnosticStatus, 's2e/gate', LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        self._driver: LockstepDriver | SteadyDriver
        if lockstep:
            self._driver = LockstepDriver(self._step)
        else:
            clock = node.get_clock()
            self._driver = SteadyDriver(
                self._step, lambda: int(clock.now().nanoseconds), SHARE * gate.tick_period,
                self._on_clock, self._on_failure,
            )
        self._subscribe(lockstep, config.shadow)
        self._scans = ScanIntake(
            node, gate.obstacles.source, input_qos(lockstep), self._on_scan, config.base_frame
        )
        node.create_service(Trigger, '~/rearm', self._on_rearm)
        node.create_service(Trigger, '~/admit_driver', self._on_driver)
        steady_timer(node, WATCH_SECONDS, self._watch_topic)
        steady_timer(node, 1.0, self._each_second)
        self._report(None)
        self._say_what_turns_need(gate)
        self._driver.start()

    def _say_what_turns_need(self, gate: GateConfig) -> None:
        """Say before the first drive what else shows at the first goal behind the robot."""
        robot, unseen = self._robot, gate.unseen
        around = gate.obstacles.source in ('scan', 'occupancy')
        if around or not unseen.watch or robot.min_turn_radius or robot.swing <= unseen.permit:
            return
        self.node.get_logger().warning(
            f'turns on the spot are refused where nothing has looked: they swing the corners '
            f'{robot.swing:.2f} m beyond the sides, and {self._sees} does not see there '
            '(obstacles:=scan does; gate.unseen.permit allows it blind)'
        )

    def _subscribe(self, lockstep: bool, shadow: bool) -> None:
        node, qos = self.node, input_qos(lockstep)
        node.create_subscription(OdometryMessage, 'odom', self._on_odometry, qos)
        node.create_subscription(CameraInfo, 'camera/camera_info', self._on_camera, qos)
        if shadow:
            node.get_logger().warning('shadow: only a person drives, autonomy is not heard')
        else:
            node.create_subscription(TwistStamped, 'cmd_vel_nav', self._on_command, RELIABLE)
        node.create_subscription(TwistStamped, 'cmd_vel_teleop', self._on_teleop, SENSOR)
        # Best effort hears publishers of both kinds: an e-stop must never be missed by its QoS.
        node.create_subscription(Bool, 'e_stop', self._on_e_stop, SENSOR)
        if not lockstep:
            # In lock-step the world waits for each plan.
            node.create_subscription(Path, 's2e/trajectory', self._on_plan, RELIABLE)
            node.create_subscription(Header, 's2e/image', self._on_image, SENSOR)
        # Volatile: a gate that comes back must not take the goal of before for a new one.
        node.create_subscription(PoseStamped, 's2e/goal', self._on_goal, RELIABLE)

    def close(self) -> None:
        """Stop the robot; the zero goes out before anything is torn down."""
        self._driver.stop()
        with self._lock:
            self._gate.stop(Reason.SHUTDOWN, 'gate is shutting down')
        now = int(self.node.get_clock().now().nanoseconds)
        if isinstance(self._driver, LockstepDriver):
            # Stamps are the clock there: the next tick's, for which no world will ask.
            now = self._output.newest_ns + TICK_NS
        self._output.send(Command(now))

    def _on_odometry(self, message: OdometryMessage) -> None:
        try:
            odometry = odometry_from_message(message)
        except ConversionError as error:
            with self._lock:
                self._gate.stop(Reason.ODOMETRY_INVALID, str(error))
            return
        local = self._driver.local_ns('odom', odometry.stamp_ns)
        with self._lock:
            self._gate.update_odometry(
                dataclasses.replace(odometry, stamp_ns=local), odometry.stamp_ns
            )
            if odometry.finite:
                self._poses.add(odometry)
        self._driver.heard('odom', odometry.stamp_ns)

    def _on_scan(self, scan: RangeScan) -> None:
        """Take a look, from where the robot was then."""
        local = self._driver.local_ns('scan', scan.stamp_ns)
        with self._lock:
            then = self._poses.at(scan.stamp_ns, ODOMETRY_SLACK_NS)
            if then is not None:
                self._gate.update_obstacles(dataclasses.replace(scan, stamp_ns=local), then.pose)

    def _on_camera(self, message: CameraInfo) -> None:
        stamp = to_ns(message.header.stamp)
        local = self._driver.local_ns('camera', stamp)
        with self._lock:
            self._gate.update_camera(local)
        self._latency.camera(stamp, local)
        self._driver.heard('camera', stamp)

    def _on_image(self, message: Header) -> None:
        # No younger than its arrival: a /clock of 50 ms a tick that this node hears late would
        # give images that end as much more time. Stamps ahead are the camera's fault, and found.
        now = self._driver.now_ns()
        local = min(now, self._driver.local_ns('image', to_ns(message.stamp)))
        with self._lock:
            self._gate.update_image(local)

    def _on_command(self, message: TwistStamped) -> None:
        self._take(Source.AUTONOMY, message)

    def _on_teleop(self, message: TwistStamped) -> None:
        self._take(Source.TELEOP, message)

    def _take(self, source: Source, message: TwistStamped) -> None:
        command = command_from_stamped(message)
        local = dataclasses.replace(
            command, stamp_ns=self._driver.local_ns(source.value, command.stamp_ns)
        )
        with self._lock:
            self._gate.update_command(source, local)
        if source is Source.AUTONOMY:
            self._latency.command()
            self._driver.heard('command', command.stamp_ns)

    def _on_plan(self, message: Path) -> None:
        """A plan's own stamp is the follower's business; here counts that they keep coming."""
        now = self._driver.now_ns()
        with self._lock:
            self._gate.update_plan(now, bool(message.poses))
        self._latency.plan(to_ns(message.header.stamp), now)

    def _on_clock(self, reason: Reason, detail: str) -> None:
        with self._lock:
            self._gate.stop(reason, detail)

    def _on_e_stop(self, message: Bool) -> None:
        with self._lock:
            self._gate.update_e_stop(bool(message.data), self._driver.now_ns())
        self._driver.wake()

    def _on_goal(self, message: PoseStamped) -> None:
        with self._lock:
            if not self._output.others():
                self._gate.rearm()
            self._goal_stamp = to_ns(message.header.stamp)
        self._driver.wake()
        self._report(None)

    def _on_rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._allow(self._gate.rearm, response)

    def _on_driver(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """A driver pressed the dead-man; autonomy still waits for a goal or ~/rearm."""
        return self._allow(self._gate.admit_driver, response)

    def _allow(self, act: Callable[[], None], response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            if not self._output.others():
                act()
            latched = self._gate.latched
        response.success = latched is Reason.NONE
        response.message = 'rearmed' if response.success else f'still stopped: {latched.value}'
        return response

    def _step(self, now_ns: int, stamp_ns: int) -> None:
        """Run one tick and send its result, stamped on the clock of the messages."""
        with self._lock:
            output = self._gate.step(now_ns)
        command = dataclasses.replace(output.command, stamp_ns=stamp_ns)
        # In lock-step the world waits for each answer, also for the silent ones.
        if output.publish or isinstance(self._driver, LockstepDriver):
            self._output.send(command)
        if output.reason is Reason.NONE and output.source is Source.AUTONOMY:
            self._latency.sent(self._driver.now_ns())
        current = (
            output.reason, self._gate.latched, self._goal_stamp, output.source, output.slowed
        )
        if self._reported != current:
            self._report(output)

    def _on_failure(self, error: Exception) -> None:
        """Send a zero and end the process: a stopped robot and a visible fault."""
        self._output.send(Command(int(self.node.get_clock().now().nanoseconds)))
        self.node.get_logger().fatal(f'the gate failed: {type(error).__name__}: {error}')
        self.exit_code = 1

    def _report(self, output: GateOutput | None) -> None:
        """Publish state and reason; a stop is also logged."""
        reason = output.reason if output is not None else Reason.NO_COMMAND
        detail = output.detail if output is not None else ''
        latched = self._gate.latched
        changed = self._reported is None or self._reported[:2] != (reason, latched)
        source = output.source if output is not None else None
        slowed = output is not None and output.slowed
        self._reported = (reason, latched, self._goal_stamp, source, slowed)
        quiet = reason in WAITING
        level = OK if quiet else WARN if latched is Reason.NONE else ERROR
        self._last_status = status_message(
            'gate', level, reason.value,
            {
                'reason': reason.value, 'detail': detail, 'latched': latched.value,
                'goal_stamp': self._goal_stamp,
                'source': source.value if source else 'none',
                'sees': self._sees, 'slowed': slowed,
            },
        )
        self._status.publish(self._last_status)
        if changed and not quiet and output is not None:
            until = 'a new goal or rearm' if latched is not Reason.NONE else UNTIL.get(
                reason, 'the input is healthy'
            )
            self.node.get_logger().warning(
                f'stopping until {until}: {reason.value} ({detail})'
            )

    def _watch_topic(self) -> None:
        others = self._output.others()
        if others:
            with self._lock:
                self._gate.stop(Reason.SECOND_PUBLISHER, ', '.join(others))
            self.node.get_logger().error(
                f'cmd_vel has another publisher ({", ".join(others)}): autonomy is refused until '
                'it is gone and a new goal is set or ~/rearm is called',
                throttle_duration_sec=10.0,
            )

    def _each_second(self) -> None:
        self._output.warn_about_other_type()
        status = with_values(self._last_status, self._latency.facts(self._driver.now_ns()))
        self._diagnostics.publish(
            diagnostics(status, int(self.node.get_clock().now().nanoseconds))
        )


def main(args: list[str] | None = None) -> None:
    """Run the gate."""
    main_program(lambda: GateNode(Node('gate')), args)


if __name__ == '__main__':
    main()
