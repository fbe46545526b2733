"""Matchers of node actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def matches_node_name(node_name: str) -> Callable[[Any], bool]:
    """Make a matcher that accepts the node of a full name; the first slash may be left out."""
    wanted = node_name if node_name.startswith('/') else f'/{node_name}'
    return lambda action: getattr(action, 'node_name', None) == wanted
