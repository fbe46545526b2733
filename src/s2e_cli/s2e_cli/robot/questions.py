"""Asks for a robot's profile, one field after the other, and writes it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from s2e_core.config import from_mapping, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.robot import CameraOptions, RobotProfile

Ask = Callable[[str], str]
SKIPPED = {
    'differential': ('vy_max', 'wheelbase', 'min_turn_radius'),
    'car': ('vy_max',),
    'holonomic': ('wheelbase', 'min_turn_radius'),
    'legged': ('vy_max', 'wheelbase', 'min_turn_radius'),
}
"""Fields that a kind of base has no use for."""
NEEDED = {'car': ('wheelbase', 'min_turn_radius'), 'holonomic': ('vy_max',)}
"""Fields that it needs above zero, their default."""
LATER = ('base_timeout',)
"""Never typed in: `s2e robot check` measures it."""


def ask_profile(ask: Ask, given: Mapping[str, Any], tell: Callable[[str], None]) -> RobotProfile:
    """Ask for what was not given.

    Args:
        ask: Shows a prompt and returns the answer; an empty one takes the default.
        given: Values by field, those of the camera as `camera.NAME`.
        tell: Shows a line.

    Raises:
        ConfigError: A given value breaks a rule, or is unknown.
    """
    values = _ask_fields(RobotProfile, '', ask, given, tell)
    camera = _ask_fields(CameraOptions, 'camera.', ask, given, tell)
    known = {f.name for f in dataclasses.fields(RobotProfile)} - {'camera'}
    known |= {f'camera.{f.name}' for f in dataclasses.fields(CameraOptions)}
    unknown = sorted(set(given) - known)
    if unknown:
        names = ', '.join(sorted(known))
        raise ConfigError(f'--set: unknown field {unknown[0]!r}; known: {names}')
    return from_mapping(RobotProfile, {**values, 'camera': camera}, source='the new profile')


def write_profile(profile: RobotProfile, path: Path) -> None:
    """Write a profile.

    Raises:
        ConfigError: The file exists, or cannot be written.
    """
    values = {k: v for k, v in to_mapping(profile).items() if v is not None}
    text = '# Written by `s2e robot new`; see docs/robot.md for each field.\n'
    if profile.base_timeout is None:
        text += '# base_timeout is not measured yet, which caps the speed: s2e robot check\n'
    try:
        with path.open('x', encoding='utf-8') as file:
            file.write(text + yaml.safe_dump(values, sort_keys=False))
    except FileExistsError as error:
        raise ConfigError(f'{path}: exists already; give another --out') from error
    except OSError as error:
        raise ConfigError(f'{path}: cannot be written: {error.strerror}') from error


def _ask_fields(
    cls: type, prefix: str, ask: Ask, given: Mapping[str, Any], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return values of a dataclass' fields, without the one that is another dataclass."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        name = prefix + field.name
        kind = values.get('kinematics', '')
        if field.name == 'camera' or field.name in (*LATER, *SKIPPED.get(kind, ())):
            continue
        if name in given:
            values[field.name] = given[name]
            continue
        positive = field.name in NEEDED.get(kind, ())
        needed = positive or field.default is dataclasses.MISSING
        while True:
            answer = ask(_prompt(name, field, needed)).strip()
            try:
                if answer or not needed:
                    values[field.name] = _value(field, answer)
                    if values[field.name] or not positive:
                        break
                tell(f'  {name} is needed' + (', above 0' if positive else ''))
            except ConfigError as error:
                tell(f'  {error}')
    return values


def _prompt(name: str, field: dataclasses.Field[Any], needed: bool) -> str:
    rule = field.metadata
    unit = f', {rule["unit"]}' if rule['unit'] else ''
    if rule['choices']:
        bounds = ' or '.join(map(str, rule['choices']))
    elif rule['low'] is not None:
        bounds = f'{rule["low"]:g} to {rule["high"]:g}{unit}'
    else:
        bounds = 'yes or no' if field.type == 'bool' else 'text'
    default = '' if needed else f' [{_shown(field.default)}]'
    return f'{name}: {rule["help"]} ({bounds}){default} '


def _shown(value: Any) -> str:
    return ('yes' if value else 'no') if isinstance(value, bool) else f'{value}'


def _value(field: dataclasses.Field[Any], answer: str) -> Any:
    """Read one answer.

    Raises:
        ConfigError: It is of another type or out of bounds.
    """
    if not answer:
        return field.default
    rule = field.metadata
    if rule['choices']:
        if answer not in rule['choices']:
            raise ConfigError(f'must be {" or ".join(rule["choices"])}, got {answer!r}')
        return answer
    if field.type == 'bool':
        if answer.lower() not in ('yes', 'no', 'y', 'n', 'true', 'false'):
            raise ConfigError(f'must be yes or no, got {answer!r}')
        return answer.lower() in ('yes', 'y', 'true')
    if field.type == 'str':
        return answer
    try:
        number = float(answer)
    except ValueError as error:
        raise ConfigError(f'must be a number, got {answer!r}') from error
    if not (math.isfinite(number) and rule['low'] <= number <= rule['high']):
        raise ConfigError(f'must be in {rule["low"]:g} to {rule["high"]:g}, got {answer}')
    if field.type == 'int':
        if not number.is_integer():
            raise ConfigError(f'must be a whole number, got {answer}')
        return int(number)
    return number
