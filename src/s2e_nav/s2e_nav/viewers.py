"""Programs that show what the nodes do: RViz, and Foxglove through its bridge."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from s2e_core.paths import find_config
from s2e_nav.errors import StartError


@dataclass(frozen=True)
class Viewer:
    """A program of another package that is started beside the nodes."""

    package: str
    executable: str
    arguments: list[str] = field(default_factory=list)
    hint: str = ''
    """What is left to do by hand."""


def viewers(
    words: str, use_sim_time: bool, environment: Mapping[str, str] = os.environ
) -> list[Viewer]:
    """Return the programs that a launch argument names.

    Args:
        words: `rviz`, `foxglove`, both with a comma between them, or nothing.
        use_sim_time: Whether time comes from /clock.
        environment: Environment variables.

    Raises:
        StartError: An unknown word, or a package that is not installed.
    """
    known = {'rviz': _rviz, 'foxglove': _foxglove}
    found = []
    for word in filter(None, (part.strip() for part in words.split(','))):
        if word not in known:
            raise StartError(f'view:= must be among {", ".join(known)}, got {word!r}')
        viewer = known[word](use_sim_time)
        if not is_installed(viewer.package, environment):
            raise StartError(
                f'view:={word} needs the package {viewer.package}, which is not installed here'
            )
        found.append(viewer)
    return found


def is_installed(package: str, environment: Mapping[str, str]) -> bool:
    """Say whether the ament index of some prefix lists a package."""
    prefixes = filter(None, environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep))
    return any(
        (Path(prefix) / 'share/ament_index/resource_index/packages' / package).is_file()
        for prefix in prefixes
    )


def _rviz(use_sim_time: bool) -> Viewer:
    time = ['--ros-args', '-p', f'use_sim_time:={str(use_sim_time).lower()}']
    return Viewer('rviz2', 'rviz2', ['-d', str(find_config('rviz/s2e.rviz')), *time])


def _foxglove(use_sim_time: bool) -> Viewer:
    layout = find_config('foxglove/s2e.json')
    # Loopback: whoever reaches the bridge can publish on every topic.
    given = ['-p', 'address:=127.0.0.1', '-p', f'use_sim_time:={str(use_sim_time).lower()}']
    return Viewer(
        'foxglove_bridge', 'foxglove_bridge', ['--ros-args', *given],
        f'open Foxglove on ws://127.0.0.1:8765 and import the layout {layout}',
    )
