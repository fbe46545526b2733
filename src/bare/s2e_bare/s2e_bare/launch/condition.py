"""Base of conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class InvalidConditionExpressionError(Exception):
    """A condition's text is neither true nor false."""


class Condition:
    """Decides whether an action runs, when the action is visited."""

    def __init__(self, *, predicate: Callable[[LaunchContext], bool] | None = None) -> None:
        """Hold the predicate; without one the condition is always true."""
        self._predicate = predicate
        self._last_result: bool | None = None

    def describe(self) -> str:
        """Describe the condition in one line."""
        return f'{type(self).__name__}()'

    def evaluate(self, context: LaunchContext) -> bool:
        """Decide, and remember the decision."""
        self._last_result = True if self._predicate is None else bool(self._predicate(context))
        return self._last_result

    @property
    def last_evaluation(self) -> bool | None:
        """Result of the newest evaluation, None before the first."""
        return self._last_result
