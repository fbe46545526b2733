"""How a run ended, in words for its participant."""

from __future__ import annotations

from s2e_nav.study.world import Result

TEXTS = {
    'success': 'The goal was reached in {duration:.1f} s',
    'timed_out': 'The run ended after {duration:.0f} s, before the goal was reached',
}


def result_text(result: Result) -> str:
    """Say how a run ended."""
    known = TEXTS.get(result.outcome, 'The run ended: ' + result.outcome.replace('_', ' '))
    text, count = known.format(duration=result.duration), result.collisions
    touched = f', with {count} collision{"s" if count > 1 else ""}' if count else ''
    return f'{text}{touched}.'
