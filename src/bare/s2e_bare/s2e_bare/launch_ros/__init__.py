"""Stand-in for `launch_ros`, known under that name only where the real one is absent."""

from __future__ import annotations

from s2e_bare.launch_ros import (
    actions,
    event_handlers,
    events,
    parameter_descriptions,
    substitutions,
)
from s2e_bare.unsupported import refuse_unknown

__all__ = ['actions', 'event_handlers', 'events', 'parameter_descriptions', 'substitutions']

__getattr__ = refuse_unknown('launch_ros')
