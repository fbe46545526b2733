"""How a run ended, in words for its participant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = {
    'success': 'The goal was reached in {duration:.1f} s',
    'timed_out': 'The time of {duration:.0f} s is up before the goal was reached',
}


def result_text(outcome: str, scores: Mapping[str, Any]) -> str:
    """Say how a run ended.

    Args:
        outcome: As in the episode's log.
        scores: Its scores.
    """
    known = TEXTS.get(outcome, 'The run ended: ' + outcome.replace('_', ' '))
    text = known.format(duration=float(scores['duration']))
    count = int(scores['collisions'])
    touched = f', with {count} collision{"s" if count > 1 else ""}' if count else ''
    return f'{text}{touched}.'
