"""Maps: a picture of a scene's free space, and an episode drawn over it as SVG."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import ReportError
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch, obstacle_patch

FREE, SIDEWALK, OCCUPIED = 232, 250, 120
_MARGIN = 4.0
Place = Callable[[NDArray[np.floating]], NDArray[np.float64]]
"""Map points to picture points. [P, 2]"""
_MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class SceneMap:
    """A grey picture of a scene from above."""

    resolution: float
    """Metres per pixel."""
    origin: tuple[float, float]
    """Scene xy of the corner of row 0, column 0, metres; row = y."""
    grey: NDArray[np.uint8]
    """[R, C]"""


def map_stem(scene: str) -> str:
    """File name of a scene's map, without suffix."""
    return re.sub(r'[^A-Za-z0-9.-]+', '-', scene).strip('-.')


def save_map(collision: CollisionMap, scene: str, folder: Path) -> Path:
    """Write the picture of a scene, once per run, so that reports need no scene files.

    Raises:
        ReportError: the folder cannot be written.
    """
    path = folder / f'{map_stem(scene)}.png'
    grey = np.full(collision.occupancy.shape, FREE, np.uint8)
    if collision.sidewalk is not None:
        grey[collision.sidewalk] = SIDEWALK
    grey[collision.occupancy] = OCCUPIED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        meta = {'resolution': collision.resolution, 'origin': [float(v) for v in collision.origin]}
        path.with_suffix('.json').write_text(json.dumps(meta) + '\n', encoding='utf-8')
        coded = cv2.imencode('.png', grey)[1]
        path.write_bytes(coded.tobytes())
    except OSError as error:
        raise ReportError(f'{path}: cannot be written: {error.strerror}') from error
    return path


def load_map(scene: str, folder: Path) -> SceneMap | None:
    """Read a picture of `save_map`; None if there is none that can be used."""
    path = folder / f'{map_stem(scene)}.png'
    try:
        meta = json.loads(path.with_suffix('.json').read_text(encoding='utf-8'))
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if grey is None or grey.size > _MAX_PIXELS:
            return None
        x, y = meta['origin']
        return SceneMap(float(meta['resolution']), (float(x), float(y)), np.asarray(grey))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def episode_svg(log: EpisodeLog, scene: SceneMap | None, size: int = 340) -> str:
    """Draw an episode: free space, shortest way, driven way, contacts, people, obstacles.

    Args:
        log: The episode.
        scene: Background; white without.
        size: Longer edge, pixels.

    Returns:
        An `<svg>` element, self-contained.
    """
    low, high = _bounds(log)
    scale = size / float((high - low).max())
    width, height = (high - low) * scale

    def place(points: NDArray[np.floating]) -> NDArray[np.float64]:
        flipped = (np.asarray(points, np.float64).reshape(-1, 2) - low) * (1.0, -1.0)
        return flipped * scale + (0.0, height)

    head = (
        f'<svg class="map" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="map of {log.spec.id}">'
    )
    parts = [
        head,
        '<rect width="100%" height="100%" class="ground"/>',
    ]
    if scene is not None:
        parts.append(background(scene, low, high, scale))
    parts += _people(log, place)
    parts += [_patch(obstacle_patch(item), place, scale, item.pushable)
              for item in log.spec.obstacles]
    parts.append(_line(place(log.route), 'route'))
    driven = place(np.stack([log.ticks['x'][::4], log.ticks['y'][::4]], axis=1))
    parts.append(_line(driven, 'driven'))
    parts += _marks(log, place, scale)
    parts.append(scale_bar(scale, height))
    parts.append('</svg>')
    return ''.join(parts)


def _bounds(log: EpisodeLog) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = np.concatenate([
        np.stack([log.ticks['x'], log.ticks['y']], axis=1), log.route,
        [[log.spec.start.x, log.spec.start.y], log.spec.goal],
    ])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0) - _MARGIN, points.max(axis=0) + _MARGIN
    # No narrower than half as wide: a straight route along an axis would be a hair.
    span = float((high - low).max())
    grow = np.maximum(0.55 * span - (high - low), 0.0) / 2.0
    return low - grow, high + grow


