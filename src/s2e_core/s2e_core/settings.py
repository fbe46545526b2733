"""Single settings by name, with dots into groups; on the command line NAME=VALUE with YAML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from s2e_core.errors import ConfigError


def read_settings(words: Sequence[str], option: str = '--set') -> list[tuple[str, Any]]:
    """Return names and values.

    Args:
        words: NAME=VALUE.
        option: Behind which they stand, for errors.

    Raises:
        ConfigError: A word without an equals sign, or a value that is not YAML.
    """
    found = []
    for word in words:
        name, mark, value = word.partition('=')
        if not mark:
            raise ConfigError(f'{option} takes NAME=VALUE, got {word!r}')
        try:
            found.append((name, yaml.safe_load(value)))
        except yaml.YAMLError as error:
            raise ConfigError(f'{option} {name}: not a YAML value: {value!r}') from error
    return found


def assign(values: dict[str, Any], words: Sequence[str]) -> None:
    """Put settings into a configuration as plain values.

    Args:
        values: Changed in place; every group must be there already.
        words: NAME=VALUE or GROUP.NAME=VALUE.

    Raises:
        ConfigError: Not of this form, or there is no such setting.
    """
    for name, value in read_settings(words):
        put(values, name, value, '--set')


def put(values: dict[str, Any], name: str, value: Any, source: str) -> None:
    """Put one setting into a configuration as plain values.

    Args:
        values: Changed in place.
        name: Name, with dots into groups.
        value: Value, not checked.
        source: Where it comes from, for errors.

    Raises:
        ConfigError: There is no such setting.
    """
    *groups, last = name.split('.')
    place: Any = values
    for group in groups:
        place = place.get(group) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        raise ConfigError(f'{source}: there is no setting {name!r}')
    place[last] = value
