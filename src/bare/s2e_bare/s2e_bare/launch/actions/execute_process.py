"""The action that most launch files run commands with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from s2e_bare.launch.actions.execute_local import ExecuteLocal
from s2e_bare.launch.process_command import Environment, ProcessCommand
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    normalize_to_list_of_substitutions,
)


class ExecuteProcess(ExecuteLocal):
    """Runs a command."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Environment | None = None,
        additional_env: Environment | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the command; see `ProcessCommand` and `ExecuteLocal` for the arguments."""
        command = ProcessCommand(
            cmd=cmd, prefix=prefix, name=name, cwd=cwd, env=env, additional_env=additional_env
        )
        super().__init__(process_description=command, **kwargs)

    @property
    def cmd(self) -> list[list[Substitution]]:
        """The command as substitutions, one list per argument."""
        return [normalize_to_list_of_substitutions(p) for p in self.process_description.cmd]

    @property
    def name(self) -> str:
        """Name with its counter, once the action ran."""
        return self.process_description.final_name
