"""Every constant of the benchmark; the values in force are hashed into each report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from navbench_gs.tasks.recorded_rules import RecordedRules
from s2e_core.config import check, from_mapping, from_yaml, option, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config


@dataclass(frozen=True)
class RouteRules:
    """Which starts and goals make an episode."""

    geodesic_low: float = option(10.0, unit='m', low=1, high=500, help='Shortest free route.')
    geodesic_high: float = option(30.0, unit='m', low=1, high=500, help='Longest free route.')
    detour: float = option(1.5, low=1, high=10, help='Largest geodesic / straight.')
    heading: float = option(
        30.0, unit='deg', low=0, high=180, help='Start heading lies this close to the route.'
    )
    inflation: float = option(
        0.1, unit='m', low=0, high=2, help='The footprint grown by this still has a route.'
    )
    corner_share: float = option(
        0.6, low=0, high=1, help='Share of episodes whose straight line a corner blocks.'
    )
    draws: int = option(200, low=1, high=100000, help='Draws before a scene is given up.')

    def __post_init__(self) -> None:
        check(self, source='route')
        if self.geodesic_low >= self.geodesic_high:
            raise ConfigError(
                f'route: geodesic_low must be below geodesic_high, got {self.geodesic_low} and '
                f'{self.geodesic_high}'
            )


@dataclass(frozen=True)
class ObstacleRules:
    """What stands on the route in the tasks with obstacles."""

    per_area: float = option(
        8.0, unit='per 100 m^2', low=0, high=100, help='Obstacles on the corridor.'
    )
    corridor: float = option(2.0, unit='m', low=0.2, high=20, help='Corridor to each side.')
    pushable: float = option(0.5, low=0, high=1, help='Share that the robot can push.')
    kinds_pushable: tuple[str, ...] = option(
        ('box', 'cone', 'bin', 'crate'), help='Kinds that can be pushable, 2-15 kg.'
    )
    kinds_fixed: tuple[str, ...] = option(
        ('bollard', 'planter', 'bench', 'scooter', 'bin'), help='Kinds that stand fast.'
    )
    on_line: int = option(1, low=0, high=10, help='At least so many on the straight line.')
    keep_clear: float = option(
        1.0, unit='m', low=0, high=10, help='No obstacle this near to the start or goal footprint.'
    )
    gap: float = option(0.3, unit='m', low=0, high=5, help='Least gap between two obstacles.')

    def __post_init__(self) -> None:
        check(self, source='obstacle')


@dataclass(frozen=True)
class PeopleRules:
    """Who walks near the route in the tasks with people."""

    count: int = option(10, low=0, high=500, help='People near the route.')
    within: float = option(20.0, unit='m', low=1, high=200, help='Area around the route.')
    blind: float = option(0.4, low=0, high=1, help='Share that takes no notice of the robot.')
    standing: float = option(0.1, low=0, high=1, help='Share that stands still.')
    crossing: float = option(0.5, low=0, high=1, help='Share of walkers who cross the route.')
    speed_low: float = option(0.7, unit='m/s', low=0.1, high=3, help='Slowest walker.')
    speed_high: float = option(1.5, unit='m/s', low=0.1, high=3, help='Fastest walker.')
    walk_low: float = option(6.0, unit='m', low=1, high=100, help='Shortest walk.')
    walk_high: float = option(16.0, unit='m', low=1, high=100, help='Longest walk.')
    keep_clear: float = option(2.5, unit='m', low=0, high=10, help='Nobody starts nearer.')
    looks: tuple[str, ...] = option(
        (), help='Captured people, CATALOGUE:NAME; those who stand look like them.'
    )
    groups: float = option(
        0.0, low=0, high=1, help='Share of walkers who go side by side in twos and threes.'
    )
    group_gap: float = option(0.75, unit='m', low=0.6, high=3, help='Between two of a group.')
    waiting: float = option(
        0.0, low=0, high=1, help='Share of walkers who stand until the robot is near.'
    )
    wake_low: float = option(3.0, unit='m', low=0.5, high=50, help='Nearest they let it come.')
    wake_high: float = option(8.0, unit='m', low=0.5, high=50, help='Farthest that wakes them.')

    def __post_init__(self) -> None:
        check(self, source='people')
        if self.wake_low > self.wake_high:
            raise ConfigError(f'people: wake_low must not be above wake_high, got {self.wake_low} '
                              f'and {self.wake_high}')


_YOUNGER = {'looks': (), 'groups': ('group_gap',), 'waiting': ('wake_low', 'wake_high')}
"""Rules of people that the first protocols did not know, with those that say nothing alone."""


@dataclass(frozen=True)
class JudgeRules:
    """When an episode ends and what counts as what."""

    goal_radius: float = option(0.5, unit='m', low=0.05, high=5, help='True distance of success.')
    rest_speed: float = option(0.1, unit='m/s', low=0.01, high=1, help='Slower is at rest.')
    time_base: float = option(20.0, unit='s', low=0, high=600, help='Time limit: constant part.')
    time_factor: float = option(2.5, low=1, high=20, help='Time limit: times d / v_max.')
    v_max: float = option(1.5, unit='m/s', low=0.1, high=5, help='Cap on every robot.')
    debounce: float = option(
        1.0, unit='s', low=0.05, high=10,
        help='Contacts with one body this close count once; sustained ones once per such time.',
    )
    frozen_time: float = option(
        5.0, unit='s', low=0.5, high=60, help='Standing this long without reason is freezing.'
    )
    frozen_distance: float = option(
        0.2, unit='m', low=0.01, high=5, help='Moving less than this is standing.'
    )
    lost_distance: float = option(
        5.0, unit='m', low=0.5, high=100, help='Ending this much farther than once was.'
    )
    blocked_time: float = option(
        5.0, unit='s', low=0.5, high=60, help='Contact this recent explains a stop.'
    )
    tilt: float = option(60.0, unit='deg', low=10, high=180, help='Tilted by more has fallen.')
    personal_space: float = option(
        0.5, unit='m', low=0, high=5, help='Gap to a person below which the robot intrudes.'
    )
    ttc_horizon: float = option(5.0, unit='s', low=0.5, high=60, help='Longest time to collision.')

    def __post_init__(self) -> None:
        check(self, source='judge')


@dataclass(frozen=True)
class DriftRules:
    """How wrong odometry becomes."""

    distance: float = option(0.5, unit='%', low=0, high=50, help='Scale error.')
    yaw: float = option(0.2, unit='deg per 10 m', low=0, high=90, help='Heading error.')
    long_route: float = option(60.0, unit='m', low=0, high=1000, help='No drift from here on.')

    def __post_init__(self) -> None:
        check(self, source='drift')


@dataclass(frozen=True)
class Protocol:
    """One version of the benchmark."""

    name: str = option(help='Name of the protocol.')
    version: int = option(low=1, high=1000, help='Raised with every change of a value.')
    robot: str = option('coco', help='Robot profile by name.')
    episodes: int = option(25, low=1, high=10000, help='Episodes per scene and task.')
    scenes: tuple[str, ...] = option((), help='Scenes that are driven unless others are named.')
    tasks: tuple[str, ...] = option((), help='Tasks, likewise.')
    camera: str = option('policy', choices=('policy', 'robot'), help='Whose camera is drawn.')
    route: RouteRules = RouteRules()
    obstacle: ObstacleRules = ObstacleRules()
    people: PeopleRules = PeopleRules()
    judge: JudgeRules = JudgeRules()
    drift: DriftRules = DriftRules()
    recorded: RecordedRules = RecordedRules()

    def __post_init__(self) -> None:
        check(self, source=f'protocol {self.name}')

    @property
    def hash(self) -> str:
        """sha256 of the resolved values in canonical JSON: sorted keys, no spaces."""
        values = to_mapping(self)
        for name, belong in _YOUNGER.items():
            # Younger than the protocols without it, whose hash must stay.
            if not values['people'][name]:
                for unused in (name, *belong):
                    del values['people'][unused]
        for name in ('scenes', 'tasks'):
            if not values[name]:
                del values[name]
        if not self.recorded.tracks:
            # As young; without tracks its rules say nothing.
            del values['recorded']
        else:
            # What was recorded counts, not where it lies.
            del values['recorded']['tracks']
        text = json.dumps(values, sort_keys=True, separators=(',', ':'))
        return hashlib.sha256(text.encode('utf-8')).hexdigest()

    def time_limit(self, geodesic: float, v_max: float) -> float:
        """Seconds an episode may take: 20 s + 2.5 d / v_max by default.

        Args:
            geodesic: Length of the shortest free route, metres.
            v_max: The robot's top speed, m/s; the protocol's cap holds as well.
        """
        judge = self.judge
        return judge.time_base + judge.time_factor * geodesic / min(v_max, judge.v_max)


def load_protocol(
    name: str | Path = 'default', tracks: str | Path | None = None,
    rules: Mapping[str, Any] | None = None,
) -> Protocol:
    """Load a protocol by name from ``config/navbench`` or by path.

    Args:
        name: Of the protocol, or its file.
        tracks: File of recorded tracks instead of the protocol's.
        rules: Fields of `RecordedRules` for them instead of the protocol's, such as fps.

    Raises:
        ConfigError: Missing, or breaks a rule.
        TaskError: its recorded tracks cannot be read.
    """
    path = Path(name)
    if path.suffix not in ('.yaml', '.yml'):
        path = find_config(f'navbench/{name}.yaml')
    protocol = from_yaml(Protocol, path)
    recorded, folder = protocol.recorded, path.parent
    if tracks is not None:
        values = {**to_mapping(recorded), **(rules or {}), 'tracks': str(tracks), 'digest': ''}
        recorded, folder = from_mapping(RecordedRules, values, source='tracks'), Path()
    return replace(protocol, recorded=recorded.pinned(folder))
