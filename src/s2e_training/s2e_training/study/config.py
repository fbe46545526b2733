"""Settings of a study: what varies, with which seeds, and where results are measured."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s2e_core.config import check, from_mapping, from_yaml, option, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config
from s2e_core.settings import put
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.pretrain.config import PretrainConfig

Config = PosttrainConfig | PretrainConfig
KINDS: dict[str, type[PosttrainConfig] | type[PretrainConfig]] = {
    'posttrain': PosttrainConfig, 'pretrain': PretrainConfig,
}
"""What a study may train."""


def _check_name(name: str, what: str) -> None:
    # Names become folders.
    if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}', name):
        raise ConfigError(
            f'study: names of {what} are letters, digits, dots, dashes and underscores, '
            f'got {name!r}'
        )


@dataclass(frozen=True)
class PlaceConfig:
    """Where policies are measured."""

    name: str = option(help='Name of the place in tables.')
    protocol: str = option('ablation', help='Protocol by name or file.')
    scenes: tuple[str, ...] = option((), help="Scenes; the protocol's where empty.")
    tasks: tuple[str, ...] = option((), help="Tasks; the protocol's where empty.")
    episodes: int = option(
        0, low=0, high=100000, help="Episodes per scene and task; 0: the protocol's."
    )
    robot: str = option('', help="Robot profile; the protocol's where empty.")
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the episodes.')

    def __post_init__(self) -> None:
        check(self, source='place')
        _check_name(self.name, 'place')


@dataclass(frozen=True)
class StudyConfig:
    """Trainings that differ in what `variants` say, each from every seed."""

    name: str = option(help='Name of the study.')
    base: str = option(help='Settings of a training: a file, or one below config/.')
    settings: dict[str, Any] = option(help='What all trainings change, dots reach into groups.')
    variants: dict[str, dict[str, Any]] = option(help='What each variant changes besides.')
    seeds: tuple[int, ...] = option((0, 1, 2), low=0, high=2**31 - 1, help='Training seeds.')
    trains: str = option(
        'posttrain', choices=tuple(KINDS), help='The command that `base` holds settings of.'
    )
    reference: str = option(
        '', help='Variant whose training of the same seed gains are counted from; the parent '
        'where empty.'
    )
    stops: tuple[int, ...] = option(
        (), low=1, high=10**10, help='Environment steps after which networks are measured as '
        'well, before training goes on; whole segments of post-training.'
    )
    places: tuple[PlaceConfig, ...] = option(
        (PlaceConfig('validation'),), help='Where every policy is measured.'
    )

    def __post_init__(self) -> None:
        check(self, source='study')
        if self.reference and self.reference not in self.variants:
            raise ConfigError(
                f'study: reference must be one of {list(self.variants)}, got {self.reference!r}'
            )
        for name in self.variants:
            _check_name(name, 'variants')
        if self.stops and self.trains != 'posttrain':
            raise ConfigError('study: stops are for trains: posttrain')
        if list(self.stops) != sorted(set(self.stops)):
            raise ConfigError(f'study: stops must rise, got {list(self.stops)}')
        for what, names in (
            ('seeds', list(self.seeds)), ('places', [place.name for place in self.places]),
            ('variants', list(self.variants)),
        ):
            if not names or len(set(names)) < len(names):
                raise ConfigError(f'study: {what} must be different ones, got {names}')


@dataclass(frozen=True)
class Training:
    """One training of a study."""

    variant: str
    seed: int
    config: Config

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f'{self.variant}-{self.seed}'


@dataclass(frozen=True)
class Stage:
    """A training up to one of its stops, or to its end."""

    config: Config
    folder: str
    """Of its network and what it drove, below that of the study."""


def stages(study: StudyConfig, training: Training) -> list[Stage]:
    """Return the stops of a training, then its end.

    Raises:
        ConfigError: A stop is not before the end, or not the end of a segment.
    """
    config = training.config
    if not isinstance(config, PosttrainConfig):
        return [Stage(config, training.name)]
    found = []
    for stop in study.stops:
        segment = config.segment * config.rollout * config.environment.count
        if stop >= config.steps or stop % segment:
            raise ConfigError(
                f'{study.name}, {training.variant}: stops must be multiples of {segment} below '
                f'{config.steps}, got {stop}'
            )
        found.append(Stage(replace(config, steps=stop), f'{training.name}/steps-{stop}'))
    return [*found, Stage(config, training.name)]


def parent_name(initial: str) -> str:
    """Return the name of a parent: that of its folder, also where a checkpoint in it is meant."""
    path = Path(initial)
    return path.parent.name if path.suffix == '.pt' else path.name


def trainings(study: StudyConfig) -> list[Training]:
    """Return all trainings, seed by seed: a study that is cut off has compared something.

    Raises:
        ConfigError: The base cannot be read, a setting does not exist or is out of bounds, or two
            parents would share a name.
    """
    path = Path(study.base)
    path = path if path.is_file() else find_config(study.base)
    base = to_mapping(from_yaml(KINDS[study.trains], path))
    found = [
        Training(variant, seed, _config(study, base, variant, seed))
        for seed in study.seeds for variant in study.variants
    ]
    parents: dict[str, str] = {}
    for initial in (training.config.initial for training in found):
        if parents.setdefault(parent_name(initial), initial) != initial:
            raise ConfigError(
                f'{study.name}: parents need names of their own, {parent_name(initial)!r} is that '
                f'of {parents[parent_name(initial)]} and of {initial}'
            )
    return found


def with_workers(config: PosttrainConfig, workers: int) -> PosttrainConfig:
    """Return settings for so many processes; numbers do not depend on them."""
    own = min(workers, config.environment.count)
    return replace(
        config, environment=replace(config.environment, workers=own),
        evaluation=replace(config.evaluation, workers=workers),
    )


def _config(study: StudyConfig, base: dict[str, Any], variant: str, seed: int) -> Config:
    kind = KINDS[study.trains]
    values = to_mapping(from_mapping(kind, base))
    for name, value in {**study.settings, **study.variants[variant]}.items():
        put(values, name, value, f'{study.name}, {variant}')
    # A parent may be a training of another study, of the same seed.
    initial = values['initial'].replace('{seed}', str(seed))
    named = {**values, 'seed': seed, 'name': f'{variant}-{seed}', 'initial': initial}
    return from_mapping(kind, named, source=f'{study.name}, {variant}')
