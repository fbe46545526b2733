"""What a person did, from a bag: the topics of the teleoperation and of the gate."""

from __future__ import annotations

from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader

from s2e_core.interventions import Intervention, InterventionWatch
from s2e_training.data.sources.driving import Driving
from s2e_training.data.sources.rosbag_poses import stamp_of

COMMANDS = 'cmd_vel_teleop'
COMMAND_TYPES = ('geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/Twist')
GATE = 's2e/gate'
GATE_TYPE = 'diagnostic_msgs/msg/DiagnosticStatus'


def read_driving(reader: AnyReader) -> Driving | None:
    """Read commands and interventions; None where neither topic was recorded."""
    commands = _of(reader, COMMANDS, COMMAND_TYPES)
    statuses = _of(reader, GATE, (GATE_TYPE,))
    if not commands and not statuses:
        return None
    stamps, velocities = _velocities(reader, commands)
    return Driving(stamps, velocities, tuple(_interventions(reader, statuses)))


def _of(reader: AnyReader, name: str, kinds: tuple[str, ...]) -> list[Any]:
    """Find a topic, in whatever namespace the robot has."""
    return [
        c for c in reader.connections
        if c.msgtype in kinds and (c.topic.lstrip('/') == name or c.topic.endswith(f'/{name}'))
    ]


def _velocities(reader: AnyReader, connections: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    rows: list[tuple[int, float, float]] = []
    for connection, logged, data in reader.messages(connections) if connections else ():
        message: Any = reader.deserialize(data, connection.msgtype)
        twist = getattr(message, 'twist', message)
        stamp = stamp_of(message.header) if hasattr(message, 'header') else 0
        values = float(twist.linear.x), float(twist.angular.z)
        if np.isfinite(values).all():
            rows.append((stamp or logged, *values))
    rows.sort(key=lambda row: row[0])
    stamps = np.array([row[0] for row in rows], np.int64)
    return stamps, np.array([row[1:] for row in rows]).reshape(-1, 2)


def _interventions(reader: AnyReader, connections: list[Any]) -> list[Intervention]:
    watch, found = InterventionWatch(), []
    for connection, logged, data in reader.messages(connections) if connections else ():
        message: Any = reader.deserialize(data, connection.msgtype)
        status = {str(pair.key): str(pair.value) for pair in message.values}
        found += watch.update(logged, status)
    return found
