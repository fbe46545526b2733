"""Stand-in for `launch.actions`."""

from __future__ import annotations

from s2e_bare.launch.actions.arguments import DeclareLaunchArgument
from s2e_bare.launch.actions.configurations import (
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    ResetLaunchConfigurations,
    SetLaunchConfiguration,
    UnsetLaunchConfiguration,
)
from s2e_bare.launch.actions.control import (
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    UnregisterEventHandler,
)
from s2e_bare.launch.actions.environment import (
    AppendEnvironmentVariable,
    PopEnvironment,
    PushEnvironment,
    ReplaceEnvironmentVariables,
    ResetEnvironment,
    SetEnvironmentVariable,
    UnsetEnvironmentVariable,
)
from s2e_bare.launch.actions.execute_local import ExecuteLocal
from s2e_bare.launch.actions.execute_process import ExecuteProcess
from s2e_bare.launch.actions.group import GroupAction
from s2e_bare.launch.actions.include import IncludeLaunchDescription
from s2e_bare.launch.actions.timer import TimerAction
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'AppendEnvironmentVariable',
    'DeclareLaunchArgument',
    'EmitEvent',
    'ExecuteLocal',
    'ExecuteProcess',
    'GroupAction',
    'IncludeLaunchDescription',
    'LogInfo',
    'OpaqueFunction',
    'PopEnvironment',
    'PopLaunchConfigurations',
    'PushEnvironment',
    'PushLaunchConfigurations',
    'RegisterEventHandler',
    'ReplaceEnvironmentVariables',
    'ResetEnvironment',
    'ResetLaunchConfigurations',
    'SetEnvironmentVariable',
    'SetLaunchConfiguration',
    'Shutdown',
    'TimerAction',
    'UnregisterEventHandler',
    'UnsetEnvironmentVariable',
    'UnsetLaunchConfiguration',
]

__getattr__ = refuse_unknown('launch.actions')
