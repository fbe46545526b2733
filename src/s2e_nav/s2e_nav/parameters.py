"""Node parameters from frozen dataclasses: one schema, declared with ranges and descriptions."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError
from s2e_nav.errors import ParameterError

T = TypeVar('T')

_ALWAYS_KNOWN = ('use_sim_time', 'start_type_description_service')
_KINDS = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
}
_ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One parameter: its dotted name, type, default and rule."""

    name: str
    kind: Parameter.Type
    default: Any
    """None for a parameter that must be given."""
    rule: Mapping[str, Any]


def entries(cls: type, prefix: str = '') -> list[Entry]:
    """List the parameters of a configuration; nested dataclasses become groups with dots.

    Raises:
        ParameterError: A field has a type that parameters cannot hold.
    """
    hints = typing.get_type_hints(cls)
    found: list[Entry] = []
    for field in dataclasses.fields(cls):
        name, hint = prefix + field.name, hints[field.name]
        if dataclasses.is_dataclass(hint):
            found += entries(typing.cast(type, hint), f'{name}.')
            continue
        default = None if field.default is dataclasses.MISSING else field.default
        if isinstance(default, tuple):
            default = list(default)
        found.append(Entry(name, _kind(hint, name), default, field.metadata))
    return found


def declare(node: Node, cls: type[T], *, live: Callable[[T], None] | None = None) -> T:
    """Declare the parameters of a node and read them.

    Args:
        node: The node.
        cls: Its configuration.
        live: Called with the new configuration when a parameter changes at run time; without
            it every parameter is read-only.

    Raises:
        ParameterError: A parameter is unknown, missing, of the wrong type or out of bounds.
    """
    known = entries(cls)
    overrides = getattr(node, '_parameter_overrides', {})
    _refuse_unknown(node, overrides, [entry.name for entry in known])
    # Values are checked first: the text of our rules is better than rcl's.
    values = {
        entry.name: _plain(overrides[entry.name].value)
        for entry in known if entry.name in overrides
    }
    config = _build(cls, known, values, node.get_name())
    current = _flatten(config)
    for entry in known:
        node.declare_parameter(
            entry.name, current[entry.name], _descriptor(entry, live is None),
            ignore_override=True,
        )
    if live is not None:
        node.add_on_set_parameters_callback(_on_set(node, cls, known, live))
    return config


def _kind(hint: Any, name: str) -> Parameter.Type:
    origin, arms = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return Parameter.Type.STRING
    if origin is tuple and len(set(arms) - {Ellipsis}) == 1 and arms[0] in _ARRAYS:
        return _ARRAYS[arms[0]]
    if origin in (typing.Union, types.UnionType) or hint not in _KINDS:
        raise ParameterError(f'parameter {name}: type {hint} cannot be a parameter')
    return _KINDS[hint]


def _descriptor(entry: Entry, read_only: bool) -> ParameterDescriptor:
    rule = entry.rule
    words = [rule.get('help', '')]
    if rule.get('unit'):
        words.append(f'[{rule["unit"]}]')
    descriptor = ParameterDescriptor(
        name=entry.name, type=entry.kind.value, description=' '.join(filter(None, words)),
        read_only=bool(read_only or rule.get('read_only')),
    )
    if rule.get('choices'):
        descriptor.additional_constraints = f'one of {list(rule["choices"])}'
    low, high = rule.get('low'), rule.get('high')
    if low is not None and high is not None:
        if entry.kind is Parameter.Type.DOUBLE:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high))
            ]
        elif entry.kind is Parameter.Type.INTEGER:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor


def _refuse_unknown(node: Node, overrides: Mapping[str, Any], known: list[str]) -> None:
    for name in sorted(overrides):
        allowed = name in known or name in _ALWAYS_KNOWN or name.startswith('qos_overrides')
        if not allowed:
            raise ParameterError(
                f'{node.get_name()}: unknown parameter {name!r}; known: {", ".join(known)}'
            )


def _build(cls: type[T], known: list[Entry], values: Mapping[str, Any], source: str) -> T:
    nested: dict[str, Any] = {}
    kinds = {entry.name: entry.kind for entry in known}
    for name, value in values.items():
        *groups, leaf = name.split('.')
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
        # A launch argument `3` for a text, such as a scene named by number, arrives as int.
        if kinds[name] is Parameter.Type.STRING and isinstance(value, (int, float)):
            value = str(value)
        inner[leaf] = value
    try:
        return from_mapping(cls, nested, source=f'{source} parameters')
    except ConfigError as error:
        raise ParameterError(str(error)) from error


def _flatten(config: Any, prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            flat.update(_flatten(value, f'{prefix}{field.name}.'))
        else:
            flat[prefix + field.name] = list(value) if isinstance(value, tuple) else value
    return flat


def _plain(value: Any) -> Any:
    """Return array parameters as lists."""
    return value if isinstance(value, (str, bytes)) or not hasattr(value, '__iter__') else [*value]


def _on_set(
    node: Node, cls: type[T], known: list[Entry], live: Callable[[T], None]
) -> Callable[[list[Parameter]], SetParametersResult]:
    names = [entry.name for entry in known]

    def check(parameters: list[Parameter]) -> SetParametersResult:
        values = {name: _plain(node.get_parameter(name).value) for name in names}
        changed = {p.name: _plain(p.value) for p in parameters if p.name in names}
        if not changed:
            return SetParametersResult(successful=True)
        try:
            live(_build(cls, known, {**values, **changed}, node.get_name()))
        except (ParameterError, ConfigError) as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    return check
