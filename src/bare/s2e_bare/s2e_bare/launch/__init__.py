"""Stand-in for `launch`, known under that name only where the real one is absent."""

from __future__ import annotations

from s2e_bare.launch import (
    actions,
    conditions,
    event_handlers,
    events,
    launch_description_sources,
    logging,
    some_entities_type,
    some_substitutions_type,
    substitutions,
    utilities,
)
from s2e_bare.launch.action import Action
from s2e_bare.launch.condition import Condition
from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler
from s2e_bare.launch.launch_context import LaunchContext
from s2e_bare.launch.launch_description import LaunchDescription
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.launch_description_source import LaunchDescriptionSource
from s2e_bare.launch.launch_service import LaunchService
from s2e_bare.launch.some_entities_type import SomeEntitiesType
from s2e_bare.launch.some_substitutions_type import (
    SomeSubstitutionsType,
    SomeSubstitutionsType_types_tuple,
)
from s2e_bare.launch.substitution import Substitution
from s2e_bare.unsupported import refuse_unknown

__all__ = [
    'Action',
    'Condition',
    'Event',
    'EventHandler',
    'LaunchContext',
    'LaunchDescription',
    'LaunchDescriptionEntity',
    'LaunchDescriptionSource',
    'LaunchService',
    'SomeEntitiesType',
    'SomeSubstitutionsType',
    'SomeSubstitutionsType_types_tuple',
    'Substitution',
    'actions',
    'conditions',
    'event_handlers',
    'events',
    'launch_description_sources',
    'logging',
    'some_entities_type',
    'some_substitutions_type',
    'substitutions',
    'utilities',
]

__getattr__ = refuse_unknown('launch')
