"""What one episode is: enough to run it again to the byte."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from navbench_gs.errors import TaskError
from s2e_core.se2 import Pose2

Task = Literal['empty', 'obstacle', 'pedestrian', 'obstacle_pedestrian']
Behaviour = Literal['walk', 'stand', 'recorded']
TASKS: tuple[Task, ...] = get_args(Task)
TrackRow = tuple[float, float, float]
"""Seconds from the beginning of the episode, x, y in map, metres."""
_MAX_ROWS = 100_000
"""Of a track: eleven hours at 0.4 s."""


@dataclass(frozen=True)
class ObstacleSpec:
    """One thing put on the route; kind and seed determine its look and its shape."""

    kind: str
    """As in `scenes.objects.make_obstacle`: box, bin, bollard, cone, ... or CATALOGUE:NAME@DIGEST
    of a captured one."""
    seed: int
    """Seed of the object's look, size and mass."""
    x: float
    """Footprint centre, map, metres."""
    y: float
    """Footprint centre, map, metres."""
    yaw: float
    """Heading of the object's x axis in map, radians."""
    pushable: bool
    """Whether the robot can move it."""


@dataclass(frozen=True)
class PersonSpec:
    """One person and the two points between which they walk, back and forth."""

    seed: int
    """Seed of the person's look, height and gait."""
    start: tuple[float, float]
    """Where the person stands at time 0, map, metres."""
    goal: tuple[float, float]
    """Where the person walks to, map, metres; equal to `start` for one who stands."""
    speed: float
    """Preferred walking speed, m/s."""
    blind: bool
    """Whether the person takes no notice of the robot."""
    behaviour: Behaviour = 'walk'
    look: str = ''
    """CATALOGUE:NAME@DIGEST of a captured person; the seed's look when empty."""
    track: tuple[TrackRow, ...] = ()
    """Where a recorded person is when; times increase. Before and after it nobody is there."""
    group: int = 0
    """People of one number above 0 walk side by side."""
    wakes: float = 0.0
    """One who waits stands until the robot is this near, metres, and then walks; 0: at once."""

    def __post_init__(self) -> None:
        if (self.behaviour == 'recorded') != (len(self.track) > 1):
            raise TaskError(
                f'a recorded person must have a track of two rows or more and no other person '
                f'one, got {len(self.track)} rows for one who shall {self.behaviour!r}'
            )
        if self.group < 0 or not 0.0 <= self.wakes < math.inf:
            raise TaskError(
                f'group and wakes must be 0 or more, got {self.group} and {self.wakes}'
            )
        if not np.isfinite(np.array(self.track)).all():
            raise TaskError('a track must be finite, got a value that is not')
        if any(b[0] <= a[0] for a, b in itertools.pairwise(self.track)):
            raise TaskError('times of a track must increase')


@dataclass(frozen=True)
class EpisodeSpec:
    """One episode: scene, robot, route and everything that is put on it."""

    scene: str
    """The scene as given to `scenes.resolve.resolve_scene`, e.g. 'city:100'."""
    scene_hash: str
    """Hash of the scene bundle that the episode was drawn on."""
    robot: str
    """Name of the robot profile."""
    task: Task
    index: int
    """Number of the episode within its scene and task, from 0."""
    seed: int
    """Seed of everything random while the episode runs (drift, people)."""
    start: Pose2
    """map <- base_link at time 0."""
    goal: tuple[float, float]
    """Goal, map, metres."""
    geodesic: float
    """Length of the shortest free route from start to goal, metres."""
    straight: float
    """Straight distance from start to goal, metres."""
    corner_blocked: bool
    """Whether the straight segment, as wide as the footprint, hits static occupancy."""
    time_limit: float
    """Simulated seconds after which the episode has timed out."""
    obstacles: tuple[ObstacleSpec, ...] = ()
    people: tuple[PersonSpec, ...] = ()

    @property
    def id(self) -> str:
        """Name that is unique within a run and safe in file names: 'city-100_empty_003'."""
        scene = re.sub(r'[^A-Za-z0-9.-]+', '-', self.scene).strip('-.')
        return f'{scene}_{self.task}_{self.index:03d}'

    def to_mapping(self) -> dict[str, Any]:
        """Return the spec as plain JSON values; people have no key for what they have none of."""
        values = asdict(self)
        for person in values['people']:
            for name in ('look', 'track', 'group', 'wakes'):
                if not person[name]:
                    del person[name]
        return values

    @staticmethod
    def from_mapping(mapping: Mapping[str, Any]) -> EpisodeSpec:
        """Build a spec from `to_mapping` values.

        Raises:
            TaskError: a key is unknown or missing, or a value does not fit.
        """
        values = _known(EpisodeSpec, mapping)
        try:
            values['start'] = Pose2(**{k: float(v) for k, v in values['start'].items()})
            values['goal'] = _pair(values['goal'])
            values['obstacles'] = tuple(
                ObstacleSpec(**_known(ObstacleSpec, item)) for item in values['obstacles']
            )
            values['people'] = tuple(_person(item) for item in values['people'])
            if values['task'] not in TASKS:
                raise TaskError(f'task must be one of {TASKS}, got {values["task"]!r}')
            return EpisodeSpec(**values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TaskError(f'not an episode: {error}') from error

    def to_json(self) -> str:
        """Return the spec as one line of JSON; equal specs give equal bytes."""
        return json.dumps(self.to_mapping(), sort_keys=True, separators=(',', ':'))

    @staticmethod
    def from_json(text: str) -> EpisodeSpec:
        """Parse `to_json` output.

        Raises:
            TaskError: the text is not JSON or not an episode.
        """
        try:
            mapping = json.loads(text)
        except json.JSONDecodeError as error:
            raise TaskError(f'an episode must be JSON: {error}') from error
        if not isinstance(mapping, dict):
            raise TaskError(f'an episode must be a JSON object, got {type(mapping).__name__}')
        return EpisodeSpec.from_mapping(mapping)


def _person(item: Mapping[str, Any]) -> PersonSpec:
    values = _known(PersonSpec, item)
    track = values.get('track', ())
    if len(track) > _MAX_ROWS:
        raise TaskError(f'a track may have {_MAX_ROWS} rows, got {len(track)}')
    rows = tuple((float(t), float(x), float(y)) for t, x, y in track)
    return PersonSpec(**{
        **values, 'start': _pair(values['start']), 'goal': _pair(values['goal']), 'track': rows,
    })


def _pair(values: Any) -> tuple[float, float]:
    x, y = values
    return float(x), float(y)


def _known(cls: type, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping as a dict after refusing keys that the dataclass does not have."""
    names = {field.name for field in fields(cls)}
    unknown = sorted(set(mapping) - names)
    if unknown:
        raise TaskError(f'{cls.__name__} has no key {unknown[0]!r}; it has {sorted(names)}')
    return dict(mapping)
