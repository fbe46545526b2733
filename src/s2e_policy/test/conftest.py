"""Shared fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope='session')
def tiny() -> ModuleType:
    """The module that writes tiny bundles."""
    return load('make_bundle')


@pytest.fixture(scope='session')
def published() -> ModuleType:
    """The module that writes stand-ins for other people's published graphs."""
    return load('make_published')


def load(name: str) -> ModuleType:
    """Import a file that lies beside this one."""
    path = Path(__file__).with_name(f'{name}.py')
    spec = importlib.util.spec_from_file_location(f's2e_policy_{name}', path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
