"""Message, service and action types by their names."""

from __future__ import annotations

import importlib
from typing import Any

from s2e_bare.errors import CommandError

KINDS = ('msg', 'srv', 'action')


def split_type(name: str, kind: str) -> tuple[str, str]:
    """Split `pkg/msg/Name` or `pkg/Name` into package and name.

    Raises:
        CommandError: It is written in another way, or names another kind.
    """
    parts = name.split('/')
    if len(parts) == 2:
        parts.insert(1, kind)
    if len(parts) != 3 or parts[1] != kind or not all(parts):
        raise CommandError(f'type {name!r}: expected PACKAGE/{kind}/NAME')
    return parts[0], parts[2]


def load_type(name: str, kind: str) -> Any:
    """Import a message, service or action class.

    Args:
        name: `pkg/msg/Name`, the middle part may be left out.
        kind: `msg`, `srv` or `action`.

    Raises:
        CommandError: The package or the type is not installed.
    """
    package, short = split_type(name, kind)
    try:
        module = importlib.import_module(f'{package}.{kind}')
        return getattr(module, short)
    except (ImportError, AttributeError) as error:
        raise CommandError(
            f'type {name!r} cannot be loaded: {error}; is its package installed?'
        ) from error


def type_text(cls: Any) -> str:
    """Write a class as `pkg.kind.Name`, as upstream prints it."""
    return f'{cls.__module__.rsplit("._", 1)[0]}.{cls.__name__}'
