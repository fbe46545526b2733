"""Opens what a user names: a recording in a known form, or just pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from s2e_training.data.sources.options import SourceOptions
    from s2e_training.data.sources.recording import Recording

WALK = 1.2
"""Speed of a person on foot, m/s; assumed where poses are known but no times."""
PICTURES_PER_SECOND = 2.0
"""Rate of pictures of which nothing is known: slow enough to look at, one window for all."""


def open_source(path: Path, options: SourceOptions) -> Recording:
    """Open a bag, a video, a folder of images in a known form, or any folder of pictures.

    Args:
        path: File or folder; a folder that holds one recording stands for it.
        options: What the source does not say itself.

    Raises:
        TrainingError: Nothing that can be replayed, with what was looked for.
        ConfigError: The options do not fit.
    """
    from s2e_training.data.sources.opening import open_recording
    from s2e_training.errors import TrainingError

    if options.speed is None and options.rate is None:
        options = replace(options, speed=WALK)
    try:
        recording = open_recording(only(path, options), options)
    except TrainingError as error:
        if options.format != 'auto' or not path.exists():
            raise
        pictures = _pictures(path, options)
        if pictures is None:
            raise
        return pictures.with_notes(f'taken as bare pictures: {error}')
    if not len(recording):
        poses = 'poses only' if recording.track is not None else 'no poses either'
        raise TrainingError(f'{path}: this {recording.kind} holds no images to replay, {poses}')
    return recording


def only(path: Path, options: SourceOptions) -> Path:
    """Return the one recording that lies in a folder, or the path itself."""
    from s2e_training.data.sources.opening import find_recordings
    from s2e_training.errors import TrainingError

    found = find_recordings(path, options)
    if len(found) > 1:
        names = ', '.join(part.name for part in found[:5])
        raise TrainingError(f'{path}: holds {len(found)} recordings, name one of {names}')
    return found[0]


def _pictures(path: Path, options: SourceOptions) -> Recording | None:
    """Take every picture of a folder, or of its `images`, in the order of their names."""
    from s2e_training.data.sources.folder import FileImages, has_images, image_files
    from s2e_training.data.sources.poses import nanoseconds
    from s2e_training.data.sources.recording import Recording

    folder = next((f for f in (path, path / 'images') if has_images(f)), None)
    if folder is None:
        return None
    load = FileImages(image_files(folder))
    rate = options.rate or PICTURES_PER_SECOND
    note = f'no stamps: {rate:g} pictures per second assumed (--rate)'
    stamps = nanoseconds(np.arange(len(load.files)) / rate)
    camera = options.camera_for(*load.size(), None)
    return Recording(path.name, 'pictures', stamps, load, camera, options.mount, notes=(note,))
