"""The event that ends a launch."""

from __future__ import annotations

from s2e_bare.launch.event import Event


class Shutdown(Event):
    """The launch is to end: children are stopped, timers cancelled."""

    name = 'launch.events.Shutdown'

    def __init__(self, *, reason: str = 'reason not given', due_to_sigint: bool = False) -> None:
        """Hold the reason and whether it was Ctrl-C."""
        self.reason = reason
        self.due_to_sigint = due_to_sigint
