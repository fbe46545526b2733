"""Shared fixtures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope='session')
def tiny() -> ModuleType:
    """The module that writes tiny bundles."""
    path = Path(__file__).with_name('make_bundle.py')
    spec = importlib.util.spec_from_file_location('s2e_policy_make_bundle', path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
