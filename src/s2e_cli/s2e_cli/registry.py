"""Finds the command modules without importing what they need to run."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from typing import Any, Protocol, cast

from s2e_cli import commands


class Command(Protocol):
    """What a module of `s2e_cli.commands` offers; heavy imports belong into `run`."""

    def add_parser(self, subparsers: argparse._SubParsersAction[Any]) -> None:
        """Add a parser named like the module."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the command; returns the exit code."""


def discover() -> dict[str, Command]:
    """Return the commands by name, in the order of their optional `ORDER`, then by name.

    Raises:
        TypeError: If a module lacks one of the two functions.
    """
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(commands.__path__):
        if info.name.startswith('_'):
            continue
        module = importlib.import_module(f'{commands.__name__}.{info.name}')
        for function in ('add_parser', 'run'):
            if not callable(getattr(module, function, None)):
                raise TypeError(f'{module.__name__} has no function {function}')
        found[info.name] = module
    ordered = sorted(found, key=lambda name: (getattr(found[name], 'ORDER', 100), name))
    return {name: cast(Command, found[name]) for name in ordered}
