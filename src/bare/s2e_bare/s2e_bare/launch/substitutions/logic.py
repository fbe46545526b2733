"""Substitutions that decide: not, and, or, any, all, equals, if-else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


def _word(value: bool) -> str:
    return 'true' if value else 'false'


class _Operands(Substitution):
    """Holds normalized operands."""

    def __init__(self, *operands: SomeSubstitutionsType) -> None:
        self._operands = [normalize_to_list_of_substitutions(value) for value in operands]

    def _texts(self, context: LaunchContext) -> list[str]:
        return [perform_substitutions(context, value) for value in self._operands]

    def _truths(self, context: LaunchContext) -> list[bool]:
        return [parse_truth(text) for text in self._texts(context)]

    def describe(self) -> str:
        """Describe the operands."""
        parts = ', '.join(describe_substitutions(value) for value in self._operands)
        return f'{type(self).__name__}({parts})'


class NotSubstitution(_Operands):
    """True when the value is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        """Hold the value."""
        super().__init__(value)

    def perform(self, context: LaunchContext) -> str:
        """Negate."""
        return _word(not self._truths(context)[0])


class AndSubstitution(_Operands):
    """True when both values are true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        """Hold both values."""
        super().__init__(left, right)

    def perform(self, context: LaunchContext) -> str:
        """Combine."""
        return _word(all(self._truths(context)))


class OrSubstitution(_Operands):
    """True when one of the values is true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        """Hold both values."""
        super().__init__(left, right)

    def perform(self, context: LaunchContext) -> str:
        """Combine."""
        return _word(any(self._truths(context)))


class AllSubstitution(_Operands):
    """True when every value is true."""

    def perform(self, context: LaunchContext) -> str:
        """Combine."""
        return _word(all(self._truths(context)))


class AnySubstitution(_Operands):
    """True when at least one value is true."""

    def perform(self, context: LaunchContext) -> str:
        """Combine."""
        return _word(any(self._truths(context)))


def _comparable(value: Any) -> Any:
    """Let bools and numbers stand beside their text, as upstream does."""
    if isinstance(value, bool):
        return _word(value)
    return str(value) if isinstance(value, (int, float)) else value


def _equal(left: str, right: str) -> bool:
    """Compare as numbers where both read as numbers, as truths where both do, else as text."""
    if left == right:
        return True
    try:
        return math.isclose(float(left), float(right))
    except ValueError:
        pass
    words = {'true', 'false'}
    return left.lower() in words and left.lower() == right.lower()


class EqualsSubstitution(_Operands):
    """True when both values are equal."""

    def __init__(
        self,
        left: SomeSubstitutionsType | bool | float,
        right: SomeSubstitutionsType | bool | float,
    ) -> None:
        """Hold both values."""
        super().__init__(_comparable(left), _comparable(right))

    def perform(self, context: LaunchContext) -> str:
        """Compare."""
        left, right = self._texts(context)
        return _word(_equal(left, right))


class NotEqualsSubstitution(EqualsSubstitution):
    """True when the values differ."""

    def perform(self, context: LaunchContext) -> str:
        """Compare."""
        left, right = self._texts(context)
        return _word(not _equal(left, right))


class IfElseSubstitution(Substitution):
    """One text or the other, by a condition."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = '',
        else_value: SomeSubstitutionsType = '',
    ) -> None:
        """Hold the condition and both texts; at least one of them must be given."""
        if not if_value and not else_value:
            raise RuntimeError('IfElseSubstitution: give if_value or else_value')
        self._condition = normalize_to_list_of_substitutions(condition)
        self._values = [normalize_to_list_of_substitutions(v) for v in (if_value, else_value)]

    def perform(self, context: LaunchContext) -> str:
        """Choose."""
        chosen = 0 if parse_truth(perform_substitutions(context, self._condition)) else 1
        return perform_substitutions(context, self._values[chosen])

    def describe(self) -> str:
        """Describe the condition and both texts."""
        parts = [describe_substitutions(v) for v in (self._condition, *self._values)]
        return f'IfElseSubstitution({", ".join(parts)})'
