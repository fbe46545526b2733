"""The simulator as the robot: its bridge runs as a process, and all it senses comes through here.

The bridge publishes under raw names; from there clock, odometry, pictures and scan go on to the
nodes with the sabotage applied. It hears cmd_vel itself.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_srvs.srv import Trigger

from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.images import frame_from_image
from s2e_nav.convert.poses import odometry_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import StartError
from s2e_nav.faults.bench_robot import BenchRobot, Wait
from s2e_nav.launching import check_policy, check_scene
from s2e_nav.qos import RELIABLE

RAW = {
    name: f'raw/{name.lstrip("/")}' for name in (
        '/clock', 'odom', 'camera/image_raw', 'camera/camera_info', 'scan', '/tf',
    )
}
"""Names under which the bridge speaks, by those that the nodes hear."""
BRAKING = 0.35
"""Seconds from the base's own time-out to rest: 0.5 m/s at 2 m/s^2, a tick of 50 ms in which the
last command waited, and one in which rest shows."""
STILL = 0.03
"""m/s and rad/s below which the base is at rest: physics leaves a body on its wheels a
millimetre a second."""
MAKING = 600.0
"""Longest wait for a scene, seconds: one that was never used is generated first."""
PATIENCE = 60.0
"""Longest wait for an answer of the bridge, seconds."""
BEND = 8.0
"""Metres to the left of a goal for which the robot turns left."""


@dataclass(frozen=True)
class SimulatedWorld:
    """Where the robot drives, and by which policy."""

    scene: str
    """As `navbench_sim.launch.py` takes it."""
    policy: str = 's2e-small'
    """Bundle by name or path, or `straight`."""

    def check(self) -> None:
        """Refuse what cannot be driven before anything starts.

        Raises:
            S2EError: There is no such scene or policy.
        """
        check_scene(self.scene)
        check_policy(self.policy)

    def bridge(self, scan: bool) -> dict[str, str]:
        """Return the parameters of the bridge by name.

        Args:
            scan: Whether there is a range scanner.
        """
        return {
            # Doubly quoted: for the bridge, which splits at blanks, and for the command line.
            'scenes': json.dumps(shlex.quote(self.scene)), 'tasks': 'empty', 'episodes': '10000',
            'robot': 'coco', 'mode': 'realtime', 'goals': 'user', 'camera': 'policy',
            'scan': 'true' if scan else 'false',
            # One core draws; the other is the nodes'.
            'threads': '1', 'use_sim_time': 'false',
        }


class SimulatedRobot(BenchRobot):
    """Passes on what the bridge senses; each drive begins at the start of another route."""

    def __init__(self, node: Node, *, scan: bool) -> None:
        """Open the topics.

        Args:
            node: Owner.
            scan: Whether there is a range scanner.
        """
        super().__init__(node, sim_time=True)
        self._clock = 0, 0.0
        self._odometry = Odometry(0, Pose2())
        self._info: CameraInfo | None = None
        self._pictures = 0
        self._goal = np.zeros(2)
        # The clock first: what comes together is passed on in the order of subscription.
        listened: list[tuple[Any, str, Any]] = [
            (Clock, '/clock', self._on_clock), (OdometryMessage, 'odom', self._on_odometry),
            (CameraInfo, 'camera/camera_info', self._on_info),
            (Image, 'camera/image_raw', self._on_image),
        ]
        if scan:
            listened.append((LaserScan, 'scan', self._on_scan))
        for kind, name, call in listened:
            node.create_subscription(kind, RAW[name], call, RELIABLE)
        self._next: Any = node.create_client(Trigger, 'sim_bridge/next_episode')
        self._start: Any = node.create_client(Trigger, 'sim_bridge/start')

    @property
    def pose(self) -> Pose2:
        """Where odometry has it, odom <- base_link."""
        return self._odometry.pose

    @property
    def moves(self) -> bool:
        """Whether the base is in motion, by its own odometry."""
        return _moves(self._odometry)

    def now_ns(self) -> int:
        """Return the robot's clock, nanoseconds."""
        return self.senses.told_ns(self._clock[0])

    def begin(self, wait: Wait) -> None:
        """Put the robot at the start of the next route, as the bridge does between episodes."""
        route = json.loads(self._ask(self._next, wait, MAKING))
        if route['done']:
            raise StartError('the scene has no route for this robot')
        self._goal = np.array(route['goal'])
        # What follows is another drive: the pause before it is nobody's delay.
        self._clock = 0, 0.0
        self._ask(self._start, wait, PATIENCE)
        seen = self._pictures
        wait(lambda: self._pictures > seen, PATIENCE, 'the simulator shows the start of a route')

    def goal(self) -> np.ndarray:
        """Return the end of the route, ten metres ahead or more, in odom, metres. [2]"""
        return self._goal

    def bend(self) -> np.ndarray:
        """Return a point to the left, in odom, metres. [2]"""
        return self.pose.transform(np.array([0.0, BEND]))

    def _ask(self, client: Any, wait: Wait, seconds: float) -> str:
        wait(client.service_is_ready, PATIENCE, 'the simulator is there')
        future = client.call_async(Trigger.Request())
        wait(future.done, seconds, 'the simulator answers')
        response = future.result()
        if not response.success:
            raise StartError(f'the simulator: {response.message}')
        return str(response.message)

    def _on_command(self, message: TwistStamped) -> None:
        self.trace.add(float(message.twist.linear.x), float(message.twist.angular.z))

    def _step(self, count: int) -> None:
        self.senses.beat(self.now_ns(), time.monotonic())

    def _taken(self, stamp_ns: int) -> float:
        """Return the steady clock at a stamp of something that came now, seconds.

        While a picture is drawn the world stands, and its clock with it: what came in the tick
        of its stamp is new.
        """
        return time.monotonic() - (self._clock[0] - stamp_ns) * 1e-9

    def _on_clock(self, message: Clock) -> None:
        now_ns, now = to_ns(message.clock), time.monotonic()
        last_ns, last = self._clock
        if last_ns:
            self.late = max(self.late, now - last - (now_ns - last_ns) * 1e-9)
        self._clock = now_ns, now
        self.senses.tell_time(self.senses.told_ns(now_ns))

    def _on_odometry(self, message: OdometryMessage) -> None:
        sensed, before = odometry_from_message(message), self._odometry
        self._odometry = sensed
        if _moves(before) and not _moves(sensed):
            self.rested_at = self._taken(sensed.stamp_ns)
            self.trace.poke()
        stamp = self.senses.stamp_ns(sensed.stamp_ns)
        self.senses.odometry(
            dataclasses.replace(sensed, stamp_ns=stamp), self._taken(sensed.stamp_ns)
        )

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_image(self, message: Image) -> None:
        """Pass on a picture together with its intrinsics, as a driver sends them."""
        if self._info is None:
            return
        frame = frame_from_image(message)
        stamp = self.senses.stamp_ns(frame.stamp_ns)
        self.senses.camera(
            self._info, dataclasses.replace(frame, stamp_ns=stamp), self._taken(frame.stamp_ns)
        )
        self._pictures += 1
        self.trace.poke()

    def _on_scan(self, message: LaserScan) -> None:
        stamp = to_ns(message.header.stamp)
        self.senses.scan(
            np.asarray(message.ranges), self.senses.stamp_ns(stamp), self._taken(stamp)
        )


def _moves(odometry: Odometry) -> bool:
    return abs(odometry.v) > STILL or abs(odometry.w) > STILL
