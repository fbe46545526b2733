"""Labels a video chunk by chunk; finished chunks are kept, so a stopped run goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2e_core.camera import CameraModel
from s2e_core.config import to_mapping
from s2e_training.errors import TrainingError
from s2e_training.label.clips import write_piece
from s2e_training.label.config import LabelConfig
from s2e_training.label.frames import Footage, read_frames, working_camera
from s2e_training.label.gather import gather
from s2e_training.label.mapping import map_views
from s2e_training.label.parallax import has_parallax
from s2e_training.label.piece import Piece, make_pieces
from s2e_training.label.summary import draw_summary
from s2e_training.label.views import Views

SUMMARY = 'summary.png'
SETTINGS = 'label.json'
NO_POSE = 'no pose: the mapper lost the way'
NO_PARALLAX = 'no pose: no parallax (standing, or turning on the spot)'


@dataclass(frozen=True)
class Chunk:
    """A stretch of the video that is mapped at once."""

    index: int
    first: int
    last: int
    """Frame after the last."""
    kept: tuple[int, ...]
    """Frames at the mapping rate."""


def chunks(footage: Footage, config: LabelConfig) -> list[Chunk]:
    """Divide a video; chunks overlap so that no label of 2 s is lost between them."""
    # Whole steps only, so that the period is even: 12.5 frames/s give 6.25 Hz, not 5.
    step = max(1, round(footage.fps / config.rate))
    numbers = list(range(0, footage.count, step))
    ahead, start = max(1, config.chunk - config.overlap), 0
    found: list[Chunk] = []
    while start < len(numbers):
        part = numbers[start:start + config.chunk]
        found.append(Chunk(len(found), part[0], part[-1] + 1, tuple(part)))
        if start + config.chunk >= len(numbers):
            break
        start += ahead
    return found


def label(
    footage: Footage, camera: CameraModel, config: LabelConfig, out: Path, licence: str,
    progress: Callable[[int, int, dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Label a video.

    Args:
        footage: The video.
        camera: Its intrinsics.
        config: Settings.
        out: Folder of the clips; made if absent.
        licence: Licence of the video.
        progress: Called after each chunk with its number, the number of chunks, its record.

    Returns:
        One record per chunk: clips, rejected spans and their reasons.

    Raises:
        TrainingError: `out` holds labels made from another video or with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    _hold_settings(out / SETTINGS, {
        'video': footage.path.name, 'frames': footage.count, 'camera': to_mapping(camera),
        'settings': to_mapping(config),
    })
    records, todo = [], chunks(footage, config)
    for chunk in todo:
        file = out / f'chunk_{chunk.index:04d}.json'
        record = _read_record(file)
        if record is None:
            record = label_chunk(footage, chunk, camera, config, out, licence)
            draft = file.with_suffix('.tmp')
            draft.write_text(json.dumps(record), encoding='utf-8')
            draft.rename(file)
        records.append(record)
        if progress is not None:
            progress(chunk.index + 1, len(todo), record)
    draw_summary(out / SUMMARY, footage.path.name, records, footage.fps, footage.count)
    return records


def label_chunk(
    footage: Footage, chunk: Chunk, camera: CameraModel, config: LabelConfig, out: Path,
    licence: str,
) -> dict[str, Any]:
    """Label one chunk and write its clips."""
    lens = working_camera(camera, config.width)
    frames = _tracked(read_frames(footage, chunk.first, chunk.last, camera, config.width),
                      footage.fps, chunk)
    views = gather(frames, set(chunk.kept), config.features)
    pieces, rejected = solve(views, lens, config)
    labelled = {int(n) for piece in pieces for n in piece.numbers}
    reasons = {n: rejected.get(n, NO_POSE) for n in chunk.kept if n not in labelled}
    rows = []
    for index, piece in enumerate(pieces):
        name = f'{_safe(footage.path.stem)}_{chunk.index:04d}_{index}'
        clips = write_piece(piece, name, footage, camera, config, out, licence)
        rows.append({
            'name': name, 'numbers': piece.numbers.tolist(), 'speed': round(piece.speed, 3),
            'clips': [clip.folder.name for clip in clips],
            'xy': np.round(piece.poses[:, :2, 3], 3).tolist(),
            'confidence': np.round(piece.confidence, 3).tolist(),
        })
    return {'chunk': chunk.index, 'frames': len(chunk.kept), 'pieces': rows,
            'rejected': _spans(reasons, chunk.kept)}


def solve(
    views: Views, lens: CameraModel, config: LabelConfig
) -> tuple[list[Piece], dict[int, str]]:
    """Map views and give the models their scale.

    Returns:
        Pieces without common frames, earliest first, and frame number -> reason.
    """
    pieces: list[Piece] = []
    rejected = dict(views.rejected)
    if not has_parallax(views, lens):
        return [], {**dict.fromkeys(views.numbers, NO_PARALLAX), **rejected}
    for model in map_views(views, lens, config.refine_focal):
        found, reasons = make_pieces(views, model, config)
        taken = {int(n) for piece in pieces for n in piece.numbers}
        pieces += [p for p in found if not taken & set(p.numbers.tolist())]
        for number, reason in reasons.items():
            rejected.setdefault(number, reason)
    return sorted(pieces, key=lambda piece: int(piece.numbers[0])), rejected


def _tracked(
    frames: Iterator[tuple[int, Any]], fps: float, chunk: Chunk
) -> Iterator[tuple[int, Any]]:
    """Thin out what the tracker sees: over 15 Hz adds time, not accuracy."""
    step = chunk.kept[1] - chunk.kept[0] if len(chunk.kept) > 1 else 1
    inner = next(d for d in range(1, step + 1) if d == step or (step % d == 0 and fps / d <= 16))
    return ((n, frame) for n, frame in frames if (n - chunk.first) % inner == 0)


def _spans(reasons: Mapping[int, str], kept: tuple[int, ...]) -> list[tuple[int, int, str]]:
    """Join neighbouring frames of one reason: (first, last, reason)."""
    spans: list[tuple[int, int, str]] = []
    for before, number in zip((-1, *kept[:-1]), kept, strict=True):
        reason = reasons.get(number)
        if reason is None:
            continue
        if spans and spans[-1][1] == before and spans[-1][2] == reason:
            spans[-1] = (spans[-1][0], number, reason)
        else:
            spans.append((number, number, reason))
    return spans


def _hold_settings(path: Path, settings: dict[str, Any]) -> None:
    text = json.dumps(settings, indent=1, sort_keys=True)
    if path.is_file() and path.read_text(encoding='utf-8') != text:
        raise TrainingError(
            f'{path}: the folder holds labels of another video or other settings; '
            'choose another folder or remove it'
        )
    path.write_text(text, encoding='utf-8')


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    names = [name for piece in record['pieces'] for name in piece['clips']]
    whole = all((path.parent / name).is_dir() for name in names)
    return record if whole else None


def _safe(name: str) -> str:
    """Return a name that is fit for folders and patterns."""
    return re.sub(r'[^A-Za-z0-9-]+', '-', name).strip('-') or 'video'
