"""Hands pieces to the importer of recordings, which cuts them into clips."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.importer import ClipReport, ImportConfig, import_recording
from s2e_training.data.sources.poses import planar_track
from s2e_training.data.sources.recording import Recording
from s2e_training.label.config import LabelConfig
from s2e_training.label.frames import Footage, read_frames, working_camera
from s2e_training.label.piece import Piece


def write_piece(
    piece: Piece, name: str, footage: Footage, camera: CameraModel, config: LabelConfig,
    out: Path, licence: str,
) -> list[ClipReport]:
    """Write the clips of a piece; what an interrupted run left of them is replaced.

    All images of the video between first and last pose are offered: a fast carrier is slowed by
    stretching time, which takes images from between the mapped ones.
    """
    for stale in out.glob(f'{name}_*'):
        shutil.rmtree(stale)
    first, last = int(piece.numbers[0]), int(piece.numbers[-1])
    mount = CameraMount(0.0, 0.0, config.height, piece.pitch)
    track, note = planar_track(_stamps(piece.numbers, footage), piece.poses, mount)
    recording = Recording(
        name, 'label', _stamps(np.arange(first, last + 1), footage),
        _Images(footage, first, camera, config.width), _lens(piece, camera, config), mount, track,
        licence, tuple(filter(None, (note,))),
    )
    provenance = {
        'video': footage.path.name, 'labelled_by': 'visual odometry',
        'confidence': round(float(piece.confidence.mean()), 4),
        'scale_spread': round(piece.spread, 4), 'camera_height': config.height,
        'first_frame': first, 'last_frame': last,
    }
    options = ImportConfig(v_max=config.top_speed, platform_v_max=50.0, longest=3600.0,
                           sparse=True)
    return import_recording(recording, out, options, provenance)[0]


class _Images:
    """A `Loader` that decodes the video again: a piece's images need not be kept."""

    def __init__(self, footage: Footage, first: int, camera: CameraModel, width: int) -> None:
        self._footage, self._first = footage, first
        self._camera, self._width = camera, width

    def __call__(self, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Decode images by their place in the piece."""
        chosen = set(wanted)
        start, end = self._first + min(chosen), self._first + max(chosen) + 1
        for number, frame in read_frames(self._footage, start, end, self._camera, self._width):
            if number - self._first in chosen:
                yield number - self._first, frame.rgb


def _stamps(numbers: np.ndarray, footage: Footage) -> np.ndarray:
    return np.round(numbers * (1e9 / footage.fps)).astype(np.int64)


def _lens(piece: Piece, camera: CameraModel, config: LabelConfig) -> CameraModel:
    """Return the working camera with the focal length that the mapper used."""
    lens = working_camera(camera, config.width)
    ratio = piece.focal / lens.fx
    return CameraModel(lens.width, lens.height, lens.fx * ratio, lens.fy * ratio, lens.cx, lens.cy)
