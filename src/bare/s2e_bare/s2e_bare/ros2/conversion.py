"""Messages to plain values and back."""

from __future__ import annotations

import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml

from s2e_bare.errors import CommandError

# Upstream's default of `topic echo`: longer arrays and strings are cut.
TRUNCATE = 128
_CUT = '...'
_LINE_ENDS = frozenset('\x85\u2028\u2029')
_INTEGERS = {
    f'{sign}int{bits}': (
        (0, 2**bits - 1) if sign == 'u' else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    )
    for sign in ('', 'u')
    for bits in (8, 16, 32, 64)
}


def to_plain(message: Any, *, truncate: int | None = None, no_arr: bool = False) -> Any:
    """Turn a message into dictionaries, lists and scalars.

    Args:
        message: A message, or a value of one of its fields.
        truncate: Cut arrays and strings after this many elements; None for whole ones.
        no_arr: Show only type and length of arrays.
    """
    if hasattr(message, 'get_fields_and_field_types'):
        types = message.get_fields_and_field_types()
        found = {}
        for name, kind in types.items():
            value = getattr(message, name)
            if no_arr and _is_array(value):
                found[name] = f'<{kind}, length: {len(value)}>'
            else:
                found[name] = to_plain(value, truncate=truncate, no_arr=no_arr)
        return found
    if isinstance(message, bytes):
        return int.from_bytes(message, 'little') if len(message) == 1 else list(message)
    if isinstance(message, str):
        cut = truncate is not None and len(message) > truncate
        return message[:truncate] + _CUT if cut else message
    if _is_array(message):
        cut = truncate is not None and len(message) > truncate
        items = list(message[:truncate] if cut else message)
        plain = [to_plain(item, truncate=truncate, no_arr=no_arr) for item in items]
        return [*plain, _CUT] if cut else plain
    if isinstance(message, np.generic):
        return message.item()
    return message


def to_yaml(message: Any, *, truncate: int | None = None, no_arr: bool = False) -> str:
    """Write a message as YAML, fields in their order."""
    plain = to_plain(message, truncate=truncate, no_arr=no_arr)
    if not isinstance(plain, (dict, list)):
        return f'{plain}\n'
    return dump_yaml(plain)


def dump_yaml(plain: Any, *, sort_keys: bool = False) -> str:
    """Write plain values as YAML that reads back to the same, letters as they are."""

    def dump(allow_unicode: bool) -> str:
        return yaml.safe_dump(
            plain, sort_keys=sort_keys, allow_unicode=allow_unicode, width=float('inf')
        )

    text = dump(True)
    # PyYAML writes these line ends bare and reads them back as blanks: escape them instead.
    return text if _LINE_ENDS.isdisjoint(text) else dump(False)


def parse_yaml(text: str, what: str) -> Mapping[str, Any]:
    """Read `{field: value}`.

    Raises:
        CommandError: It is not YAML, or not a mapping.
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandError(f'{what}: not valid YAML: {error}') from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise CommandError(f'{what}: expected a mapping such as "{{data: 1}}", got {text!r}')
    return found


def fill(message: Any, values: Mapping[str, Any], path: str = '', stamp: Any = None) -> None:
    """Set fields of a message from plain values; fields that are not named keep their default.

    Args:
        message: The message, changed in place.
        values: Field name -> value; `stamp: now` and `header: auto` take the current time.
        path: Name of the message inside the whole, for errors.
        stamp: The current time as a builtin_interfaces/msg/Time.

    Raises:
        CommandError: An unknown field, or a value that does not fit; names the field.
    """
    kinds = dict(zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True))
    for name, value in values.items():
        where = f'{path}.{name}' if path else str(name)
        if name not in kinds:
            raise CommandError(
                f'{type(message).__name__} has no field {where!r}, it has {sorted(kinds)}'
            )
        setattr(message, name, _convert(kinds[name], value, where, stamp))


def _convert(kind: Any, value: Any, where: str, stamp: Any) -> Any:
    if hasattr(kind, 'namespaces'):
        return _convert_message(kind, value, where, stamp)
    if hasattr(kind, 'value_type'):
        return _convert_array(kind, value, where, stamp)
    return _convert_scalar(kind, value, where)


def _convert_message(kind: Any, value: Any, where: str, stamp: Any) -> Any:
    import importlib

    cls = getattr(importlib.import_module('.'.join(kind.namespaces)), kind.name)
    message = cls()
    if value == 'auto' and kind.name == 'Header':
        message.stamp = stamp
    elif value == 'now' and kind.name == 'Time':
        return stamp
    elif isinstance(value, Mapping):
        fill(message, value, where, stamp)
    elif value is not None:
        raise CommandError(f'field {where!r}: expected a mapping, got {value!r}')
    return message


def _convert_array(kind: Any, value: Any, where: str, stamp: Any) -> Any:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise CommandError(f'field {where!r}: expected a list, got {value!r}')
    size = getattr(kind, 'size', None)
    if size is not None and len(value) != size:
        raise CommandError(f'field {where!r}: expected {size} elements, got {len(value)}')
    limit = getattr(kind, 'maximum_size', None)
    if limit is not None and len(value) > limit:
        raise CommandError(f'field {where!r}: at most {limit} elements, got {len(value)}')
    inner = kind.value_type
    items = [_convert(inner, v, f'{where}[{i}]', stamp) for i, v in enumerate(value)]
    if getattr(inner, 'typename', None) == 'octet':
        return b''.join(items) if size is None else items
    return items


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    name = getattr(kind, 'typename', 'string')
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == 'boolean' and isinstance(value, bool):
        return value
    if name in ('float', 'double', 'long double') and number:
        return float(value)
    if name in ('string', 'wstring') and isinstance(value, (str, int, float)):
        return str(value)
    if name in _INTEGERS and number and float(value).is_integer():
        low, high = _INTEGERS[name]
        if low <= value <= high:
            return int(value)
        raise CommandError(f'field {where!r}: {value!r} is outside of {name} [{low}, {high}]')
    if name in ('octet', 'byte', 'char') and isinstance(value, int) and 0 <= value <= 255:
        return value if name == 'char' else bytes([value])
    raise CommandError(f'field {where!r}: expected a {name}, got {value!r}')


def _is_array(value: Any) -> bool:
    return isinstance(value, (list, tuple, array.array, np.ndarray))
