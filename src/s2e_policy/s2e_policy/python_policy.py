"""Policies of one's own in Python: `python:FILE.py:NAME` names what makes one."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from s2e_core.contract import Policy, PolicySpec
from s2e_policy.errors import PolicyError

PREFIX = 'python:'


@dataclass(frozen=True)
class PythonName:
    """A parsed name."""

    file: Path
    maker: str
    """Class or function without arguments."""

    def __str__(self) -> str:
        return f'{PREFIX}{self.file}:{self.maker}'


def is_python(name: str) -> bool:
    """Whether a policy's name is one of Python code."""
    return name.startswith(PREFIX)


def parse_python(name: str) -> PythonName:
    """Parse ``python:FILE.py:NAME``; the file's path becomes absolute.

    Raises:
        PolicyError: Not of this form, or there is no such file.
    """
    file, colon, maker = name.removeprefix(PREFIX).rpartition(':')
    path = Path(file).expanduser()
    if not colon or not maker.isidentifier() or path.suffix != '.py':
        raise PolicyError(f'a policy in Python is named {PREFIX}FILE.py:NAME, got {name!r}')
    if not path.is_file():
        raise PolicyError(f'{name}: no such file: {path}')
    return PythonName(path.resolve(), maker)


def open_python(name: PythonName) -> tuple[Policy, str]:
    """Run the file and make the policy.

    The code has all rights of this process: run only what you would run anyway.

    Returns:
        **policy**: The policy.
        **digest**: sha256 of the file; what it imports is not in it.

    Raises:
        PolicyError: The file fails, or what it makes is no policy.
    """
    digest = hashlib.sha256(name.file.read_bytes()).hexdigest()
    try:
        maker = getattr(_module(name.file, digest), name.maker)
    except AttributeError:
        raise PolicyError(f'{name.file}: has no {name.maker!r}') from None
    except Exception as error:
        raise PolicyError(f'{name.file}: {type(error).__name__}: {error}') from error
    try:
        policy: Any = cast(Callable[[], Any], maker)()
    except Exception as error:
        raise PolicyError(f'{name}: {type(error).__name__}: {error}') from error
    for method in ('infer', 'reset'):
        if not callable(getattr(policy, method, None)):
            raise PolicyError(f'{name}: a policy needs a method {method}, see s2e_core.contract')
    if not isinstance(getattr(policy, 'spec', None), PolicySpec):
        raise PolicyError(f'{name}: a policy needs a spec of type s2e_core.contract.PolicySpec')
    return policy, digest


def _module(file: Path, digest: str) -> ModuleType:
    """Import a file under a name of its own, so that two of one name do not meet."""
    title = f'_s2e_policy_{digest[:16]}'
    if title in sys.modules:
        return sys.modules[title]
    spec = importlib.util.spec_from_file_location(title, file)
    if spec is None or spec.loader is None:
        raise ImportError(f'cannot be imported: {file}')
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while they are made.
    sys.modules[title] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[title]
        raise
    return module
