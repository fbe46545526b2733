"""Launch files in Python."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
from pathlib import Path

from s2e_bare.errors import UnsupportedFeatureError
from s2e_bare.launch.launch_description import LaunchDescription
from s2e_bare.launch.launch_description_source import LaunchDescriptionSource
from s2e_bare.launch.substitution import SomeSubstitutionsType


class InvalidPythonLaunchFileError(Exception):
    """A launch file has no usable `generate_launch_description`."""


def load_python_launch_file(path: str | os.PathLike[str]) -> LaunchDescription:
    """Run a Python launch file and return its description.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidPythonLaunchFileError: It has no `generate_launch_description`, or that does
            not return a LaunchDescription.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f'launch file {str(file)!r} does not exist')
    loader = importlib.machinery.SourceFileLoader('python_launch_file', str(file))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    if spec is None:
        raise InvalidPythonLaunchFileError(f'launch file {str(file)!r} cannot be loaded')
    module = importlib.util.module_from_spec(spec)
    # A launch file is often in a source tree or a read-only share folder: leave no cache there.
    exec(compile(file.read_bytes(), str(file), 'exec'), vars(module))
    generate = getattr(module, 'generate_launch_description', None)
    if not callable(generate):
        raise InvalidPythonLaunchFileError(
            f'launch file {str(file)!r} has no function generate_launch_description()'
        )
    description = generate()
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(
            f'launch file {str(file)!r}: generate_launch_description() must return a '
            f'LaunchDescription, got {description!r}'
        )
    return description


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file in Python."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Hold the path."""
        super().__init__(location=launch_file_path, method='interpreted python launch file')

    def _load(self, location: str) -> LaunchDescription:
        return load_python_launch_file(location)


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file of any kind upstream knows; here Python is the one that runs."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Hold the path."""
        super().__init__(location=launch_file_path, method='any launch file')

    def _load(self, location: str) -> LaunchDescription:
        if Path(location).suffix != '.py':
            raise UnsupportedFeatureError(
                f'launch file {location!r}: s2e_bare, the stand-in for a full ROS 2, runs '
                'Python launch files only'
            )
        return load_python_launch_file(location)
