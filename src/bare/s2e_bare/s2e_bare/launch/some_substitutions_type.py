"""Upstream's module of the type alias for substitution arguments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from s2e_bare.launch.substitution import SomeSubstitutionsType, Substitution
from s2e_bare.unsupported import refuse_unknown

SomeSubstitutionsType_types_tuple = (str, Path, Substitution, Iterable)

__all__ = ['SomeSubstitutionsType', 'SomeSubstitutionsType_types_tuple']

__getattr__ = refuse_unknown('launch.some_substitutions_type')
