"""From a recording's own times to the policy's: which images to keep, and their labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from s2e_core.contract import POLICY_PERIOD_NS, WAYPOINT_DT, WAYPOINTS
from s2e_training.data.checks import GAP_NS, jump_steps
from s2e_training.data.sources.recording import Recording, Track

LEAST_STEP = 0.55
"""Share of the period that must lie between two chosen images; an 8 Hz camera gives 0.625."""
HORIZON_NS = round(WAYPOINTS * WAYPOINT_DT * 1e9)


def slow_down(recording: Recording, v_max: float) -> tuple[Recording, float]:
    """Stretch time until the recording's 95th percentile of speed is at most `v_max`.

    The path stays as it was driven: only the clock runs slower, so that a car's film looks as
    if a robot had driven it. Stamps count from the first image then.

    Returns:
        The recording and the factor of time; itself and 1 where it is slow enough.
    """
    track = recording.track
    if track is None or len(recording) == 0:
        return recording, 1.0
    within = recording.stamps_ns[track.covers(recording.stamps_ns)]
    if len(within) == 0:
        return recording, 1.0
    speed = float(np.percentile(np.abs(track.velocity(within)[:, 0]), 95))
    if speed <= v_max:
        return recording, 1.0
    factor, origin = speed / v_max, int(recording.stamps_ns.min())
    slow = Track(_stretch(track.stamps_ns, origin, factor), track.poses)
    stamps = _stretch(recording.stamps_ns, origin, factor)
    driving = recording.driving
    if driving is not None:
        driving = driving.stretched(origin, factor)
    return replace(recording, stamps_ns=stamps, track=slow, driving=driving), factor


def choose_frames(stamps_ns: np.ndarray, period_ns: int = POLICY_PERIOD_NS) -> np.ndarray:
    """Choose the images nearest to a grid of the policy's period; each once.

    Images keep their own stamps and poses, so the choice costs no accuracy of the labels. Where
    images are sparser than the grid all are kept; stamps that do not rise are left out.

    Args:
        stamps_ns: Stamps in the order of the file. [N] int64
        period_ns: Time between two images, nanoseconds.

    Returns:
        Indices of rising stamps. [S] int64
    """
    if len(stamps_ns) == 0:
        return np.zeros(0, np.int64)
    highest = np.maximum.accumulate(stamps_ns)
    rising = np.flatnonzero(np.concatenate([[True], stamps_ns[1:] > highest[:-1]]))
    times = stamps_ns[rising]
    slot = (times - times[0] + period_ns // 2) // period_ns
    away = np.abs(times - times[0] - slot * period_ns)
    order = np.lexsort((away, slot))
    first = np.concatenate([[True], slot[order][1:] != slot[order][:-1]])
    kept: list[int] = []
    for index in rising[np.sort(order[first])].tolist():
        # Half a period after the last one the next slot has no image of its own.
        if not kept or stamps_ns[index] - stamps_ns[kept[-1]] > LEAST_STEP * period_ns:
            kept.append(index)
    return np.array(kept, np.int64)


def split(
    stamps_ns: np.ndarray, track: Track, longest_ns: int, gap_ns: int = GAP_NS
) -> list[np.ndarray]:
    """Cut chosen images into clips: at gaps, at jumps of the poses, and after some time.

    Only images whose next 2 s are covered by poses without a jump are kept, since the label
    lies there.

    Args:
        stamps_ns: Stamps of the chosen images. [S] int64
        track: Poses.
        longest_ns: Longest clip.
        gap_ns: Longer steps between images, or between poses, begin a new clip.

    Returns:
        Positions in `stamps_ns`, one array for each clip.
    """
    broken = jump_steps(track) | (np.diff(track.stamps_ns) > gap_ns)
    starts, ends = track.stamps_ns[:-1][broken], track.stamps_ns[1:][broken]
    # Image s is bad if some broken step (a, b) meets [s, s + horizon]: counted by two sorts.
    entered = np.searchsorted(starts, stamps_ns + HORIZON_NS, side='left')
    passed = np.searchsorted(ends, stamps_ns, side='right')
    good = track.covers(stamps_ns) & track.covers(stamps_ns + HORIZON_NS) & (entered == passed)
    kept = np.flatnonzero(good)
    if len(kept) == 0:
        return []
    cut = np.diff(stamps_ns[kept]) > gap_ns
    cut |= np.diff(kept) > 1
    parts = []
    for piece in np.split(kept, np.flatnonzero(cut) + 1):
        part = (stamps_ns[piece] - stamps_ns[piece[0]]) // longest_ns
        parts += np.split(piece, np.flatnonzero(np.diff(part)) + 1)
    return parts


def future_plan(track: Track, stamps_ns: np.ndarray) -> np.ndarray:
    """Return where the recording goes in the next 2 s, seen from base_link. [N, 10, 2] metres"""
    here = track.at(stamps_ns)
    steps = np.round(np.arange(1, WAYPOINTS + 1) * WAYPOINT_DT * 1e9).astype(np.int64)
    ahead = track.at((stamps_ns[:, None] + steps).ravel()).reshape(len(stamps_ns), WAYPOINTS, 3)
    dx, dy = np.moveaxis(ahead[..., :2] - here[:, None, :2], -1, 0)
    c, s = np.cos(here[:, 2])[:, None], np.sin(here[:, 2])[:, None]
    return np.stack([c * dx + s * dy, c * dy - s * dx], axis=-1)


def odometry_rows(track: Track, stamps_ns: np.ndarray) -> np.ndarray:
    """Return x, y, yaw, v, w, the pose counted from the first. [N, 5]"""
    poses, velocity = track.at(stamps_ns), track.velocity(stamps_ns)
    return np.column_stack([relative(poses, poses[0]), velocity])


def relative(poses: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Express planar poses in the frame of another. [..., 3], [3] -> [..., 3]"""
    c, s = np.cos(origin[2]), np.sin(origin[2])
    dx, dy = poses[..., 0] - origin[0], poses[..., 1] - origin[1]
    return np.stack([c * dx + s * dy, c * dy - s * dx, poses[..., 2] - origin[2]], axis=-1)


def _stretch(stamps_ns: np.ndarray, origin: int, factor: float) -> np.ndarray:
    return np.round((stamps_ns - origin) * factor).astype(np.int64)
