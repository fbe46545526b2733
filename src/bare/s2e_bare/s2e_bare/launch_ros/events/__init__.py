"""Stand-in for `launch_ros.events`."""

from __future__ import annotations

from s2e_bare.launch.events import matches_action
from s2e_bare.launch_ros.events import lifecycle
from s2e_bare.launch_ros.events.matches import matches_node_name
from s2e_bare.unsupported import refuse_unknown

__all__ = ['lifecycle', 'matches_action', 'matches_node_name']

__getattr__ = refuse_unknown('launch_ros.events')
