"""Configuration: frozen dataclasses are the schema, YAML files hold values only.

Each field says its unit, bounds and meaning through `option`; unknown keys, wrong types and
values out of bounds are errors that name the key, the rule and what was received.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from s2e_core.errors import ConfigError

T = TypeVar('T')

MAX_YAML_BYTES = 1_000_000
"""A configuration file is a few kilobytes; anything past this is not one."""


def option(
    default: Any = dataclasses.MISSING,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[Any] | None = None,
    read_only: bool = False,
    help: str = '',  # noqa: A002 - the word argparse and ROS descriptors use
) -> Any:
    """Declare a field of a configuration dataclass.

    Args:
        default: Default value; a field without one is required.
        unit: Unit of the value, such as 'm' or 'rad/s'.
        low: Lowest allowed number.
        high: Highest allowed number.
        choices: The only allowed values.
        read_only: Whether a node fixes the value at start.
        help: One sentence on what the value does.

    Returns:
        A dataclass field that carries the rule as metadata.
    """
    metadata = {
        'unit': unit,
        'low': low,
        'high': high,
        'choices': None if choices is None else tuple(choices),
        'read_only': read_only,
        'help': help,
    }
    return dataclasses.field(default=default, metadata=metadata)


def from_yaml(cls: type[T], path: Path | str) -> T:
    """Read a configuration file.

    Raises:
        ConfigError: The file is missing, too large, not YAML, or breaks a rule of ``cls``.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            raise ConfigError(
                f'{path}: a configuration may have {MAX_YAML_BYTES} bytes, got '
                f'{path.stat().st_size}'
            )
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ConfigError(f'{path}: cannot be read: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f'{path}: is not valid YAML: {error}') from error
    if not isinstance(data, Mapping):
        raise ConfigError(f'{path}: must hold a mapping, got {type(data).__name__}')
    return from_mapping(cls, data, source=str(path))


def from_mapping(cls: type[T], mapping: Mapping[str, Any], *, source: str = '<mapping>') -> T:
    """Build a configuration from plain values.

    Args:
        cls: A frozen dataclass whose fields come from `option`; fields may be dataclasses.
        mapping: Values by field name.
        source: Where the values come from, for error messages.

    Raises:
        ConfigError: Unknown or missing key, wrong type or value out of bounds.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(str(key) for key in mapping if key not in fields)
    if unknown:
        raise ConfigError(f'{source}: unknown key {unknown[0]!r}; known: {", ".join(fields)}')
    hints = typing.get_type_hints(cls)
    values = {
        str(name): _convert(hints[str(name)], value, f'{source}: {name}')
        for name, value in mapping.items()
    }
    required = [
        f.name
        for f in fields.values()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    for name in required:
        if name not in values:
            raise ConfigError(f'{source}: missing key {name!r}')
    result = cls(**values)
    check(result, source=source)
    return result


def check(config: Any, *, source: str = '') -> None:
    """Hold a configuration against the bounds and choices of its fields.

    Raises:
        ConfigError: Naming the key, the rule and the value.
    """
    prefix = f'{source}: ' if source else ''
    for field in dataclasses.fields(config):
        value, rule = getattr(config, field.name), field.metadata
        choices, low, high = rule.get('choices'), rule.get('low'), rule.get('high')
        if choices is not None and value not in choices:
            raise ConfigError(
                f'{prefix}{field.name} must be one of {list(choices)}, got {value!r}'
            )
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                continue
            if not math.isfinite(number):
                raise ConfigError(f'{prefix}{field.name} must be finite, got {number}')
            if (low is not None and number < low) or (high is not None and number > high):
                unit = f' {rule["unit"]}' if rule.get('unit') else ''
                bounds = f'{"-inf" if low is None else low}..{"inf" if high is None else high}'
                raise ConfigError(f'{prefix}{field.name} must be in {bounds}{unit}, got {number}')


def to_mapping(config: Any) -> dict[str, Any]:
    """Return a configuration as plain values fit for YAML and JSON."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_mapping(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Turn a YAML value into the annotated type, or refuse it."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(hint, value, where)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(
                f'{where} must be one of {list(typing.get_args(hint))}, got {value!r}'
            )
        return value
    if origin is tuple:
        return _convert_tuple(hint, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f'{where} must be a mapping, got {value!r}')
        inner = typing.get_args(hint)[1]
        return {str(k): _convert(inner, v, f'{where}.{k}') for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigError(f'{where} must be a mapping, got {value!r}')
        return from_mapping(typing.cast(type, hint), value, source=where)
    return _convert_scalar(hint, value, where)


def _convert_union(hint: Any, value: Any, where: str) -> Any:
    arms = typing.get_args(hint)
    if value is None and type(None) in arms:
        return None
    failures = []
    for arm in arms:
        if arm is type(None):
            continue
        try:
            return _convert(arm, value, where)
        except ConfigError as error:
            failures.append(str(error))
    raise ConfigError(failures[0] if failures else f'{where} must be null, got {value!r}')


def _convert_tuple(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    arms = typing.get_args(hint)
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise ConfigError(f'{where} must be a list, got {value!r}')
    if len(arms) == 2 and arms[1] is Ellipsis:
        return tuple(_convert(arms[0], item, f'{where}[{i}]') for i, item in enumerate(value))
    if len(value) != len(arms):
        raise ConfigError(f'{where} must have {len(arms)} entries, got {len(value)}')
    return tuple(
        _convert(arm, item, f'{where}[{i}]')
        for i, (arm, item) in enumerate(zip(arms, value, strict=True))
    )


def _convert_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is Any or (isinstance(value, hint) and (hint is bool or not isinstance(value, bool))):
        return value
    raise ConfigError(f'{where} must be {hint.__name__}, got {value!r}')
