"""Incidents: keeps the last half minute in memory and writes it when the robot was stopped."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from rclpy.node import Node

from s2e_core.config import check, option
from s2e_nav.convert.diagnostics import OK, WARN, diagnostics, status_message, status_values
from s2e_nav.errors import StartError
from s2e_nav.incidents.ring import Ring, Sample
from s2e_nav.incidents.store import IncidentError, IncidentStore
from s2e_nav.incidents.watch import Incident, IncidentWatch
from s2e_nav.parameters import declare
from s2e_nav.qos import CHANGES, RELIABLE, SENSOR
from s2e_nav.recorded import TOPICS, Thinning, recorded_topic, subscribe_raw
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer

LOOK_SECONDS = 0.1
"""Between two looks at whether a file is due."""
CLOSING_SECONDS = 3.0
"""Longest wait for the file of a stop at the very end; then the process is ended anyway."""


@dataclass(frozen=True)
class IncidentParameters:
    """Parameters of the incidents node."""

    folder: str = option('', help='Folder of the files.')
    topics: tuple[str, ...] = option(
        TOPICS, help='Each: name, blank, type, and perhaps the shortest period kept, seconds.'
    )
    before: float = option(30.0, unit='s', low=1, high=600, help='Time before the stop.')
    after: float = option(3.0, unit='s', low=0, high=60, help='Time after the stop.')
    apart: float = option(
        60.0, unit='s', low=1, high=86400, help='Shortest to the file of a stop as grave.'
    )
    memory: int = option(
        256, unit='MB', low=1, high=8192, help='Messages held at most; the oldest go first.'
    )
    keep: int = option(20, low=1, high=10000, help='Files kept; the oldest go first.')

    def __post_init__(self) -> None:
        check(self, source='incidents parameters')


class IncidentsNode:
    """Listens without decoding; writes in a thread, so that listening goes on."""

    def __init__(self, node: Node) -> None:
        """Subscribe.

        Raises:
            StartError: No folder, or a topic line that names no known type.
        """
        self.node = node
        self.exit_code: int | None = None
        self._config = config = declare(node, IncidentParameters)
        if not config.folder:
            raise StartError('incidents: the parameter folder must name a folder')
        self._store = IncidentStore(Path(config.folder).expanduser(), config.keep)
        self._ring = Ring(config.before + config.after, config.memory * 2**20)
        self._watch = IncidentWatch(config.after, config.apart)
        self._driven = False
        self._writer: threading.Thread | None = None
        self._newest, self._written = '', 0
        self._failure = self._open()
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        for line in config.topics:
            self._subscribe(line)
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, CHANGES)
        node.create_subscription(DiagnosticStatus, 's2e/result', self._on_result, RELIABLE)
        node.create_subscription(TwistStamped, 'cmd_vel_teleop', self._on_teleop, SENSOR)
        steady_timer(node, LOOK_SECONDS, self._each_look)
        steady_timer(node, 1.0, self._each_second)

    def _open(self) -> str:
        """Make the folder; say what is wrong with it, or nothing.

        A disk that is gone costs incidents, and no process that launch would start for ever.
        """
        try:
            self._store.open()
        except IncidentError as error:
            self.node.get_logger().error(f'{error}: no incident will be written')
            return str(error)
        return ''

    def close(self) -> None:
        """Write what waits; a stop is often the last thing before an end."""
        if self._writer is not None:
            self._writer.join(CLOSING_SECONDS)
        while (incident := self._watch.take()) is not None:
            self._begin(incident).join(CLOSING_SECONDS)

    def _subscribe(self, line: str) -> None:
        topic = recorded_topic(line)
        thin = Thinning(topic.period)

        def take(data: bytes) -> None:
            now = time.monotonic_ns()
            if thin.keeps(now):
                self._ring.add(Sample(topic, now, data))

        subscribe_raw(self.node, topic, False, take)

    def _on_gate(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        now = time.monotonic_ns(), datetime.now(timezone.utc)
        self._tell(self._watch.gate(values.get('reason', ''), self._driven, *now))

    def _on_result(self, message: DiagnosticStatus) -> None:
        name = status_values(message).get('error_name', '')
        self._tell(self._watch.ending(name, time.monotonic_ns(), datetime.now(timezone.utc)))

    def _on_teleop(self, message: TwistStamped) -> None:
        self._driven = bool(message.twist.linear.x or message.twist.angular.z)

    def _tell(self, incident: Incident | None) -> None:
        if incident is not None:
            self.node.get_logger().info(f'incident: {incident.reason}')

    def _each_look(self) -> None:
        now = time.monotonic_ns()
        self._ring.trim(now)
        if self._writer is not None and self._writer.is_alive():
            return
        incident = self._watch.due(now)
        if incident is not None:
            self._begin(incident)

    def _begin(self, incident: Incident) -> threading.Thread:
        """Hand the messages over to a thread; they are shared, not copied."""
        begin = incident.steady_ns - round(self._config.before * 1e9)
        samples = self._ring.since(begin)
        # One offset for the whole file: it keeps its pace whatever /clock did meanwhile, and its
        # times lie beside the stamps of the messages. Simulated time may be younger than the ring.
        ros_now, steady_now = int(self.node.get_clock().now().nanoseconds), time.monotonic_ns()
        oldest = min((sample.steady_ns for sample in samples), default=steady_now)
        offset = max(ros_now - steady_now, -oldest)
        writer = threading.Thread(
            target=self._write, args=(incident, samples, offset), name='incident', daemon=True
        )
        writer.start()
        self._writer = writer
        return writer

    def _write(self, incident: Incident, samples: list[Sample], offset: int) -> None:
        try:
            path = self._store.write(
                incident, samples, lambda steady_ns: steady_ns + offset,
                self.node.resolve_topic_name,
            )
        except IncidentError as error:
            self._failure = str(error)
            self.node.get_logger().error(f'{error}: the incident {incident.reason} is lost')
            return
        self._newest, self._failure = path.name, ''
        self._written += 1
        self.node.get_logger().info(f'incident written: {path} ({len(samples)} messages)')

    def _each_second(self) -> None:
        values = {
            'newest': self._newest, 'written': self._written, 'failure': self._failure,
            'skipped': self._watch.skipped, 'held_seconds': f'{self._ring.seconds:.1f}',
            'held_mb': f'{self._ring.size / 2**20:.1f}', 'refused': self._ring.refused,
        }
        level = WARN if self._failure else OK
        status = status_message('incidents', level, self._failure or 'listening', values)
        now = int(self.node.get_clock().now().nanoseconds)
        self._diagnostics.publish(diagnostics(status, now))


def main(args: list[str] | None = None) -> None:
    """Run the incidents node."""
    main_program(lambda: IncidentsNode(Node('incidents')), args)


if __name__ == '__main__':
    main()
