"""Stand-in for `launch.launch_description_sources`."""

from __future__ import annotations

from s2e_bare.launch.launch_description_sources.python_source import (
    AnyLaunchDescriptionSource,
    InvalidPythonLaunchFileError,
    PythonLaunchDescriptionSource,
    load_python_launch_file,
)
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'AnyLaunchDescriptionSource',
    'InvalidPythonLaunchFileError',
    'PythonLaunchDescriptionSource',
    'get_launch_description_from_python_launch_file',
]

get_launch_description_from_python_launch_file = load_python_launch_file

__getattr__ = refuse_unknown('launch.launch_description_sources')
