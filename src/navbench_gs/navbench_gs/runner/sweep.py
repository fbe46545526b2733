"""Runs of one policy under conditions that worsen one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from navbench_gs.errors import RunError
from navbench_gs.metrics.summary import Summary
from navbench_gs.runner.plan import PolicyFactory, RunConfig
from navbench_gs.runner.run import Progress, run_benchmark
from navbench_gs.tasks.spec import Task


@dataclass(frozen=True)
class Axis:
    """One thing that gets worse."""

    name: str
    label: str
    """For the plot."""
    values: tuple[float, ...]
    """What is tried unless the user says otherwise."""
    apply: Callable[[RunConfig, float], RunConfig]
    tasks: tuple[Task, ...] = ()
    """The only tasks it can matter in; all where empty."""
    nominal: Callable[[RunConfig], float] = lambda config: 0.0
    """The value of the protocol itself; NaN where only the policy knows it."""
    note: str = ''
    """What to keep in mind when reading the curve."""


def _condition(name: str) -> Callable[[RunConfig, float], RunConfig]:
    def apply(config: RunConfig, value: float) -> RunConfig:
        changed: Any = {name: value}
        return replace(config, conditions=replace(config.conditions, **changed))

    return apply


def _drift(config: RunConfig, factor: float) -> RunConfig:
    rules = config.protocol.drift
    worse = replace(rules, distance=rules.distance * factor, yaw=rules.yaw * factor)
    return replace(config, protocol=replace(config.protocol, drift=worse))


def _people(config: RunConfig, count: float) -> RunConfig:
    protocol = config.protocol
    if protocol.recorded.tracks:
        recorded = replace(protocol.recorded, most=round(count))
        return replace(config, protocol=replace(protocol, recorded=recorded))
    people = replace(protocol.people, count=round(count))
    return replace(config, protocol=replace(protocol, people=people))


def _usual_people(config: RunConfig) -> float:
    protocol = config.protocol
    return protocol.recorded.most if protocol.recorded.tracks else protocol.people.count


WITH_PEOPLE: tuple[Task, ...] = ('pedestrian', 'obstacle_pedestrian')
AXES: dict[str, Axis] = {axis.name: axis for axis in (
    Axis('fov', 'horizontal field of view, degrees', (60, 75, 90, 105, 120), _condition('hfov'),
         nominal=lambda config: math.nan,
         note="Images are re-projected into the policy's view; what the lens does not see is "
         'black, or its nearest pixel where the policy says so.'),
    Axis('height', 'camera higher by, m', (-0.3, -0.15, 0, 0.15, 0.3), _condition('height')),
    Axis('pitch', 'camera looks down by, degrees', (-10, -5, 0, 5, 10), _condition('pitch')),
    Axis('exposure', 'exposure, EV', (-2, -1, 0, 1, 2), _condition('exposure')),
    Axis('blur', 'blur, pixels of the policy image', (0, 1, 2, 4), _condition('blur')),
    Axis('frame_drop', 'share of images lost', (0, 0.1, 0.3, 0.5), _condition('frame_drop'),
         note='This measures the safety gate as much as the policy. One lost image leaves 400 ms '
         'between two, more than the 300 ms it allows: it brakes and goes on after a second '
         'without another loss. Where losses follow each other for five seconds it stays until a '
         'new goal, and an episode has only one: at a share of 0.3 most end standing.'),
    Axis('latency', 'delay of commands, s', (0, 0.1, 0.2, 0.4), _condition('latency')),
    Axis('goal_noise', 'error of the goal, m (standard deviation)', (0, 0.25, 0.5, 1),
         _condition('goal_noise')),
    Axis('drift', "odometry drift, times the protocol's", (0, 1, 4, 10), _drift,
         nominal=lambda config: 1.0, note='A rule of the protocol: these runs have other hashes.'),
    Axis('people', 'people near the route', (0, 5, 10, 20), _people, WITH_PEOPLE,
         _usual_people, 'A rule of the protocol: these runs have other hashes.'),
)}
"""Every axis by name."""


@dataclass(frozen=True)
class Point:
    """One run of a sweep."""

    axis: Axis
    value: float
    config: RunConfig
    folder: Path

    @property
    def episodes(self) -> int:
        """Episodes of the run."""
        return len(self.config.items())


@dataclass(frozen=True)
class Measured:
    """What a run of a sweep gave in one task."""

    axis: str
    value: float
    protocol: str
    """Hash; drift and people are rules of the protocol."""
    summary: Summary


def plan(
    config: RunConfig, axes: Sequence[tuple[str, Sequence[float]]], out: Path,
    own_fov: float = math.nan,
) -> list[Point]:
    """Lay out the runs; what changes nothing is run once, for all axes together.

    Every axis gets its nominal value beside the values that are asked for.

    Args:
        config: The run that is varied.
        axes: Names with values; without values an axis takes its own.
        out: Folder of the sweep.
        own_fov: Horizontal field of view of the policy's camera, degrees; NaN if not known.

    Raises:
        RunError: no such axis, or none of the tasks is one it can matter in.
        ConfigError: a value out of bounds.
    """
    points = []
    for name, values in axes:
        axis = AXES.get(name)
        if axis is None:
            raise RunError(f'axes: must be among {", ".join(AXES)}, got {name!r}')
        tasks = tuple(t for t in config.tasks if not axis.tasks or t in axis.tasks)
        if not tasks:
            raise RunError(f'{name} matters only in {list(axis.tasks)}, got {list(config.tasks)}')
        base = replace(config, tasks=tasks)
        nominal = own_fov if name == 'fov' else axis.nominal(base)
        usual = set() if math.isnan(nominal) else {float(nominal)}
        for value in sorted({float(value) for value in values or axis.values} | usual):
            varied = base if value == nominal else axis.apply(base, value)
            folder = out / 'nominal' if varied == base else out / name / f'{value:g}'
            points.append(Point(axis, value, varied, folder))
    return points


def measure(
    points: Sequence[Point], factory: PolicyFactory, details: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Measured]:
    """Run what is not there yet and summarise each point by task.

    Args:
        points: Of `plan`.
        factory: Makes the policy.
        details: For each run's run.json.
        progress: Called after each episode.

    Raises:
        RunError: a folder holds another run.
    """
    measured = []
    done: dict[tuple[Path, tuple[Task, ...]], list[Summary]] = {}
    for point in points:
        key = (point.folder, point.config.tasks)
        if key not in done:
            done[key] = run_benchmark(
                point.config, factory, point.folder, progress=progress, details=details
            )
        measured += [
            Measured(point.axis.name, point.value, point.config.protocol.hash, summary)
            for summary in done[key]
        ]
    return measured


def total(points: Sequence[Point]) -> int:
    """Return how many episodes `measure` goes through, the shared ones once."""
    runs = {(point.folder, point.config.tasks): point.episodes for point in points}
    return sum(runs.values())
