"""The doctor's results as text and as records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from s2e_cli.doctor.check import Check

COLOURS = {'ok': '\x1b[32m', 'warn': '\x1b[33m', 'fail': '\x1b[31m', 'skip': '\x1b[2m'}
RESET = '\x1b[0m'


def to_records(checks: Sequence[Check]) -> dict[str, Any]:
    """Return a JSON-ready mapping: the worst level, and every check."""
    levels = [check.level for check in checks]
    worst = next((level for level in ('fail', 'warn') if level in levels), 'ok')
    return {'level': worst, 'checks': [asdict(check) for check in checks]}


def render_table(checks: Sequence[Check], *, colour: bool = False) -> str:
    """Return one line per check, a line with the remedy below each that needs one, and a sum.

    Args:
        checks: Results, grouped.
        colour: Whether to mark levels with terminal colours.
    """
    lines: list[str] = []
    width = max((len(check.name) for check in checks), default=0)
    group = ''
    for check in checks:
        if check.group != group:
            group = check.group
            lines.append(f'{group}')
        level = f'{check.level:<4s}'
        if colour:
            level = f'{COLOURS[check.level]}{level}{RESET}'
        lines.append(f'  {level}  {check.name:<{width}s}  {check.detail}')
        if check.fix and check.level != 'ok':
            lines.append(f'  {"":4s}  {"":{width}s}  -> {check.fix}')
    counts = {level: sum(c.level == level for c in checks) for level in COLOURS}
    lines.append(f'{counts["ok"]} ok, {counts["warn"]} warnings, {counts["fail"]} failures')
    if counts['skip']:
        lines[-1] += f', {counts["skip"]} not tried'
    return '\n'.join(lines)
