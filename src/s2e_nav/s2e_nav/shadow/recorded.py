"""A recorded shadow drive: where policy and person differed, and where the robot was then."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from s2e_core.interventions import Intervention, InterventionWatch
from s2e_core.records import Odometry, Plan
from s2e_core.se2 import Pose2
from s2e_nav.convert.commands import command_from_stamped
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.convert.poses import odometry_from_message, yaw_of
from s2e_nav.errors import ConversionError
from s2e_nav.shadow.comparison import Comparison, PlanScore, Tick

KINDS = {
    'odom': 'nav_msgs/msg/Odometry', 'cmd_vel_nav': 'geometry_msgs/msg/TwistStamped',
    'cmd_vel_teleop': 'geometry_msgs/msg/TwistStamped', 's2e/trajectory': 'nav_msgs/msg/Path',
    's2e/gate': 'diagnostic_msgs/msg/DiagnosticStatus', 'tf': 'tf2_msgs/msg/TFMessage',
}
"""Topics that are read, in whatever namespace, with their types."""


@dataclass
class ShadowDrive:
    """What a recording holds of it."""

    odometry: list[Odometry] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    scores: list[PlanScore] = field(default_factory=list)
    plans: dict[int, Plan] = field(default_factory=dict)
    """By the stamp of their image."""
    interventions: list[Intervention] = field(default_factory=list)
    map_from_odom: Pose2 | None = None
    """Where somebody published it; the newest."""

    def at(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where the robot was, odom, metres. [N] -> [N, 2]"""
        known = np.array([o.stamp_ns for o in self.odometry], np.int64)
        first = known[0] if len(known) else 0
        where = np.array([(o.pose.x, o.pose.y) for o in self.odometry]).reshape(-1, 2)
        times, wanted = (known - first).astype(np.float64), (stamps_ns - first).astype(np.float64)
        return np.stack([np.interp(wanted, times, column) for column in where.T], axis=1)


def read_shadow(path: Path) -> ShadowDrive:
    """Compare policy and person in a recording as the shadow node does live.

    Raises:
        ConversionError: No recording, damaged, or nobody drove beside a policy.
    """
    drive, comparison, watch = ShadowDrive(), Comparison(), InterventionWatch()
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED)) as reader:
            known = [c for c in reader.connections if _topic(c)]
            for connection, logged, data in reader.messages(known) if known else ():
                message: Any = reader.deserialize(data, connection.msgtype)
                name = _topic(connection)
                if name == 's2e/gate':
                    status = {str(pair.key): str(pair.value) for pair in message.values}
                    drive.interventions += watch.update(logged, status)
                else:
                    _take(drive, comparison, name, message)
    except ConversionError:
        raise
    except Exception as error:  # damaged bytes raise anything
        raise ConversionError(f'{path}: cannot be read as a bag: {error!s:.200}') from error
    if not drive.odometry or not drive.ticks:
        raise ConversionError(
            f'{path}: holds no moment in which a person drove beside a policy that planned; it '
            'needs odom, cmd_vel_teleop and cmd_vel_nav'
        )
    return drive


def _topic(connection: Any) -> str:
    """Return the name of a topic without its namespace, or nothing if it is not read."""
    topic = str(connection.topic).lstrip('/')
    for name, kind in KINDS.items():
        if connection.msgtype == kind and (topic == name or topic.endswith(f'/{name}')):
            return name
    return ''


def _take(drive: ShadowDrive, comparison: Comparison, name: str, message: Any) -> None:
    if name == 'odom':
        odometry = odometry_from_message(message)
        if odometry.finite:
            drive.odometry.append(odometry)
            drive.scores += comparison.odometry(odometry)
    elif name == 'cmd_vel_teleop':
        comparison.person(command_from_stamped(message))
    elif name == 'cmd_vel_nav':
        tick = comparison.policy(command_from_stamped(message))
        if tick is not None:
            drive.ticks.append(tick)
    elif name == 's2e/trajectory':
        plan = plan_from_path(message)
        comparison.plan(plan)
        drive.plans[plan.stamp_ns] = plan
    else:
        for entry in message.transforms:
            frames = entry.header.frame_id.lstrip('/'), entry.child_frame_id.lstrip('/')
            if frames == ('map', 'odom'):
                place = entry.transform.translation
                drive.map_from_odom = Pose2(
                    float(place.x), float(place.y), yaw_of(entry.transform.rotation)
                )
