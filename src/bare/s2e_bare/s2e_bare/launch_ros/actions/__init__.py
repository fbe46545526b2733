"""Stand-in for `launch_ros.actions`."""

from __future__ import annotations

from s2e_bare.launch_ros.actions.globals import (
    PushROSNamespace,
    PushRosNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    SetROSLogDir,
    SetUseSimTime,
)
from s2e_bare.launch_ros.actions.lifecycle_node import LifecycleNode
from s2e_bare.launch_ros.actions.node import Node
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'LifecycleNode',
    'Node',
    'PushROSNamespace',
    'PushRosNamespace',
    'SetParameter',
    'SetParametersFromFile',
    'SetROSLogDir',
    'SetRemap',
    'SetUseSimTime',
]

__getattr__ = refuse_unknown('launch_ros.actions')
