"""Runs the groups of checks in order; a check that breaks is itself a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from s2e_cli.doctor import compute, content, machine, ros
from s2e_cli.doctor.check import Check
from s2e_core.errors import ConfigError

Group = Callable[[], Iterator[Check]]

GROUPS: dict[str, Group] = {
    'machine': machine.checks,
    'ros': ros.checks,
    'transport': ros.transport_checks,
    'compute': compute.checks,
    'models': content.model_checks,
    'data': content.data_checks,
}


def run_checks(only: str | None = None) -> list[Check]:
    """Run every group, or one.

    Args:
        only: Name of a group; all when left out.

    Raises:
        ConfigError: If there is no such group.
    """
    if only is not None and only not in GROUPS:
        raise ConfigError(f'--only: no group {only!r}; choose from {", ".join(GROUPS)}')
    results: list[Check] = []
    for name, group in GROUPS.items():
        if only in (None, name):
            results += _guarded(name, group)
    return results


def _guarded(name: str, group: Group) -> Iterator[Check]:
    try:
        yield from group()
    except Exception as error:  # a broken library must not hide the other findings
        text = f'{type(error).__name__}: {error}'.splitlines()[0]
        yield Check(name, 'check itself', 'fail', text, 'run `s2e --traceback doctor`')
