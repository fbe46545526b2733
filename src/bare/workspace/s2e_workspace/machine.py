"""What the machine must have before anything is downloaded."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from s2e_workspace.errors import WorkspaceError

OLDEST = (3, 10)
NEWEST = (3, 13)

# A sourced ROS or another environment must not leak into ours: its modules are built for another
# Python and NumPy. The bootstrap mark would keep our wheels from finding their own libraries.
FOREIGN_VARIABLES = (
    'AMENT_PREFIX_PATH',
    'CMAKE_PREFIX_PATH',
    'COLCON_PREFIX_PATH',
    'LD_LIBRARY_PATH',
    'MAKEFLAGS',  # of the make that called us: its jobs and variables are not for cmake
    'MAKELEVEL',
    'MFLAGS',
    'PYTHONHOME',
    'PYTHONPATH',
    '_ROS_WHEELS_BOOTSTRAP_COMPLETE',
)


def supported(version: Sequence[int]) -> bool:
    """Return whether wheels of everything exist for a Python version."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def check_python(version: Sequence[int] = tuple(sys.version_info[:3])) -> None:
    """Refuse a Python for which there are no wheels.

    Raises:
        WorkspaceError: Names the version, the supported range, and a Python of this machine
            that would do.
    """
    if supported(version):
        return
    have = '.'.join(str(part) for part in version[:3])
    others = [f'python3.{minor}' for minor in (12, 11, 13, 10) if _works(f'python3.{minor}')]
    hint = f'try: make PYTHON={others[0]}' if others else 'install one, e.g. Python 3.12'
    raise WorkspaceError(
        f'needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, '
        f'but {sys.executable} is Python {have}; {hint}'
    )


def check_machine(machine: str | None = None, system: str | None = None) -> None:
    """Refuse a machine for which there are no ROS wheels.

    Raises:
        WorkspaceError: Names the machine and the way that works there.
    """
    machine = platform.machine() if machine is None else machine
    system = platform.system() if system is None else system
    if system != 'Linux' or machine not in ('x86_64', 'AMD64'):
        raise WorkspaceError(
            f'ROS 2 wheels exist for Linux on x86-64, but this is {system} on {machine}; '
            'use a ROS 2 installation (README, "With a full ROS 2") or the image in docker/'
        )


def compiler(environment: Mapping[str, str] = os.environ) -> str:
    """Return the C++ compiler, `$CXX` first.

    Raises:
        WorkspaceError: If there is none.
    """
    wanted = environment.get('CXX', '')
    for name in (wanted, 'c++', 'g++', 'clang++'):
        found = shutil.which(name, path=environment.get('PATH')) if name else None
        if found:
            return found
    raise WorkspaceError(
        'no C++ compiler (looked for $CXX, c++, g++, clang++): '
        'two message packages are compiled; e.g. apt install g++'
    )


def check_headers(include: str | None = None) -> None:
    """Refuse a Python without its C headers or without pip.

    Raises:
        WorkspaceError: Names the missing part and the package that brings it.
    """
    folder = Path(include or sysconfig.get_path('include'))
    if not (folder / 'Python.h').is_file():
        raise WorkspaceError(
            f'{sys.executable} has no C headers ({folder}/Python.h is missing): '
            'e.g. apt install python3-dev'
        )


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment without the traces of another ROS or Python environment."""
    return {k: v for k, v in environment.items() if k not in FOREIGN_VARIABLES}


def full_ros(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the name of the ROS 2 installation that is sourced here, if any.

    Only a prefix with launch_ros counts: our own environment has message packages, too.
    """
    for prefix in environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        marker = Path(prefix, 'share/ament_index/resource_index/packages/launch_ros')
        if prefix and marker.is_file():
            return environment.get('ROS_DISTRO') or prefix
    return None


def check_no_full_ros(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to put wheels and stand-ins where a real ROS 2 is in use.

    Raises:
        WorkspaceError: Names the installation and the commands that build with it.
    """
    name = full_ros(environment)
    if name is not None:
        raise WorkspaceError(
            f'ROS 2 {name} is sourced in this shell, so nothing needs to stand in for it: build '
            'with rosdep and colcon (README, "With a full ROS 2"), or use a shell without it'
        )


def _works(name: str) -> bool:
    path = shutil.which(name)
    if path is None:
        return False
    return subprocess.run([path, '-c', 'import venv'], capture_output=True).returncode == 0
