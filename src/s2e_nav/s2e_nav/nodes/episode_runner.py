"""Episode runner: drives a whole run, shows progress, films, writes the report."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from s2e_core.config import check, option
from s2e_core.robot import load_robot
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.images import frame_from_compressed
from s2e_nav.convert.modes import output_from_markers
from s2e_nav.convert.poses import goal_message, odometry_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.episodes.filming import TopicFilm
from s2e_nav.episodes.progress import episode_line
from s2e_nav.episodes.record import RunRecord
from s2e_nav.episodes.sequence import Sequence
from s2e_nav.errors import StartError
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.sim.parameters import SimParameters

FILM_QUIET = 1.0
"""The film of an episode is closed when nothing came for it for so long, seconds."""
FILM_QOS = QoSProfile(depth=400)
"""The film may lag behind the run by this many messages before any is lost."""


@dataclass(frozen=True)
class RunnerParameters:
    """Parameters of the episode runner."""

    sim: SimParameters = SimParameters()
    film: bool = option(True, help='Make a film of each episode.')
    film_width: int = option(640, unit='px', low=160, high=3840, help='Width of films.')
    report: bool = option(True, help='Write report.html at the end.')
    start_timeout: float = option(
        120.0, unit='s', low=1, high=3600, help='Longest wait for the other nodes.'
    )

    def __post_init__(self) -> None:
        check(self, source='episode_runner parameters')


class EpisodeRunner:
    """Asks the bridge for episodes, sets goals, waits for results."""

    def __init__(self, node: Node) -> None:
        """Subscribe; the run begins when bridge, policy and gate have been heard.

        Raises:
            StartError: No output folder was named.
        """
        self.node = node
        self.exit_code: int | None = None
        self._config = declare(node, RunnerParameters)
        if not self._config.sim.output:
            raise StartError('episode_runner: the parameter sim.output must name a folder')
        folder = Path(self._config.sim.output)
        self._record = RunRecord(folder, self._config.sim)
        robot = load_robot(self._config.sim.robot)
        self._film = TopicFilm(folder, robot, self._config.film_width)
        self._next: Any = node.create_client(Trigger, 'sim_bridge/next_episode')
        self._start: Any = node.create_client(Trigger, 'sim_bridge/start')
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._sequence = Sequence(
            self._config.start_timeout, own_goals=self._config.sim.goals == 'episode'
        )
        self._current: dict[str, Any] = {}
        self._pending: dict[str, Any] | None = None
        self._started = self._pending_since = self._fed = 0.0
        self._open_topics()
        steady_timer(node, 0.05, self._drive)

    def close(self) -> None:
        """Leave record and report of what is finished."""
        self._film.end()
        self._finish(complete=False)

    def _open_topics(self) -> None:
        node = self.node
        node.create_subscription(String, 'sim_bridge/result', self._on_result, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, LATCHED)
        if not self._config.film:
            return
        node.create_subscription(CompressedImage, 'camera/image_raw/compressed', self._on_image,
                                 FILM_QOS)
        node.create_subscription(CameraInfo, 'camera/camera_info', self._on_camera, RELIABLE)
        node.create_subscription(MarkerArray, 's2e/modes', self._on_modes, FILM_QOS)
        node.create_subscription(OdometryMessage, 'odom', self._on_odometry, FILM_QOS)

    def _drive(self) -> None:
        """Take the next step of the run, if what it waits for is there."""
        if self.exit_code is not None:
            return
        self._close_episode()
        step = self._sequence.step(
            bridge=self._next.service_is_ready() and self._start.service_is_ready(),
            now_s=self.node.get_clock().now().nanoseconds * 1e-9,
        )
        if step == 'next':
            self._next.call_async(Trigger.Request()).add_done_callback(self._on_next)
        elif step == 'goal':
            goal = np.array(self._current['goal'])
            self._goals.publish(goal_message(goal, self._current['stamp_ns']))
        elif step == 'start':
            self._started = time.monotonic()
            self._start.call_async(Trigger.Request())
            if self._config.sim.goals == 'user':
                self._say('the world runs and waits for your goals; Ctrl-C ends it')
        elif step:
            self._fail(step)

    def _on_next(self, future: Any) -> None:
        response = future.result()
        if not response.success:
            self._fail(response.message)
            return
        self._current = json.loads(response.message)
        self._record.skipped = self._current.get('skipped', [])
        if self._current['done']:
            self._finish(complete=True)
            self.exit_code = 0 if self._record.results else 1
            return
        self._sequence.ready(self._current['stamp_ns'])
        self._film.begin(
            self._current['id'], self._current['id'], np.array(self._current['goal']),
            self._current['stamp_ns'],
        )

    def _on_result(self, message: String) -> None:
        result = json.loads(message.data)
        if result['id'] != self._current.get('id'):
            return
        self._pending, self._pending_since = result, time.monotonic()
        self._record.driving(self._pending_since - self._started)
        self._close_episode()

    def _close_episode(self) -> None:
        """Count the result once the film has caught up, or nothing more comes for it."""
        result = self._pending
        if result is None:
            return
        quiet = time.monotonic() - max(self._pending_since, self._fed) > FILM_QUIET
        if self._config.film and not quiet and not self._film.is_complete(result['image_ns']):
            return
        self._pending = None
        self._film.end()
        self._record.results.append(result)
        self._say(episode_line(
            self._current['number'], self._current['total'], result, self._record.scores,
            self._record.factor(),
        ))
        self._record.write(complete=False)
        self._sequence.over()
        self._drive()

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        self._record.hear(values)
        self._sequence.policy(values.get('state', ''), int(values.get('goal_stamp', 0)))
        if values.get('mode') == '-1':
            self._film.add_standstill(int(values.get('image_stamp', 0)))
        self._drive_if_waiting()

    def _on_gate(self, message: DiagnosticStatus) -> None:
        self._sequence.gate(int(status_values(message).get('goal_stamp', 0)))
        self._drive_if_waiting()

    def _drive_if_waiting(self) -> None:
        if self._sequence.waits_for_goal:
            self._drive()

    def _on_image(self, message: CompressedImage) -> None:
        self._fed = time.monotonic()
        stamp = to_ns(message.header.stamp)
        self._film.add_image(stamp, lambda: frame_from_compressed(message))

    def _on_camera(self, message: CameraInfo) -> None:
        self._film.set_camera(camera_from_info(message))

    def _on_modes(self, message: MarkerArray) -> None:
        self._fed = time.monotonic()
        modes = output_from_markers(message)
        if modes is not None:
            self._film.add_modes(*modes)

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._film.add_odometry(odometry_from_message(message))

    def _finish(self, complete: bool) -> None:
        """Write record and report once, and say where everything is."""
        if self._sequence.finished:
            return
        self._sequence.finished = True
        self._record.write(complete)
        report = self._record.report() if self._config.report else None
        recording = [self._record.folder.root / 'recording']
        for name, path in self._record.paths(recording):
            self._say(f'{name:>10}: {path}')
        if report is not None:
            self._say(f'{"report":>10}: {report}')
        elif not self._record.results:
            self._say('no episode was finished')

    def _fail(self, text: str) -> None:
        print(f'error: {text}', file=sys.stderr, flush=True)
        self.exit_code = 1

    @staticmethod
    def _say(line: str) -> None:
        print(line, flush=True)


def main(args: list[str] | None = None) -> None:
    """Run the episode runner."""
    main_program(lambda: EpisodeRunner(Node('episode_runner')), args)


if __name__ == '__main__':
    main()
