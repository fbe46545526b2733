"""Stand-in for `launch_ros.event_handlers`."""

from __future__ import annotations

from s2e_bare.launch_ros.event_handlers.on_state_transition import OnStateTransition
from s2e_bare.unsupported import refuse_unknown

__all__ = ['OnStateTransition']

__getattr__ = refuse_unknown('launch_ros.event_handlers')
