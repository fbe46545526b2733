"""Text with `$(...)` inside, as parameter files may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from s2e_bare.launch.substitution import Substitution, SubstitutionFailure
from s2e_bare.launch.substitutions import (
    Command,
    EnvironmentVariable,
    FindExecutable,
    LaunchConfiguration,
    PythonExpression,
    ThisLaunchFileDir,
)
from s2e_bare.launch_ros.substitutions import FindPackagePrefix, FindPackageShare

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

_INNERMOST = re.compile(r'\$\(([^()$]*)\)')


def _variable(name: str, default: str | None = None) -> Substitution:
    return LaunchConfiguration(name, default=default)


def _environment(name: str, default: str | None = None) -> Substitution:
    return EnvironmentVariable(name, default_value=default)


_KNOWN: dict[str, Callable[..., Substitution]] = {
    'var': _variable,
    'env': _environment,
    'optenv': lambda name, default='': _environment(name, default),
    'find-pkg-share': FindPackageShare,
    'find-pkg-prefix': FindPackagePrefix,
    'find-exec': lambda name: FindExecutable(name=name),
    'dirname': ThisLaunchFileDir,
    'command': Command,
    'eval': PythonExpression,
}
# These take the rest of the text as one argument.
_WHOLE = ('command', 'eval')


def expand_text(context: LaunchContext, text: str) -> str:
    """Fill in every `$(name arguments)`, from the inside out.

    Raises:
        SubstitutionFailure: An unknown name, or one that cannot be performed.
    """
    while True:
        found = _INNERMOST.search(text)
        if found is None:
            return text
        value = _substitution(found.group(1)).perform(context)
        text = text[: found.start()] + value + text[found.end() :]


def _substitution(body: str) -> Substitution:
    name, _, rest = body.strip().partition(' ')
    if name not in _KNOWN:
        raise SubstitutionFailure(
            f'$({body}): unknown substitution {name!r}, known are {sorted(_KNOWN)}'
        )
    arguments = [rest.strip().strip('\'"')] if name in _WHOLE else rest.split()
    try:
        return _KNOWN[name](*arguments)
    except TypeError as error:
        raise SubstitutionFailure(f'$({body}): {error}') from error
