"""Stand-in for `launch_ros.parameter_descriptions`: typed values and parameter files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.logging import launch_config
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    describe_substitutions,
    perform_text,
)
from s2e_bare.launch_ros.parameter_values import Value, evaluate_value
from s2e_bare.launch_ros.substitution_text import expand_text
from s2e_bare.unsupported import refuse_arguments, refuse_unknown

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

__all__ = ['Parameter', 'ParameterFile', 'ParameterValue']


class ParameterValue:
    """A parameter value with a type; without one substituted text is read as YAML."""

    def __init__(self, value: Any, *, value_type: Any = None, **unknown: Any) -> None:
        """Hold value and type.

        Args:
            value: A plain value, substitutions, or a list of these.
            value_type: `str`, `bool`, `int`, `float`, `List[...]` of one of them, or None.
            **unknown: Refused by name.
        """
        refuse_arguments(self, unknown)
        self.value = value
        self.value_type = value_type

    def evaluate(self, context: LaunchContext) -> Value:
        """Perform the substitutions and convert to the type."""
        return evaluate_value(context, self.value, self.value_type)

    def describe(self) -> str:
        """Show value and type."""
        return f'ParameterValue({self.value!r}, value_type={self.value_type!r})'


class Parameter:
    """A named parameter, given to the node as `-p name:=value`."""

    def __init__(
        self, name: SomeSubstitutionsType, value: Any, *, value_type: Any = None, **unknown: Any
    ) -> None:
        """Hold name, value and type."""
        refuse_arguments(self, unknown)
        self._name = name
        self._value = ParameterValue(value, value_type=value_type)

    def evaluate(self, context: LaunchContext) -> tuple[str, Value]:
        """Perform the substitutions."""
        return perform_text(context, self._name), self._value.evaluate(context)


class ParameterFile:
    """A YAML file of parameters, optionally with substitutions such as `$(var x)` inside."""

    def __init__(
        self,
        param_file: SomeSubstitutionsType,
        *,
        allow_substs: bool | SomeSubstitutionsType = False,
        **unknown: Any,
    ) -> None:
        """Hold path and choice."""
        refuse_arguments(self, unknown)
        self._path = param_file
        self._allow = allow_substs

    @property
    def param_file(self) -> SomeSubstitutionsType:
        """The path as given."""
        return self._path

    def evaluate(self, context: LaunchContext) -> Path:
        """Give the path to hand to the node, of a filled-in copy where substitutions are allowed.

        Raises:
            FileNotFoundError: There is no such file.
            SubstitutionFailure: A `$(...)` in it cannot be filled in.
        """
        path = Path(perform_text(context, self._path))
        allow = self._allow
        if not isinstance(allow, bool):
            allow = parse_truth(perform_text(context, allow))
        if not allow:
            return path
        text = expand_text(context, path.read_text(encoding='utf-8'))
        yaml.safe_load(text)
        return write_parameters(text)

    def describe(self) -> str:
        """Show the path."""
        return f'ParameterFile({describe_substitutions(self._path)})'


def write_parameters(text: str) -> Path:
    """Write a parameter file into the launch's log folder, where it can be looked at later."""
    handle, name = tempfile.mkstemp(
        prefix='launch_params_', suffix='.yaml', dir=launch_config.log_dir
    )
    with os.fdopen(handle, 'w', encoding='utf-8') as stream:
        stream.write(text)
    return Path(name)


__getattr__ = refuse_unknown('launch_ros.parameter_descriptions')
