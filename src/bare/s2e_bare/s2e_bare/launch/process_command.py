"""The command line, folder and environment of a process action."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    describe_substitutions,
    perform_text,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Environment = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]

# Upstream numbers all processes of a launch in the order of their start: talker-1, listener-2.
_numbers = itertools.count(1)


def restart_numbers() -> None:
    """Number the processes from 1 again, for the next launch in this Python."""
    global _numbers
    _numbers = itertools.count(1)


class ProcessCommand:
    """What to run; upstream's `launch.descriptions.Executable`."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Environment | None = None,
        additional_env: Environment | None = None,
    ) -> None:
        """Hold the parts, not yet performed.

        Args:
            cmd: One element for each argument.
            prefix: Command line to put in front, e.g. of a debugger; by default the launch
                configuration `launch-prefix`, for names that match `launch-prefix-filter`.
            name: Name in messages, by default that of the program.
            cwd: Working directory.
            env: The whole environment.
            additional_env: Variables on top of the environment.

        Raises:
            TypeError: The command is one string; upstream takes a list.
        """
        if isinstance(cmd, str):
            raise TypeError(f'cmd must be a list with one element per argument, got {cmd!r}')
        self.cmd = list(cmd)
        self._prefix = prefix
        self._name = name
        self._cwd = cwd
        self._env = env
        self._additional = additional_env
        self.final_name = '<not prepared>'
        self.argv: list[str] = []
        self.working_directory: str | None = None
        self.environment: dict[str, str] = {}

    @property
    def has_env(self) -> bool:
        """True when the environment is not just that of the launch."""
        return self._env is not None or self._additional is not None

    def prepare(self, context: LaunchContext) -> None:
        """Perform all substitutions and take the next number."""
        argv = [perform_text(context, part) for part in self.cmd]
        if not argv or not argv[0]:
            raise ValueError(f'the command is empty: {[self._describe(p) for p in self.cmd]}')
        name = Path(argv[0]).name
        if self._name is not None:
            name = perform_text(context, self._name)
        self.final_name = f'{name}-{next(_numbers)}'
        self.argv = [*self._perform_prefix(context, name), *argv]
        self.working_directory = None if self._cwd is None else perform_text(context, self._cwd)
        self.environment = self._perform_environment(context)

    def describe(self) -> str:
        """Show the command, not yet performed."""
        return ', '.join(self._describe(part) for part in self.cmd)

    def _perform_prefix(self, context: LaunchContext, name: str) -> list[str]:
        if self._prefix is not None:
            return shlex.split(perform_text(context, self._prefix))
        wanted = context.launch_configurations.get('launch-prefix-filter')
        if wanted is not None and re.match(wanted, name) is None:
            return []
        return shlex.split(context.launch_configurations.get('launch-prefix', ''))

    def _perform_environment(self, context: LaunchContext) -> dict[str, str]:
        base = context.environment if self._env is None else _perform(context, self._env)
        found = dict(base)
        # Lines of a Python child must come when they are printed, not in blocks of 8 KiB.
        found.setdefault('PYTHONUNBUFFERED', '1')
        found.update(_perform(context, self._additional or {}))
        return found

    @staticmethod
    def _describe(part: SomeSubstitutionsType) -> str:
        return describe_substitutions(part)


def _perform(context: LaunchContext, environment: Environment) -> dict[str, str]:
    return {
        perform_text(context, name): perform_text(context, value)
        for name, value in environment.items()
    }
