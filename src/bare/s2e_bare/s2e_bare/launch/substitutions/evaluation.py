"""Substitutions that run something: a Python expression or a command."""

from __future__ import annotations

import importlib
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from s2e_bare.unsupported import refuse_arguments

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

_ON_STDERR = ('fail', 'ignore', 'warn', 'capture')


class PythonExpression(Substitution):
    """Result of a Python expression; launch files are code already, so it is trusted as such."""

    def __init__(
        self,
        expression: SomeSubstitutionsType,
        python_modules: SomeSubstitutionsType = ('math',),
        **unknown: Any,
    ) -> None:
        """Hold the expression and the modules it may use.

        Args:
            expression: Text and substitutions that make up the expression.
            python_modules: Their names, and their members without a prefix, are known to it.
            **unknown: Refused by name.
        """
        refuse_arguments(self, unknown)
        self._expression = normalize_to_list_of_substitutions(expression)
        self._modules = normalize_to_list_of_substitutions(python_modules)

    def perform(self, context: LaunchContext) -> str:
        """Evaluate."""
        known: dict[str, Any] = {}
        for name in (sub.perform(context) for sub in self._modules):
            module = importlib.import_module(name)
            known[name.split('.')[0]] = importlib.import_module(name.split('.')[0])
            if name == 'math':
                known.update(vars(module))
        text = perform_substitutions(context, self._expression)
        try:
            return str(eval(text, {}, known))
        except Exception as error:
            raise SubstitutionFailure(
                f'Python expression {text!r} failed: {type(error).__name__}: {error}'
            ) from error

    def describe(self) -> str:
        """Show the expression."""
        return f'PythonExpr({describe_substitutions(self._expression)})'


class Command(Substitution):
    """Standard output of a command that runs when the description does."""

    def __init__(
        self,
        command: SomeSubstitutionsType,
        *,
        on_stderr: SomeSubstitutionsType = 'fail',
        **unknown: Any,
    ) -> None:
        """Hold the command line.

        Args:
            command: One command line, split as a shell would.
            on_stderr: `fail`, `ignore`, `warn` or `capture` when it writes to stderr.
            **unknown: Refused by name.
        """
        refuse_arguments(self, unknown)
        self._command = normalize_to_list_of_substitutions(command)
        self._on_stderr = normalize_to_list_of_substitutions(on_stderr)

    def perform(self, context: LaunchContext) -> str:
        """Run the command and give its output.

        Raises:
            SubstitutionFailure: It is missing, exits non-zero, or writes to stderr where
                that counts as a failure.
        """
        line = perform_substitutions(context, self._command)
        policy = perform_substitutions(context, self._on_stderr)
        if policy not in _ON_STDERR:
            raise SubstitutionFailure(
                f'Command: on_stderr must be one of {list(_ON_STDERR)}, got {policy!r}'
            )
        try:
            done = subprocess.run(
                shlex.split(line),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=dict(context.environment),
                check=False,
            )
        except OSError as error:
            raise SubstitutionFailure(f'command {line!r}: {error.strerror}') from error
        if done.returncode != 0:
            raise SubstitutionFailure(
                f'command {line!r} exited with {done.returncode}: {done.stderr.strip()}'
            )
        return self._judge(line, policy, done)

    def _judge(self, line: str, policy: str, done: subprocess.CompletedProcess[str]) -> str:
        if not done.stderr or policy == 'ignore':
            return done.stdout
        if policy == 'capture':
            return done.stdout + done.stderr
        message = f'command {line!r} wrote to stderr: {done.stderr.strip()}'
        if policy == 'fail':
            raise SubstitutionFailure(message)
        from s2e_bare.launch.logging import get_logger

        get_logger('launch').warning(message)
        return done.stdout

    def describe(self) -> str:
        """Show the command line."""
        return f'Command({describe_substitutions(self._command)})'
