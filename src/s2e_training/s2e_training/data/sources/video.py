"""Plain video, with a pose file or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from s2e_core.pixels import MAX_PIXELS
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.paired import track_from_file
from s2e_training.data.sources.recording import Recording
from s2e_training.errors import TrainingError

SUFFIXES = {'.mp4', '.mov', '.mkv', '.avi', '.webm', '.m4v', '.mpg', '.mpeg', '.ts'}


class VideoImages:
    """A `Loader` over a video file; decodes from its start each time."""

    def __init__(self, path: Path, stamps: np.ndarray) -> None:
        """Take the file and the stamps of its frames, by rising time. [N] int64"""
        self.path = path
        self._index = {int(stamp): index for index, stamp in enumerate(stamps)}

    def __call__(self, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Decode until the last wanted frame; damaged ones are left out."""
        left = set(wanted)
        with _open(self.path) as container:
            stream = _stream(container, self.path)
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    continue
                for frame in frames:
                    index = self._index.get(_nanoseconds(frame.pts, stream))
                    if index in left:
                        left.discard(index)
                        yield index, frame.to_ndarray(format='rgb24')
                if not left:
                    return


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def read_video(path: Path, options: SourceOptions) -> Recording:
    """Open a video; stamps are its own, counted from its first frame.

    Poses come from `options.poses`, else from a `.txt` of the video's name beside it.

    Raises:
        TrainingError: No video, without stamps, too large, or with damaged poses.
    """
    with _open(path) as container:
        stream = _stream(container, path)
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= MAX_PIXELS:
            raise TrainingError(f'{path}: image size {width}x{height} is out of range')
        try:
            points = sorted({
                _nanoseconds(packet.pts, stream) for packet in container.demux(stream)
                if packet.pts is not None
            })
        except av.FFmpegError as error:
            raise TrainingError(f'{path}: cannot be read: {error}') from error
    if not points:
        raise TrainingError(f'{path}: its frames have no stamps')
    raw = np.array(points, np.int64)
    stamps = raw - raw[0]
    beside = path.with_suffix('.txt')
    poses = options.path() or (beside if beside.is_file() else None)
    track, note = track_from_file(poses, stamps, options) if poses else (None, '')
    return Recording(
        path.name, 'video', stamps, VideoImages(path, raw),
        options.camera_for(width, height, None), options.mount, track, options.licence,
        (note,) if note else (), plain(options),
    )


def _open(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise TrainingError(f'{path}: cannot be read as video: {error}') from error


def _stream(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    if not container.streams.video:
        raise TrainingError(f'{path}: holds no video stream')
    stream = container.streams.video[0]
    stream.thread_type = 'AUTO'
    return stream


def _nanoseconds(points: int | None, stream: av.video.stream.VideoStream) -> int:
    base = stream.time_base
    if points is None or base is None:
        return -1
    return points * base.numerator * 1_000_000_000 // base.denominator
