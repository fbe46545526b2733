"""What a set of clips is: hours, licences, findings, and a picture of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from s2e_core.config import from_yaml
from s2e_training.data.clip import CLIP_FILE, ClipInfo, load_clip, load_tracks
from s2e_training.errors import TrainingError

IMAGES = 6
"""Images of one clip in the strip."""
TILE = 128
CLIPS = 24
"""Rows of the strip; more clips are sampled evenly."""
INK, PAPER, GOAL = (30, 90, 200), (250, 250, 250), (200, 60, 30)


@dataclass(frozen=True)
class Summary:
    """One clip."""

    folder: Path
    source: str
    licence: str
    frames: int
    seconds: float
    metres: float
    speed: float
    """Mean, m/s."""
    findings: tuple[str, ...]
    interventions: dict[str, int]
    """How many of each kind."""


def summarise(folder: Path) -> Summary:
    """Describe a clip without reading its images.

    Raises:
        TrainingError: Damaged.
        ConfigError: Damaged.
    """
    info = from_yaml(ClipInfo, folder / CLIP_FILE)
    tracks = load_tracks(folder)
    stamps, xy = tracks['stamps_ns'], tracks['odometry'][:, :2]
    seconds = float(stamps[-1] - stamps[0]) / 1e9
    metres = float(np.linalg.norm(np.diff(xy, axis=0), axis=1).sum())
    found = info.provenance.get('findings', [])
    notes = info.provenance.get('notes', [])
    texts = [*map(str, found), *(f'note: assumed: {note}' for note in notes)]
    stretched = float(info.provenance.get('time_stretched_by', 1.0))
    if stretched > 1.0:
        texts.append(f'note: slowed: time stretched by {stretched:.3f}')
    return Summary(
        folder, info.source, info.licence, info.frames, seconds, metres,
        metres / max(seconds, 1e-9), tuple(texts), _interventions(info),
    )


def _interventions(info: ClipInfo) -> dict[str, int]:
    moments = info.provenance.get('interventions', [])
    if not isinstance(moments, list):
        raise TrainingError(f'{info.source}: interventions must be a list, got {moments!r:.80}')
    kinds = [str(item.get('kind')) if isinstance(item, dict) else 'unknown' for item in moments]
    return dict(sorted(Counter(kinds).items()))


def totals(rows: Sequence[Summary]) -> dict[tuple[str, str], float]:
    """Add up the hours by source and licence, and over all."""
    result: dict[tuple[str, str], float] = {}
    for row in rows:
        for key in ((row.source, row.licence), ('all', '')):
            result[key] = result.get(key, 0.0) + row.seconds / 3600
    result['all', ''] = result.pop(('all', ''), 0.0)
    return result


def count_interventions(rows: Sequence[Summary]) -> dict[str, int]:
    """Add up the interventions of all clips by kind."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row.interventions)
    return dict(sorted(total.items()))


def draw_strip(folders: Sequence[Path]) -> np.ndarray:
    """Draw a row for each clip: some of its images, then its path with the goal.

    Returns:
        Picture. [rows * 128, 7 * 128, 3] uint8
    """
    chosen = np.unique(np.linspace(0, len(folders) - 1, min(len(folders), CLIPS)).round())
    rows = [_row(folders[int(i)]) for i in chosen]
    return np.concatenate(rows)


def _row(folder: Path) -> np.ndarray:
    clip = load_clip(folder)
    picks = np.linspace(0, len(clip.rgb) - 1, IMAGES).round().astype(int)
    tiles = [
        cv2.resize(clip.rgb[i], (TILE, TILE), interpolation=cv2.INTER_AREA) for i in picks
    ]
    return np.concatenate([*tiles, _path(clip.odometry[:, :2], clip.goal)], axis=1)


def _path(xy: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Draw a path seen from above, its start pointing up. [128, 128, 3]"""
    tile = np.full((TILE, TILE, 3), PAPER, np.uint8)
    points = xy if np.isnan(goal).any() else np.concatenate([xy, goal[None]])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (TILE - 24) / max(float((high - low).max()), 1.0)
    middle = (low + high) / 2
    pixels = np.round(
        TILE / 2 + (points - middle)[:, ::-1] * np.array([-scale, -scale])
    ).astype(np.int32)
    cv2.polylines(tile, [pixels[:len(xy)]], False, INK, 2, cv2.LINE_AA)
    cv2.circle(tile, [int(v) for v in pixels[0]], 4, INK, -1, cv2.LINE_AA)
    if len(points) > len(xy):
        cv2.circle(tile, [int(v) for v in pixels[-1]], 5, GOAL, 2, cv2.LINE_AA)
    return tile
