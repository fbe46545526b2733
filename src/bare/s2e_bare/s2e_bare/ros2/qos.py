"""Quality of service of the commands that publish or subscribe."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

PROFILES = ('default', 'sensor_data', 'system_default', 'services_default', 'parameters')


def add_qos_options(parser: argparse.ArgumentParser) -> None:
    """Add upstream's options."""
    add = parser.add_argument
    add('--qos-profile', choices=PROFILES, help='preset to start from')
    add('--qos-depth', type=int, help='length of the queue')
    add('--qos-history', choices=('keep_last', 'keep_all', 'system_default'))
    add('--qos-reliability', choices=('reliable', 'best_effort', 'system_default'))
    add('--qos-durability', choices=('volatile', 'transient_local', 'system_default'))


def profile(options: argparse.Namespace) -> Any:
    """Make the profile that the options name; upstream's default where they name none."""
    from rclpy import qos

    presets = {
        'default': qos.QoSProfile(depth=10),
        'sensor_data': qos.qos_profile_sensor_data,
        'system_default': qos.qos_profile_system_default,
        'services_default': qos.qos_profile_services_default,
        'parameters': qos.qos_profile_parameters,
    }
    base = presets[options.qos_profile or 'default']
    found = qos.QoSProfile(
        depth=base.depth,
        history=base.history,
        reliability=base.reliability,
        durability=base.durability,
    )
    if options.qos_depth is not None:
        found.depth = options.qos_depth
    if options.qos_history:
        found.history = qos.HistoryPolicy[options.qos_history.upper()]
    if options.qos_reliability:
        found.reliability = qos.ReliabilityPolicy[options.qos_reliability.upper()]
    if options.qos_durability:
        found.durability = qos.DurabilityPolicy[options.qos_durability.upper()]
    return found


def matching_profile(options: argparse.Namespace, publishers: Iterable[Any]) -> Any:
    """Make a subscription profile that every publisher can serve.

    Where the options say nothing: reliable only if all publishers are, transient local only
    if all are.

    Args:
        options: As `add_qos_options` makes them.
        publishers: Endpoint infos of the topic.
    """
    from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

    found = profile(options)
    profiles = [info.qos_profile for info in publishers]
    chosen = options.qos_profile is not None
    if profiles and not chosen and not options.qos_reliability:
        reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
        found.reliability = (
            ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        )
    if profiles and not chosen and not options.qos_durability:
        keeps = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
        found.durability = DurabilityPolicy.TRANSIENT_LOCAL if keeps else DurabilityPolicy.VOLATILE
    return found
