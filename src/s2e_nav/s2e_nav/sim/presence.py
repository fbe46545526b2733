"""Whether another simulator runs on this ROS domain."""

from __future__ import annotations

import time

import rclpy
from rclpy.node import Node

from s2e_nav.errors import StartError

DISCOVERY_SECONDS = 1.0
"""Participants of one machine find each other in 0.2 to 0.5 s."""


def refuse_second_simulator(node: Node, seconds: float = DISCOVERY_SECONDS) -> None:
    """Watch the graph for a publisher of /clock; call it before opening one.

    Raises:
        StartError: There is one.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        infos = node.get_publishers_info_by_topic('/clock')
        if infos:
            raise StartError(
                f'another simulator publishes /clock on this ROS domain '
                f'({infos[0].node_namespace.rstrip("/")}/{infos[0].node_name}): stop it, or '
                'set ROS_DOMAIN_ID to another number for this one'
            )
        # Discovery runs in threads of the middleware; the graph has no event to wait for here.
        time.sleep(0.05)


def check_domain() -> None:
    """Look around from a process that has no node yet, such as the launch process.

    Raises:
        StartError: Another simulator runs.
    """
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    try:
        node = Node(
            's2e_launch_check', context=context, use_global_arguments=False,
            start_parameter_services=False, enable_rosout=False,
        )
        try:
            refuse_second_simulator(node)
        finally:
            node.destroy_node()
    finally:
        context.shutdown()
