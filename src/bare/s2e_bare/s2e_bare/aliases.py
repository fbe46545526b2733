"""Put the stand-in modules in place under the upstream names, and only there."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

from s2e_bare.errors import RealRosPresentError, UnsupportedImportError

OWNED = ('launch', 'launch_ros')
_OURS = 's2e_bare'


def real_launch_present() -> bool:
    """Tell whether a `launch_ros` that is not ours can be imported.

    A bare folder of that name (a namespace package, for instance one in the current
    directory) does not count: the real one has an `__init__.py`.
    """
    loaded = sys.modules.get('launch_ros')
    if loaded is not None:
        return not loaded.__name__.startswith(f'{_OURS}.')
    spec = importlib.util.find_spec('launch_ros')
    return spec is not None and spec.has_location


def installed() -> bool:
    """Tell whether the stand-in already answers to the upstream names."""
    loaded = sys.modules.get('launch_ros')
    return loaded is not None and loaded.__name__.startswith(f'{_OURS}.')


def install(*, required: bool = False) -> bool:
    """Answer to `launch` and `launch_ros` from now on, unless the real ones exist.

    Args:
        required: Raise instead of returning False when the real ones exist.

    Returns:
        True when the stand-in is in place, False when the real packages are there and
        nothing was touched.

    Raises:
        RealRosPresentError: The real `launch_ros` exists and `required` is set.
    """
    if installed():
        return True
    if real_launch_present():
        if required:
            raise RealRosPresentError(
                'launch_ros is installed here: the stand-in stays out of its way'
            )
        return False
    for name in OWNED:
        _alias(name, importlib.import_module(f'{_OURS}.{name}'))
    sys.meta_path.insert(0, _AliasFinder())
    below = tuple(f'{_OURS}.{name}.' for name in OWNED)
    for name in [name for name in sys.modules if name.startswith(below)]:
        _alias(name.removeprefix(f'{_OURS}.'), sys.modules[name])
    if importlib.util.find_spec('ament_index_python') is None:
        _alias('ament_index_python', importlib.import_module(f'{_OURS}.ament_index'))
        _alias('ament_index_python.packages', sys.modules['ament_index_python'])
    return True


def _alias(name: str, module: ModuleType) -> None:
    sys.modules[name] = module


class _AliasFinder(importlib.abc.MetaPathFinder):
    """Keeps `launch.x` from being loaded a second time from our own folder.

    Python would otherwise find `launch/x.py` through the package's `__path__` and make a
    second copy of every class in it, for which no isinstance check holds.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Serve a submodule of ours under its upstream name, or refuse it by name."""
        if not fullname.startswith(tuple(f'{name}.' for name in OWNED)):
            return None
        if importlib.util.find_spec(f'{_OURS}.{fullname}') is None:
            raise UnsupportedImportError(
                f'module {fullname} is not supported by s2e_bare, the stand-in for a full ROS 2',
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, _AliasLoader())


class _AliasLoader(importlib.abc.Loader):
    """Hands out the module that is already loaded under our own name."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return our module itself."""
        return importlib.import_module(f'{_OURS}.{spec.name}')

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module ran when it was imported under our name."""
