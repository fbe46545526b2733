"""Quality of service by the kind of topic."""

from __future__ import annotations

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)

SENSOR = qos_profile_sensor_data
"""Best effort: matches publishers of both kinds."""
RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
"""Data of the simulator and commands; subscribers of both kinds match."""
LATCHED = QoSProfile(
    depth=1,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""State that late subscribers need: goal, static transforms, gate state."""
CHANGES = QoSProfile(
    depth=20,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""For listeners to such state that must see each change, or several publishers of it."""
LOCKSTEP = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
"""Inputs in lock-step: nothing may be lost, or the world would wait for ever."""


def input_qos(lockstep: bool) -> QoSProfile:
    """Return the profile of sensor inputs."""
    return LOCKSTEP if lockstep else SENSOR
