"""Parameter values of rcl_interfaces: to and from plain values."""

from __future__ import annotations

from typing import Any

import yaml

from s2e_bare.errors import CommandError

# rcl_interfaces/msg/ParameterType -> (field of ParameterValue, what upstream prints).
TYPES = {
    1: ('bool_value', 'Boolean value is'),
    2: ('integer_value', 'Integer value is'),
    3: ('double_value', 'Double value is'),
    4: ('string_value', 'String value is'),
    5: ('byte_array_value', 'Byte values are'),
    6: ('bool_array_value', 'Boolean values are'),
    7: ('integer_array_value', 'Integer values are'),
    8: ('double_array_value', 'Double values are'),
    9: ('string_array_value', 'String values are'),
}
NAMES = {
    0: 'not set',
    1: 'boolean',
    2: 'integer',
    3: 'double',
    4: 'string',
    5: 'byte array',
    6: 'boolean array',
    7: 'integer array',
    8: 'double array',
    9: 'string array',
}
_SCALAR = {bool: 1, int: 2, float: 3, str: 4}
_ARRAY = {bool: 6, int: 7, float: 8, str: 9}


def to_plain(value: Any) -> Any:
    """Give a ParameterValue's value, None when it is not set."""
    if value.type not in TYPES:
        return None
    found = getattr(value, TYPES[value.type][0])
    if value.type == 5:
        return [int.from_bytes(byte, 'little') for byte in found]
    return list(found) if value.type > 5 else found


def to_message(plain: Any, wanted: int | None = None) -> Any:
    """Make a ParameterValue.

    Args:
        plain: A bool, number, text or a list of one of these.
        wanted: Type that the parameter has: a whole number becomes a double, a number text
            where that is wanted.

    Raises:
        CommandError: A value that a parameter cannot have.
    """
    from rcl_interfaces.msg import ParameterValue

    items = plain if isinstance(plain, list) else [plain]
    if wanted in (3, 8) and all(type(item) is int for item in items):
        items = [float(item) for item in items]
    if wanted in (4, 9):
        items = [item if isinstance(item, str) else str(item) for item in items]
    kinds = {type(item) for item in items}
    if kinds == {int, float}:
        items, kinds = [float(item) for item in items], {float}
    if not items and wanted in TYPES and wanted > 4:
        return ParameterValue(type=wanted)
    table = _ARRAY if isinstance(plain, list) else _SCALAR
    if len(kinds) != 1 or not kinds <= set(table):
        raise CommandError(
            f'{plain!r} cannot be a parameter: use a bool, a number, text or a list of one kind'
        )
    message = ParameterValue(type=table[kinds.pop()])
    setattr(message, TYPES[message.type][0], items if isinstance(plain, list) else items[0])
    return message


def parse(text: str) -> Any:
    """Read a value as YAML, as a command line gives it.

    Raises:
        CommandError: It is not YAML.
    """
    try:
        return yaml.safe_load(text) if text else text
    except yaml.YAMLError as error:
        raise CommandError(f'value {text!r} is not valid YAML: {error}') from error


def nest(values: dict[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested dictionaries, as a parameter file has them."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split('.')
        inner = found
        for parent in parents:
            below = inner.setdefault(parent, {})
            if not isinstance(below, dict):
                # A parameter `a` beside `a.b` cannot be nested: keep the dots.
                inner, last = found, name
                break
            inner = below
        inner[last] = value
    return found


def flatten(values: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Turn nested dictionaries into dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(flatten(value, f'{prefix}{name}.'))
        else:
            found[f'{prefix}{name}'] = value
    return found
