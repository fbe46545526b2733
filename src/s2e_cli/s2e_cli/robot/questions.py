"""Asks for a robot's profile, one field after the other, and writes it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from s2e_core.config import from_mapping, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.robot import ROUND_SLACK, TOPIC, CameraOptions, RobotProfile, TopicOptions

Ask = Callable[[str], str]
Field = dataclasses.Field[Any]
WHEELS = ('wheel_radius', 'track')
SKIPPED = {
    'differential': ('vy_max', 'wheelbase', 'min_turn_radius'),
    'car': ('vy_max',),
    'holonomic': ('wheelbase', 'min_turn_radius'),
    'legged': ('vy_max', 'wheelbase', 'min_turn_radius', *WHEELS),
}
"""Fields that a kind of base has no use for."""
NEEDED = {'car': ('wheelbase', 'min_turn_radius'), 'holonomic': ('vy_max',)}
"""Fields that it needs above zero, their default."""
LEAST = {'wheel_radius': 0.01, 'track': 0.05}
"""What wheels have at least, metres."""
GROUPS: dict[str, type] = {'camera': CameraOptions, 'topics': TopicOptions}
"""Fields that are groups of fields."""
LATER = ('base_timeout',)
"""Never typed in: `s2e robot check` measures it."""
NAME = re.compile(r'[A-Za-z0-9_-]+')


class Interview:
    """Asks for what was not given, anew until it is right."""

    def __init__(
        self, ask: Ask, tell: Callable[[str], None], given: Mapping[str, Any],
        refuse: Callable[[str], str] = lambda name: '',
    ) -> None:
        """Hold what was given against its rules, before anything is asked.

        Args:
            ask: Shows a prompt and returns the answer; an empty one takes the default.
            tell: Shows a line.
            given: Values by field, those of groups as `camera.NAME` and `topics.NAME`.
            refuse: Why a robot may not have a name, or nothing.

        Raises:
            ConfigError: A given value breaks a rule, or is unknown.
        """
        self._ask, self._tell, self._refuse = ask, tell, refuse
        self.answers: dict[str, Any] = {}
        """Values by field, as far as they are known."""
        self._fields = dict(_fields())
        for name, value in given.items():
            if name not in self._fields:
                raise ConfigError(
                    f'--set: unknown field {name!r}; known: {", ".join(sorted(self._fields))}'
                )
            field = self._fields[name]
            try:
                # A YAML value or what would be typed: both are read by one rule.
                text = _shown(value)
                self.answers[name] = value if value is None else self._value(name, field, text)
            except ConfigError as error:
                raise ConfigError(f'--set: {name} {error}') from error
        self._given = frozenset(given)

    def profile(self) -> RobotProfile:
        """Ask the questions.

        Raises:
            ConfigError: The given values do not fit each other.
        """
        for name, field in self._fields.items():
            if name not in self._given and field.name not in self._unasked(name):
                self.answers[name] = self._question(name, field)
        values = dict(self.answers)
        groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
        for name in self.answers:
            group, dot, inner = name.partition('.')
            if dot:
                groups[group][inner] = values.pop(name)
        if values['kinematics'] == 'legged':
            values = {**dict.fromkeys(WHEELS, 0.0), **values}
        return from_mapping(RobotProfile, {**values, **groups}, source='the new profile')

    def _unasked(self, name: str) -> tuple[str, ...]:
        if '.' in name:
            return ()
        return (*LATER, *SKIPPED.get(self.answers.get('kinematics', ''), ()))

    def _question(self, name: str, field: Field) -> Any:
        needed = field.default is dataclasses.MISSING or self._positive(name)
        while True:
            answer = self._ask(_prompt(name, field, needed, self._low(name, field))).strip()
            if not answer and needed:
                self._tell(f'  {name} is needed' + (', above 0' if self._positive(name) else ''))
                continue
            try:
                return self._value(name, field, answer) if answer else field.default
            except ConfigError as error:
                self._tell(f'  {name} {error}')

    def _positive(self, name: str) -> bool:
        return name in NEEDED.get(self.answers.get('kinematics', ''), ())

    def _low(self, name: str, field: Field) -> float | None:
        wheels = self.answers.get('kinematics', 'legged') != 'legged'
        return LEAST[name] if wheels and name in LEAST else field.metadata['low']

    def _value(self, name: str, field: Field, answer: str) -> Any:
        """Read an answer and hold it against the answers before.

        Raises:
            ConfigError: With the rule and what was received.
        """
        value = _read(field, answer, self._low(name, field))
        if self._positive(name) and not value:
            raise ConfigError('is needed, above 0')
        if name == 'name':
            if not NAME.fullmatch(answer):
                raise ConfigError(f'must be one word of letters, digits, - and _, got {answer!r}')
            problem = self._refuse(answer)
            if problem:
                raise ConfigError(problem)
        if name.startswith('topics.') and not TOPIC.fullmatch(answer):
            raise ConfigError(f'must be the name of a topic, got {answer!r}')
        known = {**self.answers, name: value}
        length, width = known.get('length'), known.get('width')
        round_one = known.get('footprint') == 'circle' and name in ('length', 'width', 'footprint')
        if round_one and length and width and abs(length - width) > ROUND_SLACK:
            raise ConfigError(
                f'does not fit: a circle is as long as wide, to {ROUND_SLACK:g} m, got '
                f'{length:g} and {width:g}'
            )
        return value


def check_target(path: Path) -> None:
    """Refuse a file that could not be written, before the questions are asked.

    Raises:
        ConfigError: It exists, its folder does not, or its name ends otherwise than in .yaml.
    """
    if path.suffix not in ('.yaml', '.yml'):
        raise ConfigError(f'{path}: a profile ends in .yaml, by which it is known as a path')
    if path.exists():
        raise ConfigError(f'{path}: exists already; give another --out')
    if not path.absolute().parent.is_dir():
        raise ConfigError(f'{path}: its folder does not exist')


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


def _fields() -> Iterator[tuple[str, Field]]:
    """Yield the fields of robot and camera by the names under which they are asked."""
    for field in dataclasses.fields(RobotProfile):
        if field.name not in GROUPS:
            yield field.name, field
    for group, cls in GROUPS.items():
        for field in dataclasses.fields(cls):
            yield f'{group}.{field.name}', field


def _prompt(name: str, field: Field, needed: bool, low: float | None) -> str:
    rule = field.metadata
    unit = f' {rule["unit"]}' if rule['unit'] else ''
    if rule['choices']:
        bounds = ' or '.join(map(str, rule['choices']))
    elif low is not None:
        bounds = f'{low:g} to {rule["high"]:g}{unit}'
        if rule['unit'] == 'rad':
            bounds += f', or {math.degrees(low):.0f} to {math.degrees(rule["high"]):.0f} deg'
    else:
        bounds = 'yes or no' if field.type == 'bool' else 'a topic' if '.' in name else 'one word'
    default = '' if needed else f' [{_shown(field.default)}]'
    return f'{name}: {rule["help"]} ({bounds}){default} '


def _shown(value: Any) -> str:
    return ('yes' if value else 'no') if isinstance(value, bool) else f'{value}'


def _read(field: Field, answer: str, low: float | None) -> Any:
    """Read one answer; a number may bear its unit, an angle be in degrees.

    Raises:
        ConfigError: It is of another type or out of bounds.
    """
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
    number = _number(answer, rule['unit'])
    if low is None or not low <= number <= rule['high']:
        unit = f' {rule["unit"]}' if rule['unit'] else ''
        raise ConfigError(f'must be in {low:g} to {rule["high"]:g}{unit}, got {answer}')
    if field.type == 'int':
        if not number.is_integer():
            raise ConfigError(f'must be a whole number, got {answer}')
        return int(number)
    return number


def _number(answer: str, unit: str) -> float:
    """Read a number, also with its unit behind it.

    Raises:
        ConfigError: It is none.
    """
    degrees = unit == 'rad' and answer.endswith('deg')
    text = answer.removesuffix('deg' if degrees else unit)
    try:
        return math.radians(float(text)) if degrees else float(text)
    except ValueError as error:
        such = ' such as 60 deg' if unit == 'rad' else ', with a point'
        raise ConfigError(f'must be a number{such}, got {answer!r}') from error
