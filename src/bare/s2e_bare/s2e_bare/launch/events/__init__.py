"""Stand-in for `launch.events`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2e_bare.launch.events import process
from s2e_bare.launch.events.shutdown import Shutdown
from s2e_bare.unsupported import refuse_unknown

__all__ = ['Shutdown', 'matches_action', 'process']


def matches_action(target_action: object) -> Callable[[Any], bool]:
    """Make a matcher that accepts one action only."""
    return lambda action: action is target_action


__getattr__ = refuse_unknown('launch.events')
