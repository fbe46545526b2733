"""Means and intervals of many episodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from navbench_gs.metrics.estimate import Estimate, estimate
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.tasks.spec import TASKS, EpisodeSpec

PROPORTIONS = ('success', 'collision_free_success')
METRICS = (
    'success', 'collision_free_success', 'route_completion', 'collisions', 'spl', 'duration',
    'path_length', 'contact_time', 'pushed', 'clearance', 'person_gap', 'ttc', 'intrusion',
    'jerk', 'freezing',
)


@dataclass(frozen=True)
class Scored:
    """An episode and its metrics."""

    spec: EpisodeSpec
    scores: EpisodeScores


@dataclass(frozen=True)
class Summary:
    """The metrics of a set of episodes."""

    name: str
    """Task, or 'all'."""
    episodes: int
    scenes: int
    metrics: dict[str, Estimate]
    causes: dict[str, int]
    """Failures by cause."""


def summarise(name: str, episodes: Sequence[Scored], seed: int = 0) -> Summary:
    """Summarise episodes.

    Args:
        name: Name of the set.
        episodes: Its episodes.
        seed: Seed of the bootstrap.
    """
    metrics = {
        metric: estimate(
            ((item.spec.scene, float(getattr(item.scores, metric))) for item in episodes),
            proportion=metric in PROPORTIONS, seed=seed,
        )
        for metric in METRICS
    }
    causes: dict[str, int] = {}
    for item in episodes:
        if item.scores.cause.value:
            causes[item.scores.cause.value] = causes.get(item.scores.cause.value, 0) + 1
    scenes = {item.spec.scene for item in episodes}
    return Summary(name, len(episodes), len(scenes), metrics, dict(sorted(causes.items())))


def by_task(episodes: Iterable[Scored], seed: int = 0) -> list[Summary]:
    """Summarise each task that occurs, in the protocol's order, and all together last."""
    items = list(episodes)
    present = [task for task in TASKS if any(item.spec.task == task for item in items)]
    parts = [
        summarise(task, [item for item in items if item.spec.task == task], seed)
        for task in present
    ]
    if len(parts) > 1:
        parts.append(summarise('all', items, seed))
    return parts


def by_route(episodes: Iterable[Scored], seed: int = 0) -> list[Summary]:
    """Summarise each task twice: where the straight line is free, and where a corner blocks it."""
    items = list(episodes)
    parts = []
    for task in TASKS:
        for blocked, name in ((False, 'line free'), (True, 'corner blocks')):
            group = [
                item for item in items
                if item.spec.task == task and item.spec.corner_blocked == blocked
            ]
            if group:
                parts.append(summarise(f'{task}, {name}', group, seed))
    return parts
