"""Base of events."""

from __future__ import annotations


class Event:
    """Something that happened; handlers that match it answer with entities."""

    name = 'launch.Event'
