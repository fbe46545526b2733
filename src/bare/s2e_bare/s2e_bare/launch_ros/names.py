"""ROS names and namespaces as launch files write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

NAMESPACE_KEY = 'ros_namespace'
_NODE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
_NAMESPACE = re.compile(r'/|(/[A-Za-z_][A-Za-z0-9_]*)+')


def join_namespace(base: str | None, extra: str | None) -> str | None:
    """Put a namespace below another; an absolute one stands for itself.

    Returns:
        None when neither is given; an empty one stands for the root.
    """
    if not extra:
        return extra if base is None else base
    if extra.startswith('/') or not base:
        return extra
    return f'{base.rstrip("/")}/{extra}'


def absolute(namespace: str) -> str:
    """Make a namespace absolute and check it.

    Raises:
        ValueError: A part is not a letter or underscore followed by letters, digits and
            underscores.
    """
    found = namespace if namespace.startswith('/') else f'/{namespace}'
    found = found.rstrip('/') or '/'
    if _NAMESPACE.fullmatch(found) is None:
        raise ValueError(f'namespace {namespace!r} is not valid: parts must match {_NODE.pattern}')
    return found


def check_node_name(name: str) -> str:
    """Check a node name and give it back.

    Raises:
        ValueError: It is not a letter or underscore followed by letters, digits, underscores.
    """
    if _NODE.fullmatch(name) is None:
        raise ValueError(f'node name {name!r} is not valid: it must match {_NODE.pattern}')
    return name


def current_namespace(context: LaunchContext) -> str | None:
    """Give the namespace that PushRosNamespace has built up, None when there is none."""
    return context.launch_configurations.get(NAMESPACE_KEY)
