"""Conditions: If, Unless and comparisons of launch configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2e_bare.launch.condition import Condition, InvalidConditionExpressionError
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_text,
)
from s2e_bare.unsupported import refuse_unknown

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

__all__ = [
    'IfCondition',
    'InvalidConditionExpressionError',
    'LaunchConfigurationEquals',
    'LaunchConfigurationNotEquals',
    'UnlessCondition',
    'evaluate_condition_expression',
]

TRUE_TEXTS = ('true', '1')
FALSE_TEXTS = ('false', '0')


def parse_truth(text: str) -> bool:
    """Read `true`, `1`, `false` or `0`, in any case.

    Raises:
        InvalidConditionExpressionError: Any other text.
    """
    word = text.strip().lower()
    if word in TRUE_TEXTS:
        return True
    if word in FALSE_TEXTS:
        return False
    raise InvalidConditionExpressionError(
        f'invalid condition expression, expected one of {[*TRUE_TEXTS, *FALSE_TEXTS]}, '
        f'got {text!r}'
    )


def evaluate_condition_expression(context: LaunchContext, expression: list[Substitution]) -> bool:
    """Perform substitutions and read the text as true or false."""
    return parse_truth(perform_substitutions(context, expression))


class IfCondition(Condition):
    """True when the expression is true."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        """Hold the expression."""
        self._expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(
            predicate=lambda context: evaluate_condition_expression(context, self._expression)
        )

    def describe(self) -> str:
        """Describe the expression."""
        return f'IfCondition({" + ".join(sub.describe() for sub in self._expression)})'


class UnlessCondition(Condition):
    """True when the expression is false."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        """Hold the expression."""
        self._expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(
            predicate=lambda context: not evaluate_condition_expression(context, self._expression)
        )

    def describe(self) -> str:
        """Describe the expression."""
        return f'UnlessCondition({" + ".join(sub.describe() for sub in self._expression)})'


class LaunchConfigurationEquals(Condition):
    """True when a launch configuration has this value; None means that it is not set."""

    def __init__(
        self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None
    ) -> None:
        """Hold the name and the value."""
        self._name = launch_configuration_name
        self._expected = expected_value
        super().__init__(predicate=self._equal)

    def _equal(self, context: LaunchContext) -> bool:
        value = context.launch_configurations.get(self._name)
        if self._expected is None or value is None:
            return value is None and self._expected is None
        return value == perform_text(context, self._expected)


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """True when a launch configuration has another value."""

    def _equal(self, context: LaunchContext) -> bool:
        return not super()._equal(context)


__getattr__ = refuse_unknown('launch.conditions')
