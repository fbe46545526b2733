"""Stand-in for `launch.substitutions`."""

from __future__ import annotations

from s2e_bare.launch.substitution import SubstitutionFailure, TextSubstitution
from s2e_bare.launch.substitutions.configuration import (
    BooleanSubstitution,
    EnvironmentVariable,
    LaunchConfiguration,
    LaunchLogDir,
    LocalSubstitution,
    ThisLaunchFile,
    ThisLaunchFileDir,
)
from s2e_bare.launch.substitutions.evaluation import Command, PythonExpression
from s2e_bare.launch.substitutions.logic import (
    AllSubstitution,
    AndSubstitution,
    AnySubstitution,
    EqualsSubstitution,
    IfElseSubstitution,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
)
from s2e_bare.launch.substitutions.paths import (
    FileContent,
    FindExecutable,
    PathJoinSubstitution,
    PathSubstitution,
    StringJoinSubstitution,
)
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'AllSubstitution',
    'AndSubstitution',
    'AnySubstitution',
    'BooleanSubstitution',
    'Command',
    'EnvironmentVariable',
    'EqualsSubstitution',
    'FileContent',
    'FindExecutable',
    'IfElseSubstitution',
    'LaunchConfiguration',
    'LaunchLogDir',
    'LocalSubstitution',
    'NotEqualsSubstitution',
    'NotSubstitution',
    'OrSubstitution',
    'PathJoinSubstitution',
    'PathSubstitution',
    'PythonExpression',
    'StringJoinSubstitution',
    'SubstitutionFailure',
    'TextSubstitution',
    'ThisLaunchFile',
    'ThisLaunchFileDir',
]

__getattr__ = refuse_unknown('launch.substitutions')
