"""Clear refusals: a name or an argument that the stand-in does not have is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2e_bare.errors import UnsupportedFeatureError, UnsupportedImportError


def refuse_unknown(module: str) -> Callable[[str], Any]:
    """Make a module `__getattr__` that names what a launch file asked for in vain.

    Args:
        module: Upstream name of the module, e.g. `launch.actions`.
    """

    def refuse(name: str) -> Any:
        # Private names are probed by tools (pytest, inspect) that expect AttributeError.
        if name.startswith('_'):
            raise AttributeError(f'module {module!r} has no attribute {name!r}')
        raise UnsupportedImportError(
            f'{module}.{name} is not supported by s2e_bare, the stand-in for a full ROS 2; '
            'install ROS 2 or leave it out of the launch file'
        )

    return refuse


def refuse_arguments(owner: object, unknown: Mapping[str, object]) -> None:
    """Raise when keyword arguments are left over that no class on the way has taken.

    Raises:
        UnsupportedFeatureError: Names the class and the first unknown argument.
    """
    for name, value in unknown.items():
        raise UnsupportedFeatureError(
            f'{type(owner).__name__}: argument {name!r} (value {value!r}) is not supported by '
            's2e_bare, the stand-in for a full ROS 2'
        )
