"""Time from an image's stamp to the command that it led to, with the simulator beside the nodes.

Run: python test/benchmark/bench_latency.py --seconds 60
     chrt -r 1 python test/benchmark/bench_latency.py     # on a machine that is busy otherwise

Starts `navbench_sim.launch.py mode:=realtime goals:=user` with images of 320x240, sets goals that
lie ahead, and reads the percentiles of the newest 200 plans in the gate's diagnostics. The clock
begins with the simulator's tick: drawing the image is part of it. Beside them stand the policy's
own stages and the delay of this machine's clockwork.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from s2e_core.paths import find_resource
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message, odometry_from_message
from s2e_nav.launching import transport
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.soak.meter import Heartbeat, look_at
from s2e_nav.soak.stack import LaunchedStack

RESULTS = Path(__file__).parent / 'results/bench_latency.csv'
PATIENCE = 300.0
"""Longest wait for the simulator, seconds: the city may have to be made."""


class Ears:
    """Hears the diagnostics and sets goals; spins in a thread of its own."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(args=[], context=self.context)
        self._node = Node('latency', context=self.context)
        self.values: dict[str, dict[str, str]] = {}
        self.state, self._place = '', None
        self._goals = self._node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_array, RELIABLE)
        self._node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, LATCHED)
        self._node.create_subscription(OdometryMessage, 'odom', self._on_odometry, RELIABLE)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self._node)
        threading.Thread(target=self._spin, daemon=True).start()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def _on_array(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.values[status.name] = status_values(status)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self.state = status_values(message)['state']

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._place = odometry_from_message(message)

    @property
    def ready(self) -> bool:
        return self.state in ('idle', 'arrived') and self._place is not None

    def drive(self) -> None:
        """Set a goal a little ahead, unless one is driven to; the world may end anywhere."""
        if self.ready:
            point = self._place.pose.transform(np.array([2.0, 0.3]))
            self._goals.publish(goal_message(point, self._place.stamp_ns))

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self.context.try_shutdown()


def measure(every: int, arguments: argparse.Namespace) -> dict[str, object]:
    """Drive for a while and return a row."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            str(find_resource('launch/navbench_sim.launch.py')), 'mode:=realtime', 'goals:=user',
            'film:=false', 'record:=false', 'scan:=false', f'scene:={arguments.scene}',
            f'robot:={arguments.robot}', f'policy:={arguments.policy}', 'image_width:=320',
            'image_height:=240', f'camera_every:={every}', f'output:={folder}/run',
        ]
        ears, heartbeat = Ears(), Heartbeat()
        stack = LaunchedStack(words, os.environ, Path(folder) / 'launch.log')
        try:
            until = time.monotonic() + PATIENCE
            while not ears.ready and time.monotonic() < until and not stack.ended:
                time.sleep(0.2)
            if not ears.ready:
                raise SystemExit(stack.said())
            heartbeat.start()
            pids = {name: pid for name, pid in stack.pids.items() if name != 'launch'}
            before = {name: look_at(pid) for name, pid in pids.items()}
            until = time.monotonic() + arguments.seconds
            while time.monotonic() < until:
                ears.drive()
                time.sleep(0.5)
            after = {name: look_at(pid) for name, pid in pids.items()}
        finally:
            stack.stop()
            ears.close()
            heartbeat.stop()
    cpu = {
        f'{name}_cpu_percent': round(100 * (use.cpu - before[name].cpu) / arguments.seconds, 1)
        for name, use in after.items() if use and before[name]
    }
    found = {
        f'{key}_{part}': ears.values['gate'].get(f'{key}_{part}', '')
        for key in ('image_to_plan', 'plan_to_command', 'latency')
        for part in ('p50_ms', 'p95_ms', 'p99_ms')
    }
    policy = {
        f'policy_{key}': text for key, text in ears.values['policy'].items()
        if re.fullmatch(r'(wait|decode|preprocess|infer|choose|publish)_p50_ms', key)
    }
    late = np.percentile(heartbeat.take(), (50, 99))
    return {
        'camera_hz': 20 // every, 'policy': arguments.policy, 'robot': arguments.robot,
        'scene': arguments.scene, **found, **policy, **cpu,
        'machine_late_p50_ms': round(1e3 * float(late[0]), 2),
        'machine_late_p99_ms': round(1e3 * float(late[1]), 2),
        'real_time_priority': os.sched_getscheduler(0) != os.SCHED_OTHER,
        'load': round(os.getloadavg()[0], 1), 'cores': os.cpu_count(),
    }


def main() -> None:
    """Measure at every camera rate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--policy', default='s2e-small')
    parser.add_argument('--robot', default='coco')
    parser.add_argument('--scene', default='city:100')
    parser.add_argument('--every', default='2,1', help='ticks of 50 ms between two images')
    parser.add_argument('--domain', type=int, default=98)
    parser.add_argument('--out', type=Path, default=RESULTS)
    args = parser.parse_args()
    # Before the first participant of this process: the same transport as the nodes'.
    os.environ.update(transport(os.environ, isolated=True), ROS_DOMAIN_ID=str(args.domain))
    rows = []
    for every in map(int, args.every.split(',')):
        rows.append(measure(every, args))
        print(rows[-1], flush=True)
    with args.out.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
