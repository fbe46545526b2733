"""A scene with every drive of one run or several on it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.report.map import SceneMap, background, contact_marks, scale_bar

_MARGIN = 3.0
_EVERY = 10
"""Ticks between two points of a path: half a second."""


def outcome_colour(log: EpisodeLog) -> str:
    """Return green for a success without contact, orange for one with, red for a failure."""
    if log.outcome != Outcome.SUCCESS.value:
        return '#c8372d'
    return '#c27c0e' if log.contacts else '#16803c'


def overview_svg(
    drives: Sequence[tuple[EpisodeLog, str]], scene: SceneMap | None, size: int = 560
) -> str:
    """Draw all paths in one scene, and where contacts began.

    Args:
        drives: Episodes of the scene and their colours.
        scene: Background; white without.
        size: Edge, pixels.

    Returns:
        An `<svg>` element, self-contained.
    """
    logs = [log for log, _ in drives]
    points = np.concatenate([_path(log) for log in logs] + [[log.spec.goal] for log in logs])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    # Square, so that the maps of a page line up whatever the routes.
    half = float(np.ptp(points, axis=0).max()) / 2.0 + _MARGIN
    low, high = middle - half, middle + half
    scale = size / (2.0 * half)

    def place(xy: NDArray[np.floating]) -> NDArray[np.float64]:
        flipped = (np.asarray(xy, np.float64).reshape(-1, 2) - low) * (1.0, -1.0)
        return flipped * scale + (0.0, size)

    label = html.escape(f'all drives in {logs[0].spec.scene}')
    parts = [
        f'<svg class="map all" viewBox="0 0 {size} {size}" role="img" aria-label="{label}">',
        '<rect width="100%" height="100%" class="ground"/>',
    ]
    if scene is not None:
        parts.append(background(scene, low, high, scale))
    for log, colour in drives:
        way = ' '.join(f'{x:.1f},{y:.1f}' for x, y in place(_path(log)))
        parts.append(f'<polyline class="drive" stroke="{colour}" points="{way}"/>')
    for log in logs:
        goal = place(np.array(log.spec.goal))[0]
        parts.append(f'<circle class="goal" cx="{goal[0]:.1f}" cy="{goal[1]:.1f}" r="3"/>')
        parts += contact_marks(log, place, 3.0)
    return ''.join([*parts, scale_bar(scale, float(size)), '</svg>'])


def _path(log: EpisodeLog) -> NDArray[np.float64]:
    path = np.stack([log.ticks['x'], log.ticks['y']], axis=1)
    return np.concatenate([path[::_EVERY], path[-1:]])
