"""A recording of people, cleaned: metres, one clock, smooth, no jumps."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from navbench_gs.errors import TaskError
from navbench_gs.tasks.track_file import TrackRows, read_rows, refuse_size

STEP = 0.4
"""Seconds between two points of a track: how often the UCY and ETH recordings were annotated."""
GAP = 2.0
"""A person who is not seen for longer than this is another track afterwards, seconds."""
FASTEST = 5.0
"""Faster than this nobody walks: a track is cut there, m/s."""
BRISKEST = 2.2
"""A crowd is not as fast; where only its pace tells the time of a frame, that was told wrong, m/s.

Ten or twelve frames a second taken for 25 come out above it."""
LEAST_WALK = 0.5
"""In a recording where nobody gets so far nobody walks, or its unit is another, metres."""
USUAL_PACE = 1.3
"""Walking speed by which the time of a frame is told where the file does not say it, m/s."""
_SAY = 'say the frames per second (fps=) and metres per unit (scale=)'


@dataclass(frozen=True)
class Track:
    """Where one person walked without a gap."""

    person: int
    """As the file numbers them."""
    first: int
    """Steps of `STEP` from the start of the recording to the first point."""
    xy: NDArray[np.float64]
    """A point for each step, metres. [N, 2]"""


@dataclass(frozen=True)
class Recording:
    """Every track of a file, and all their points by time."""

    tracks: tuple[Track, ...]
    frame_time: float
    """Seconds of a frame."""
    steps: int
    """Length of the recording."""
    step: NDArray[np.int64]
    """Of every point, ascending. [K]"""
    xy: NDArray[np.float64]
    """Of every point, metres. [K, 2]"""
    walked: NDArray[np.float64]
    """Metres walked in the step that begins at each point. [K]"""

    def told(self) -> str:
        """Return in words what it was taken for, so that a wrong unit or rate is seen."""
        people = len({track.person for track in self.tracks})
        seconds = STEP * (len(self.step) - len(self.tracks))
        return (
            f'{people} people in {len(self.tracks)} tracks over {STEP * (self.steps - 1):.0f} s, '
            f'{1.0 / self.frame_time:.3g} frames a second, '
            f'{float(self.walked.sum()) / seconds:.2f} m/s on the mean'
        )


@lru_cache(maxsize=4)
def load_recording(path: str, digest: str, fps: float = 0.0, scale: float = 1.0) -> Recording:
    """Read and clean a file of tracks.

    Args:
        path: The file.
        digest: sha256 that it must have.
        fps: Frames per second; 0 tells it from the file.
        scale: Metres per unit of the file.

    Raises:
        TaskError: the file is another one, is not of a known form, or nobody walks in it.
    """
    found = file_digest(Path(path))
    if found != digest:
        raise TaskError(f'{path}: tracks must have the sha256 {digest[:12]}, got {found[:12]}')
    return clean(read_rows(Path(path)), path, fps, scale)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file of tracks.

    Raises:
        TaskError: it cannot be read or is too large.
    """
    try:
        refuse_size(path)
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TaskError(f'{path}: tracks cannot be read: {error.strerror}') from error


def clean(rows: TrackRows, source: str, fps: float = 0.0, scale: float = 1.0) -> Recording:
    """Bring rows to metres and seconds, cut them at gaps and jumps, smooth and resample them.

    Raises:
        TaskError: people are too fast to be people, or no track lasts two steps.
    """
    seconds = 1.0 / fps if fps else frame_time(rows, scale)
    time, xy = (rows.frame - rows.frame.min()) * seconds, rows.xy * scale
    same = np.diff(rows.person) == 0
    lasts, length = np.diff(time)[same], np.hypot(*np.diff(xy, axis=0).T)[same]
    fastest = BRISKEST if not fps and rows.velocity is None else FASTEST
    if len(lasts) and (pace := _brisk(length / lasts)) > fastest:
        raise TaskError(
            f'{source}: people must walk slower than {fastest} m/s, got {pace:.3g} with frames '
            f'of {seconds:.3g} s: {_SAY}'
        )
    cut = ~same
    cut |= (np.diff(time) > GAP) | (
        np.hypot(*np.diff(xy, axis=0).T) > FASTEST * np.maximum(np.diff(time), 1e-9))
    ends = [0, *(np.flatnonzero(cut) + 1), len(time)]
    tracks = []
    for a, b in itertools.pairwise(ends):
        track = _resampled(int(rows.person[a]), time[a:b], xy[a:b])
        if track is not None:
            tracks.append(track)
    if not tracks:
        raise TaskError(f'{source}: no track lasts {STEP} s without a gap or jump')
    farthest = max(float(np.ptp(track.xy, axis=0).max()) for track in tracks)
    if farthest < LEAST_WALK:
        raise TaskError(
            f'{source}: someone must walk {LEAST_WALK} m, got {farthest:.3g} m at most: {_SAY}'
        )
    return _indexed(tuple(tracks), seconds)


