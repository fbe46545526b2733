"""Launch arguments that nobody reads: `shadows:=true` must not start a drive."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ALIKE = 0.8
"""Similarity of two names, 0 to 1, from which one is taken for the other misspelt."""


def misspelt(given: Iterable[str], declared: Iterable[str]) -> list[str]:
    """Say which arguments look like declared ones and are not.

    A launch file that includes ours may have arguments of its own, which launch shows us too: only
    names that are nearly ours are told, and as a warning.

    Args:
        given: Names of all launch configurations.
        declared: Names that the launch file reads.
    """
    known = list(declared)
    found = []
    for name in sorted(set(given) - set(known)):
        close = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
        if close:
            found.append(f'{name}:= is not an argument and was ignored; is {close[0]}:= meant?')
    return found
