"""Base of substitutions: text that is known only when the description runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class SubstitutionFailure(RuntimeError):  # noqa: N818 - upstream's name
    """A substitution cannot be performed; the message says why."""


class Substitution:
    """Text that is worked out in a launch context."""

    def perform(self, context: LaunchContext) -> str:
        """Give the text."""
        raise TypeError(f'{type(self).__name__} does not define perform()')

    def describe(self) -> str:
        """Describe the substitution as `--show-args` prints it."""
        return f'{type(self).__name__}()'


class TextSubstitution(Substitution):
    """Fixed text."""

    def __init__(self, *, text: str) -> None:
        """Hold the text."""
        if not isinstance(text, str):
            raise TypeError(f'TextSubstitution: text must be a str, got {text!r}')
        self.text = text

    def perform(self, context: LaunchContext) -> str:
        """Give the text."""
        return self.text

    def describe(self) -> str:
        """Quote the text."""
        return f"'{self.text}'"


SomeSubstitutionsType = str | Path | Substitution | Iterable[str | Path | Substitution]


def normalize_to_list_of_substitutions(value: SomeSubstitutionsType) -> list[Substitution]:
    """Turn text, a path, a substitution or a sequence of these into substitutions.

    Raises:
        TypeError: The value, or one in the sequence, is none of these.
    """
    if isinstance(value, Substitution):
        return [value]
    if isinstance(value, (str, Path)):
        return [TextSubstitution(text=str(value))]
    if isinstance(value, Iterable):
        found: list[Substitution] = []
        for item in value:
            if not isinstance(item, (str, Path, Substitution)):
                raise TypeError(
                    'expected text or a substitution (upstream accepts nothing else here), '
                    f'got {item!r} of type {type(item).__name__}'
                )
            found += normalize_to_list_of_substitutions(item)
        return found
    raise TypeError(
        'expected text, a path, a substitution or a sequence of these, '
        f'got {value!r} of type {type(value).__name__}'
    )


def perform_substitutions(context: LaunchContext, subs: Iterable[Substitution]) -> str:
    """Perform substitutions and join their text."""
    return ''.join(sub.perform(context) for sub in subs)


def perform_text(context: LaunchContext, value: SomeSubstitutionsType) -> str:
    """Normalize and perform in one step."""
    return perform_substitutions(context, normalize_to_list_of_substitutions(value))


def describe_substitutions(value: SomeSubstitutionsType) -> str:
    """Describe a value as `--show-args` prints a default."""
    return ' + '.join(sub.describe() for sub in normalize_to_list_of_substitutions(value))
