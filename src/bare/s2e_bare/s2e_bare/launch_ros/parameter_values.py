"""Parameter values: what a launch file writes, evaluated to what a node may get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

import yaml

from s2e_bare.launch.conditions import parse_truth
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    perform_text,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Scalar = bool | int | float | str
Value = Scalar | list[Scalar]

_SCALARS = (bool, int, float, str)


def evaluate_parameters(
    context: LaunchContext, parameters: Mapping[Any, Any], prefix: str = ''
) -> dict[str, Value]:
    """Evaluate a dictionary of parameters; nested dictionaries become dotted names.

    Raises:
        TypeError: A value of a kind that a ROS parameter cannot have; the message names it.
    """
    found: dict[str, Value] = {}
    for key, value in parameters.items():
        name = prefix + perform_text(context, key)
        if isinstance(value, Mapping):
            found.update(evaluate_parameters(context, value, f'{name}.'))
            continue
        try:
            evaluate = getattr(value, 'evaluate', None)
            found[name] = evaluate(context) if evaluate else evaluate_value(context, value)
        except (TypeError, ValueError) as error:
            raise TypeError(f'parameter {name!r}: {error}') from error
    return found


def evaluate_value(context: LaunchContext, value: Any, value_type: Any = None) -> Value:
    """Evaluate one value.

    Plain values keep their type, plain text stays text. Text that holds a substitution is
    read as YAML, unless a type is given. A list of text and substitutions is one text when
    a substitution is in it, as upstream has it; a list of lists is a list of texts.

    Args:
        context: Context of the launch.
        value: What the launch file wrote.
        value_type: Type to convert to, None to keep or to read as YAML.
    """
    if value_type is not None:
        return _typed(context, value, value_type)
    if isinstance(value, Substitution):
        return check_value(read_yaml(perform_text(context, value)))
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return _sequence(context, value)
    raise TypeError(f'a parameter cannot be a {type(value).__name__}: {value!r}')


def check_value(value: Any) -> Value:
    """Check that a value read from YAML can be a ROS parameter.

    Raises:
        TypeError: It is a mapping, null, or a list of mixed types.
    """
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, list):
        return _uniform(value)
    raise TypeError(
        f'expected a bool, int, float, str or a list of one of these, got {value!r}; '
        'use ParameterValue(..., value_type=str) to keep text as it is'
    )


def read_yaml(text: str) -> Any:
    """Read substituted text as YAML; text that is no YAML raises with a hint.

    Raises:
        TypeError: It is not valid YAML.
    """
    if not text:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TypeError(
            f'cannot read {text[:60]!r} as YAML ({str(error).splitlines()[0]}); '
            'use ParameterValue(..., value_type=str) to keep text as it is'
        ) from error


def _sequence(context: LaunchContext, value: Sequence[Any]) -> Value:
    if not value:
        raise TypeError('an empty list has no type: leave the parameter out')
    if any(isinstance(item, Substitution) for item in value):
        return check_value(read_yaml(perform_text(context, value)))
    if any(isinstance(item, (list, tuple)) for item in value):
        return _uniform([read_yaml(perform_text(context, _texts(item))) for item in value])
    return _uniform(list(value))


def _texts(item: Any) -> SomeSubstitutionsType:
    return item if isinstance(item, (list, tuple, str, Substitution)) else str(item)


def _uniform(items: Iterable[Any]) -> Value:
    """Give a list of one type; whole numbers among floats become floats."""
    found = list(items)
    kinds = {type(item) for item in found}
    if kinds == {int, float}:
        return [float(item) for item in found]
    if len(kinds) == 1 and kinds <= set(_SCALARS):
        return found
    raise TypeError(f'a list needs items of one type (bool, int, float or str), got {found!r}')


def _typed(context: LaunchContext, value: Any, value_type: Any) -> Value:
    origin = get_origin(value_type)
    if origin in (list, Sequence) or (origin is not None and issubclass(origin, Sequence)):
        (inner,) = get_args(value_type)
        items = value
        if _is_text(value):
            items = read_yaml(perform_text(context, value))
        if not isinstance(items, Sequence) or isinstance(items, str):
            raise TypeError(f'expected a list of {inner.__name__}, got {items!r}')
        return [_scalar(context, item, inner) for item in items]
    if value_type not in _SCALARS:
        raise TypeError(f'value_type {value_type!r} is not supported')
    return _scalar(context, value, value_type)


def _is_text(value: Any) -> bool:
    """True for one text: a string, a substitution, or a list with a substitution in it."""
    if isinstance(value, (str, Substitution)):
        return True
    return isinstance(value, Sequence) and any(isinstance(v, Substitution) for v in value)


def _scalar(context: LaunchContext, value: Any, wanted: type) -> Scalar:
    if isinstance(value, _SCALARS) and not isinstance(value, str):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        plain = wanted is float or type(value) is wanted
        if plain and not (wanted is float and isinstance(value, bool)):
            return wanted(value)
    else:
        text = perform_text(context, value)
    try:
        if wanted is bool:
            return parse_truth(text)
        return wanted(text)
    except Exception as error:
        raise TypeError(f'expected a {wanted.__name__}, got {text!r}') from error
