"""Opens a recording of any format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from s2e_training.data.sources.colmap import is_colmap, read_colmap
from s2e_training.data.sources.donkeycar import is_donkeycar, read_donkeycar
from s2e_training.data.sources.gnm import is_gnm, read_gnm
from s2e_training.data.sources.kitti import is_kitti, read_kitti
from s2e_training.data.sources.options import SourceOptions
from s2e_training.data.sources.recording import Recording
from s2e_training.data.sources.rosbag import is_rosbag, read_rosbag
from s2e_training.data.sources.tum import is_tum, read_tum
from s2e_training.data.sources.video import is_video, read_video
from s2e_training.errors import TrainingError

READERS: dict[str, tuple[Callable[[Path], bool], Callable[[Path, SourceOptions], Recording]]] = {
    'rosbag': (is_rosbag, read_rosbag),
    'gnm': (is_gnm, read_gnm),
    'donkeycar': (is_donkeycar, read_donkeycar),
    'colmap': (is_colmap, read_colmap),
    'kitti': (is_kitti, read_kitti),
    'video': (is_video, read_video),
    'tum': (is_tum, read_tum),
}
"""For each format: whether a path looks like it, and its reader; asked in this order."""


def open_recording(source: Path, options: SourceOptions | None = None) -> Recording:
    """Open one recording: a bag, a video, or a folder of images in a known form.

    Imports no torch. The images are read when `Recording.frames` or `load` are called; stamps,
    intrinsics and poses are there at once. Folders of many recordings: `find_recordings`.

    Args:
        source: File or folder.
        options: What the source does not say itself.

    Raises:
        TrainingError: No such file, no known form, or damaged.
        ConfigError: The options do not fit.
    """
    options = options or SourceOptions()
    kind = options.format if options.format != 'auto' else detect(source)
    return READERS[kind][1](source, options)


def detect(source: Path) -> str:
    """Name the format of a file or folder.

    Raises:
        TrainingError: It has none that is known.
    """
    if not source.exists():
        raise TrainingError(f'{source}: no such file or folder')
    for kind, (matches, _) in READERS.items():
        if matches(source):
            return kind
    raise TrainingError(f'{source}: has no known form; known: {", ".join(READERS)}')


def find_recordings(source: Path, options: SourceOptions | None = None) -> list[Path]:
    """List what `open_recording` can open: the source itself, or the folders right below it.

    Raises:
        TrainingError: There is nothing.
    """
    if options is not None and options.format != 'auto':
        matches = READERS[options.format][0]
    else:
        def matches(path: Path) -> bool:
            return any(test(path) for test, _ in READERS.values())
    if not source.exists():
        raise TrainingError(f'{source}: no such file or folder')
    if matches(source) or not source.is_dir():
        return [source]
    below = [path for path in sorted(source.iterdir()) if matches(path)]
    return below or [source]