def frame_time(rows: TrackRows, scale: float = 1.0) -> float:
    """Return seconds per frame: by the velocities of the file, else by how people walk.

    Without velocities it is one of the two usual times: rows every 0.4 s, or 25 frames a second;
    for the UCY recordings, with rows every ten frames, these are the same.
    """
    same = np.diff(rows.person) == 0
    frames, length = np.diff(rows.frame)[same], np.hypot(*np.diff(rows.xy, axis=0).T)[same]
    if not len(frames):
        return 1.0 / 25.0
    if rows.velocity is not None:
        speed = np.hypot(*rows.velocity.T)
        speed = 0.5 * (speed[1:] + speed[:-1])[same]
        walks = (speed * scale > 0.3) & (length > 0.0)
        if walks.any():
            # Three digits: 25 frames, not 25.000003 by the rounding of the file.
            fps = float(f'{np.median(speed[walks] * frames[walks] / length[walks]):.3g}')
            if 0.5 <= fps <= 250.0:
                return 1.0 / fps
    usual = STEP / float(np.median(frames))
    pace = _brisk(scale * length / frames)
    if pace <= 0.0:
        return usual
    return min((usual, 1.0 / 25.0), key=lambda s: abs(np.log(pace / s / USUAL_PACE)))


def _brisk(speed: NDArray[np.float64]) -> float:
    """Return the upper quartile: many people of a recording stand about."""
    return float(np.quantile(speed, 0.75))


def _resampled(
    person: int, time: NDArray[np.float64], xy: NDArray[np.float64]
) -> Track | None:
    """Put a track on the common clock, None if that leaves fewer than two points."""
    # Rounded, so that rows every 0.4 s keep their own points.
    first, last = int(np.ceil(time[0] / STEP - 1e-6)), int(np.floor(time[-1] / STEP + 1e-6))
    if last <= first:
        return None
    at = np.clip(np.arange(first, last + 1) * STEP, time[0], time[-1])
    if float(np.median(np.diff(time))) > 0.75 * STEP:
        # Does not overshoot: between two points the way stays within their rectangle.
        return Track(person, first, PchipInterpolator(time, xy, axis=0)(at))
    # Rows of a detector jitter by centimetres: take means over a step.
    low, high = np.maximum(at - STEP / 2, time[0]), np.minimum(at + STEP / 2, time[-1])
    steps = np.diff(time)[:, None] * 0.5 * (xy[1:] + xy[:-1])
    integral = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    mean = [
        (np.interp(high, time, integral[:, k]) - np.interp(low, time, integral[:, k]))
        / (high - low) for k in (0, 1)
    ]
    return Track(person, first, np.stack(mean, axis=1))


def _indexed(tracks: tuple[Track, ...], seconds: float) -> Recording:
    step = np.concatenate([track.first + np.arange(len(track.xy)) for track in tracks])
    walked = np.concatenate([
        np.append(np.hypot(*np.diff(track.xy, axis=0).T), 0.0) for track in tracks
    ])
    order = np.argsort(step, kind='stable')
    xy = np.concatenate([track.xy for track in tracks])
    return Recording(tracks, seconds, int(step.max()) + 1, step[order], xy[order], walked[order])