def background(
    scene: SceneMap, low: NDArray[np.float64], high: NDArray[np.float64], scale: float
) -> str:
    """Return the part of a scene between two corners, metres, at so many pixels a metre."""
    shape = np.array(scene.grey.shape[::-1])
    first = np.clip(np.floor((low - scene.origin) / scene.resolution), 0, shape).astype(int)
    last = np.clip(np.ceil((high - scene.origin) / scene.resolution), 0, shape).astype(int)
    if (last <= first).any():
        return ''
    crop = scene.grey[first[1]:last[1], first[0]:last[0]][::-1]
    coded = base64.b64encode(cv2.imencode('.png', np.ascontiguousarray(crop))[1].tobytes())
    corner = np.asarray(scene.origin) + scene.resolution * first
    top = np.asarray(scene.origin)[1] + scene.resolution * last[1]
    w, h = (last - first) * scene.resolution * scale
    x, y = (corner[0] - low[0]) * scale, (high[1] - top) * scale
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" class="grid" '
        f'href="data:image/png;base64,{coded.decode()}" preserveAspectRatio="none"/>'
    )


def _line(points: NDArray[np.float64], name: str) -> str:
    if len(points) < 2:
        return ''
    text = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points[np.isfinite(points).all(axis=1)])
    return f'<polyline class="{name}" points="{text}"/>'


def _people(log: EpisodeLog, place: Place) -> list[str]:
    parts = []
    for index in range(log.people.shape[1]):
        seen = log.people[:, index]
        seen = seen[np.isfinite(seen[:, 0])]
        if not len(seen):
            continue
        track = place(seen)
        parts.append(_line(track, 'walk'))
        x, y = track[-1]
        parts.append(f'<circle class="person" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
    return parts


def _patch(patch: Patch, place: Place, scale: float, pushable: bool) -> str:
    name = 'obstacle loose' if pushable else 'obstacle'
    x, y = place(np.array([[patch.x, patch.y]]))[0]
    if patch.half_y == 0.0:
        radius = max(patch.half_x, PERSON_RADIUS / 2) * scale
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
    w, h = 2 * patch.half_x * scale, 2 * patch.half_y * scale
    return (
        f'<rect class="{name}" x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" transform="rotate({-math.degrees(patch.yaw):.1f} {x:.1f} {y:.1f})"/>'
    )


def _marks(log: EpisodeLog, place: Place, scale: float) -> list[str]:
    """Start, goal with its radius, end, and where contacts began."""
    start, goal, end = place(np.array([
        [log.spec.start.x, log.spec.start.y], log.spec.goal,
        [log.ticks['x'][-1], log.ticks['y'][-1]],
    ]))
    heading = -math.degrees(log.spec.start.yaw)
    turn = f'translate({start[0]:.1f} {start[1]:.1f}) rotate({heading:.1f})'
    radius = max(0.5 * scale, 4.0)
    parts = [
        f'<circle class="goal" cx="{goal[0]:.1f}" cy="{goal[1]:.1f}" r="{radius:.1f}"/>',
        f'<path class="start" transform="{turn}" d="M7,0 L-5,4.5 L-2.5,0 L-5,-4.5 Z"/>',
        f'<circle class="end" cx="{end[0]:.1f}" cy="{end[1]:.1f}" r="3"/>',
    ]
    return parts + contact_marks(log, place, 5.0)


def contact_marks(log: EpisodeLog, place: Place, arm: float) -> list[str]:
    """Cross where contacts began; one a second later with the same body is a new one.

    Args:
        log: The episode.
        place: From map to picture.
        arm: Half the size of a cross, pixels.
    """
    parts = []
    last: dict[str, int] = {}
    for contact in log.contacts:
        if contact.tick - last.get(contact.body, -1000) > 20:
            row = min(contact.tick, len(log.ticks['x']) - 1)
            x, y = place(np.array([[log.ticks['x'][row], log.ticks['y'][row]]]))[0]
            parts.append(
                f'<path class="contact" d="M{x - arm:.1f},{y - arm:.1f} l{2 * arm:g},{2 * arm:g} '
                f'm0,-{2 * arm:g} l-{2 * arm:g},{2 * arm:g}">'
                f'<title>{contact.kind}: {contact.body}, {row * 0.05:.1f} s</title></path>'
            )
        last[contact.body] = contact.tick
    return parts


def scale_bar(scale: float, height: float) -> str:
    """Return a bar of 5 m for the lower left corner."""
    length = 5.0 * scale
    y = height - 8
    return (
        f'<path class="halo" d="M8,{y:.1f} h{length:.1f}"/>'
        f'<path class="bar" d="M8,{y:.1f} h{length:.1f}"/>'
        f'<text class="bar-text" x="8" y="{y - 4:.1f}">5 m</text>'
    )
