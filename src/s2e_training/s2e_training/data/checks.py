"""What can be wrong with a recording, found before it becomes training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from s2e_core.contract import POLICY_PERIOD_NS
from s2e_training.data.sources.recording import Recording, Track

GAP_NS = 500_000_000
"""Images further apart than this leave a hole: 2.5 policy periods."""
JUMP_SPEED = 4.0
"""Poses that move this much faster than the recording's 95th percentile have jumped."""
JUMP_LEAST = 0.3
"""Shorter moves between two poses are no jump, metres."""
FROZEN = 0.5
"""Mean difference of two 8-bit images below which they are the same picture; JPEG noise is 1."""
MOVING = 0.1
"""Speed from which a frozen image cannot be true, m/s."""
FASTEST = 40.0
"""No ground robot, bicycle or car in a city is faster, m/s: the unit is wrong."""
SLOWEST = 0.02
"""A recording that never exceeds this speed stands still, or its unit is kilometres."""
TURNING = 6.0
"""Yaw rate that no platform with a camera has for long, rad/s: degrees instead of radians."""

Severity = Literal['error', 'warning', 'note']


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing of a recording or clip."""

    severity: Severity
    rule: str
    """Short name, such as `gap`."""
    text: str

    def __str__(self) -> str:
        return f'{self.severity}: {self.rule}: {self.text}'


def check_stamps(stamps_ns: np.ndarray) -> list[Finding]:
    """Look for gaps and stamps that go back or repeat. [N] int64, in the order of the file"""
    steps = np.diff(stamps_ns)
    found = []
    back = int((steps <= 0).sum())
    if back:
        found.append(Finding('warning', 'stamps back', f'{back} of {len(steps)} steps do not '
                             f'rise; the largest goes back {-steps.min() / 1e9:.3f} s; left out'))
    gaps = steps[steps > max(GAP_NS, 3 * int(np.median(steps)))] if len(steps) else steps
    if len(gaps):
        found.append(Finding('warning', 'gap', f'{len(gaps)} gaps between images, the longest '
                             f'{gaps.max() / 1e9:.2f} s'))
    return found


def check_track(track: Track, v_max: float = FASTEST) -> list[Finding]:
    """Look for jumps and impossible units.

    Args:
        track: Poses of base_link.
        v_max: Fastest speed of the platform, m/s.
    """
    found = []
    dt = np.diff(track.stamps_ns) * 1e-9
    moved = np.linalg.norm(np.diff(track.poses[:, :2], axis=0), axis=1)
    speed = moved / np.maximum(dt, 1e-3)
    jumps = jump_steps(track)
    usual = float(np.percentile(speed, 95))
    if jumps.any():
        found.append(Finding('warning', 'jump', f'{int(jumps.sum())} steps of the poses move far '
                             f'faster than the rest, the largest by {moved[jumps].max():.2f} m'))
    if usual > v_max:
        found.append(Finding('error', 'units', f'speeds of {usual:.1f} m/s are impossible for '
                             f'this platform (at most {v_max:g} m/s): wrong unit or scale'))
    elif usual < SLOWEST:
        found.append(Finding('warning', 'units', f'the speed never exceeds {usual:.4f} m/s: it '
                             'stands still, or the unit is wrong'))
    turning = float(np.percentile(np.abs(np.diff(track.poses[:, 2])) / np.maximum(dt, 1e-3), 95))
    if turning > TURNING:
        found.append(Finding('error', 'units', f'yaw rates of {turning:.1f} rad/s: degrees '
                             'instead of radians?'))
    return found


def jump_steps(track: Track) -> np.ndarray:
    """Say which steps between poses are jumps. [P - 1] bool"""
    dt = np.diff(track.stamps_ns) * 1e-9
    moved = np.linalg.norm(np.diff(track.poses[:, :2], axis=0), axis=1)
    speed = moved / np.maximum(dt, 1e-3)
    usual = max(float(np.percentile(speed, 95)), MOVING)
    return (speed > JUMP_SPEED * usual) & (moved > JUMP_LEAST)


def frozen_images(rgb: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Say which images repeat the one before while the robot moves.

    Args:
        rgb: [N, H, W, 3] uint8
        speed: m/s, [N]

    Returns:
        [N] bool
    """
    result = np.zeros(len(rgb), bool)
    for i in range(1, len(rgb)):
        difference = np.abs(rgb[i].astype(np.int16) - rgb[i - 1]).mean()
        result[i] = difference < FROZEN and abs(speed[i]) > MOVING
    return result


def check_recording(recording: Recording) -> list[Finding]:
    """Say what a recording lacks or has wrong before any image is decoded."""
    found = [Finding('note', 'assumed', note) for note in recording.notes]
    if len(recording) == 0:
        found.append(Finding('error', 'images', 'holds no images'))
    else:
        found += check_stamps(recording.stamps_ns)
    if recording.track is None:
        found.append(Finding('error', 'poses', 'has no poses'))
    if recording.camera is None:
        found.append(Finding('error', 'camera', 'has no intrinsics; give a camera or hfov'))
    if recording.mount is None:
        found.append(Finding('error', 'mount', 'does not say where the camera sits; give a mount'))
    if not recording.licence:
        found.append(Finding('warning', 'licence', 'unknown'))
    return found


def check_clip_arrays(rgb: np.ndarray, stamps: np.ndarray, odometry: np.ndarray) -> list[Finding]:
    """Look for what only the finished clip shows: frozen, dark or sparse images, reverse, rest."""
    found = []
    v = odometry[:, 3]
    frozen = int(frozen_images(rgb, v).sum())
    if frozen:
        found.append(Finding('warning', 'frozen', f'{frozen} of {len(rgb)} images repeat the one '
                             'before while the robot moves'))
    dark = int((rgb.reshape(len(rgb), -1).max(axis=1) < 24).sum())
    if dark:
        found.append(Finding('warning', 'dark', f'{dark} of {len(rgb)} images are black'))
    if len(stamps) > 1 and np.median(np.diff(stamps)) > 1.5 * POLICY_PERIOD_NS:
        found.append(Finding('warning', 'sparse', 'images are '
                             f'{np.median(np.diff(stamps)) / 1e9:.2f} s apart, the policy wants '
                             '0.2 s: for evaluation, not for training'))
    if (v < -MOVING).mean() > 0.1:
        found.append(Finding('warning', 'reverse', f'{(v < -MOVING).mean():.0%} drives backwards'))
    if (np.abs(v) < 0.05).mean() > 0.5:
        found.append(Finding('note', 'still', f'{(np.abs(v) < 0.05).mean():.0%} stands still'))
    return found
