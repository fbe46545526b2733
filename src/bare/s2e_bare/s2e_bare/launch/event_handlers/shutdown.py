"""Handler of the end of the launch."""

from __future__ import annotations

from typing import Any

from s2e_bare.launch.event_handler import EventHandler
from s2e_bare.launch.events.shutdown import Shutdown


class OnShutdown(EventHandler):
    """Answers the end of the launch, once."""

    def __init__(self, *, on_shutdown: object, **kwargs: Any) -> None:
        """Hold the answer: entities, or a function of event and context."""
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown), entities=on_shutdown, **kwargs
        )
