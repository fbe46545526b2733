"""Upstream's module of the type alias for entity arguments."""

from __future__ import annotations

from collections.abc import Iterable

from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.unsupported import refuse_unknown

SomeEntitiesType = LaunchDescriptionEntity | Iterable[LaunchDescriptionEntity]

__all__ = ['SomeEntitiesType']

__getattr__ = refuse_unknown('launch.some_entities_type')
