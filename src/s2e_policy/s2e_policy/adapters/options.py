"""How a user names an adapter: ``adapter:KIND:PATH[,key=value ...]``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from s2e_core.config import check, from_mapping, option
from s2e_core.errors import ConfigError
from s2e_policy.errors import PolicyError

PREFIX = 'adapter:'


@dataclass(frozen=True)
class AdapterOptions:
    """What the published files leave open."""

    goal_image: str = option('', help='Picture of the place to go to (GNM, ViNT, NoMaD).')
    scale: float = option(
        0.0, unit='m', low=0, high=100, help="Metres per unit of the waypoints; 0: the model's."
    )
    fov: float = option(
        90.0, unit='deg', low=20, high=150, help='Horizontal view that the images are given.'
    )
    v_max: float = option(1.5, unit='m/s', low=0.05, high=5, help='Fastest plan let pass.')
    seed: int = option(0, low=0, high=2**31 - 1, help="Seed of NoMaD's noise.")

    def __post_init__(self) -> None:
        check(self, source='adapter')


@dataclass(frozen=True)
class AdapterName:
    """A parsed name."""

    kind: str
    path: Path
    options: AdapterOptions

    def __str__(self) -> str:
        default = AdapterOptions()
        given = [
            f'{key}={value}' for key, value in vars(self.options).items()
            if value != getattr(default, key)
        ]
        return ','.join([f'{PREFIX}{self.kind}:{self.path}', *given])


def is_adapter(name: str) -> bool:
    """Whether a policy's name is one of an adapter."""
    return name.startswith(PREFIX)


def parse_adapter(name: str) -> AdapterName:
    """Parse ``adapter:KIND:PATH[,key=value ...]``.

    Raises:
        PolicyError: The form is wrong, or an option is unknown or out of bounds.
    """
    kind, colon, rest = name.removeprefix(PREFIX).partition(':')
    path, *pairs = rest.split(',')
    if not is_adapter(name) or not colon or not kind or not path:
        raise PolicyError(
            f'policy {name!r}: an adapter is named adapter:KIND:PATH[,key=value ...], '
            'such as adapter:s2e:s2e.onnx'
        )
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals:
            raise PolicyError(f'policy {name!r}: options are key=value, got {pair!r}')
        values[key] = value if key == 'goal_image' else yaml.safe_load(value)
    try:
        options = from_mapping(AdapterOptions, values, source=f'policy {name!r}')
    except ConfigError as error:
        raise PolicyError(str(error)) from error
    if options.goal_image:
        picture = Path(options.goal_image).expanduser().absolute()
        options = replace(options, goal_image=str(picture))
    return AdapterName(kind, Path(path).expanduser().absolute(), options)
