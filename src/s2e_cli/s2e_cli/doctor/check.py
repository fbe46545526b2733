"""The result of one check."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Literal

Level = Literal['ok', 'warn', 'fail', 'skip']


@dataclass(frozen=True)
class Check:
    """One line of the doctor's table."""

    group: str
    """What it belongs to, e.g. `ros`."""

    name: str
    """What was looked at."""

    level: Level
    """`warn`: something works less well; `fail`: something does not work at all; `skip`: what it
    needs is not here, so nothing is known."""

    detail: str
    """What was found."""

    fix: str = ''
    """How to mend it; empty when there is nothing to mend."""


def version_of(*distributions: str) -> str | None:
    """Return the version of the first distribution that is installed."""
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
