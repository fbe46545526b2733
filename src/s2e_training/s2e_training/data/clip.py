"""The on-disk form of training clips.

A clip is a folder: ``clip.yaml`` (camera, mount, rate, source, licence, provenance),
``frames.npz`` (rgb [N, H, W, 3] uint8) and ``tracks.npz`` (stamps_ns [N] int64, odometry [N, 5]
x y yaw v w in odom and body units, goal [2] in odom or NaN, and optionally plan [N, 10, 2], the
teacher's waypoints in base_link, free_space [N, 48], metres or NaN where unknown, and operator
[N, 2], v and w that a person asked for, NaN where nobody drove). Without ``plan`` the label is the
odometry of the next 2 s.
"""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from s2e_core.config import check, from_yaml, option, to_mapping
from s2e_core.contract import FREE_SPACE_BEARINGS, WAYPOINTS
from s2e_training.errors import TrainingError

CLIP_FILE = 'clip.yaml'
FRAMES_FILE = 'frames.npz'
TRACKS_FILE = 'tracks.npz'
MAX_BYTES = 4_000_000_000
"""Largest unpacked clip: 20 minutes at 5 Hz and 256x256 are 1.2 GB."""


@dataclass(frozen=True)
class ClipInfo:
    """What ``clip.yaml`` says."""

    source: str = option(help='Where it comes from: a scene, a recording.')
    licence: str = option(help='Licence of the images.')
    frames: int = option(low=1, high=1_000_000, help='Number of frames.')
    width: int = option(unit='px', low=16, high=4096, help='Width.')
    height: int = option(unit='px', low=16, high=4096, help='Height.')
    fx: float = option(unit='px', low=1, high=1e5, help='Focal length along x.')
    fy: float = option(unit='px', low=1, high=1e5, help='Focal length along y.')
    cx: float = option(unit='px', low=0, high=1e5, help='Principal point from the left.')
    cy: float = option(unit='px', low=0, high=1e5, help='Principal point from the top.')
    mount_x: float = option(unit='m', low=-10, high=10, help='Camera ahead of base_link.')
    mount_z: float = option(unit='m', low=0, high=10, help='Camera above the floor.')
    mount_pitch: float = option(unit='rad', low=-1.5, high=1.5, help='Positive looks down.')
    provenance: dict[str, Any] = option(help='Seeds, task, driver, jitter.')
    period: float = option(0.2, unit='s', low=0.01, high=10, help='Time between frames.')
    robot: str = option('', help='Robot profile, where one applies.')

    def __post_init__(self) -> None:
        check(self, source='clip')


@dataclass(frozen=True)
class Clip:
    """One drive."""

    info: ClipInfo
    rgb: np.ndarray
    """[N, H, W, 3] uint8"""
    stamps_ns: np.ndarray
    """[N] int64"""
    odometry: np.ndarray
    """x, y, yaw (odom), v, w. [N, 5] float64"""
    goal: np.ndarray
    """odom, metres; NaN when there is none. [2]"""
    plan: np.ndarray | None = None
    """Teacher's waypoints, base_link, metres. [N, 10, 2]"""
    free_space: np.ndarray | None = None
    """Free distance along the contract's bearings, metres, NaN where unknown. [N, 48]"""
    operator: np.ndarray | None = None
    """What a person asked for: v (m/s), w (rad/s), NaN where nobody drove. [N, 2]"""


def save_clip(clip: Clip, folder: Path) -> None:
    """Write a clip; the folder appears only when it is complete.

    Raises:
        TrainingError: The arrays break the form.
    """
    problem = clip_problem(clip)
    if problem:
        raise TrainingError(f'{folder}: {problem}')
    staging = folder.with_name(folder.name + '.tmp')
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(parents=True)
    np.savez(staging / FRAMES_FILE, rgb=clip.rgb)
    tracks: dict[str, Any] = {
        'stamps_ns': clip.stamps_ns, 'odometry': clip.odometry, 'goal': clip.goal,
    }
    if clip.plan is not None:
        tracks['plan'] = clip.plan
    if clip.free_space is not None:
        tracks['free_space'] = clip.free_space.astype(np.float16)
    if clip.operator is not None:
        tracks['operator'] = clip.operator.astype(np.float32)
    np.savez(staging / TRACKS_FILE, **tracks)
    text = yaml.safe_dump(to_mapping(clip.info), sort_keys=False)
    (staging / CLIP_FILE).write_text(text, encoding='utf-8')
    staging.rename(folder)


def load_info(folder: Path) -> ClipInfo:
    """Read what a clip says of itself.

    Raises:
        ConfigError: Missing, damaged or out of bounds.
    """
    return from_yaml(ClipInfo, folder / CLIP_FILE)


def load_tracks(folder: Path) -> dict[str, np.ndarray]:
    """Read everything but the images.

    Raises:
        TrainingError: Missing, damaged or too large.
    """
    return _arrays(folder / TRACKS_FILE)


def load_clip(folder: Path) -> Clip:
    """Read a clip.

    Raises:
        TrainingError: Missing, damaged, too large or not in the form.
    """
    info = load_info(folder)
    tracks = load_tracks(folder)
    missing = {'stamps_ns', 'odometry', 'goal'} - set(tracks)
    if missing:
        raise TrainingError(f'{folder / TRACKS_FILE}: lacks the array {sorted(missing)[0]!r}')
    rgb = _arrays(folder / FRAMES_FILE).get('rgb')
    if rgb is None:
        raise TrainingError(f"{folder / FRAMES_FILE}: lacks the array 'rgb'")
    clip = Clip(
        info, rgb, tracks['stamps_ns'], tracks['odometry'], tracks['goal'], tracks.get('plan'),
        tracks.get('free_space'), tracks.get('operator'),
    )
    problem = clip_problem(clip)
    if problem:
        raise TrainingError(f'{folder}: {problem}')
    return clip


def find_clips(root: Path) -> list[Path]:
    """List the clips under a folder, sorted by path.

    Raises:
        TrainingError: There is none.
    """
    found = sorted(
        path.parent for path in root.glob(f'**/{CLIP_FILE}') if path.parent.suffix != '.tmp'
    )
    if not found:
        raise TrainingError(f'{root}: holds no clip (a folder with {CLIP_FILE})')
    return found


def clip_problem(clip: Clip) -> str | None:
    """Say which rule of the form a clip breaks, or None."""
    n, info = clip.info.frames, clip.info
    shapes: list[tuple[str, np.ndarray, tuple[int, ...]]] = [
        ('rgb', clip.rgb, (n, info.height, info.width, 3)), ('stamps_ns', clip.stamps_ns, (n,)),
        ('odometry', clip.odometry, (n, 5)), ('goal', clip.goal, (2,)),
    ]
    if clip.plan is not None:
        shapes.append(('plan', clip.plan, (n, WAYPOINTS, 2)))
    if clip.free_space is not None:
        shapes.append(('free_space', clip.free_space, (n, FREE_SPACE_BEARINGS)))
    if clip.operator is not None:
        shapes.append(('operator', clip.operator, (n, 2)))
    for name, array, shape in shapes:
        if array.shape != shape:
            return f'{name} must be {shape}, got {array.shape}'
    if clip.rgb.dtype != np.uint8:
        return f'rgb must be uint8, got {clip.rgb.dtype}'
    if not np.isfinite(clip.odometry).all():
        return 'odometry must be finite'
    if clip.plan is not None and not np.isfinite(clip.plan).all():
        return 'plan must be finite'
    if n > 1 and np.diff(clip.stamps_ns).min() <= 0:
        return 'stamps_ns must rise'
    return None


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise TrainingError(f'{path}: may unpack to {MAX_BYTES} bytes, got {size}')
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(f'{path}: cannot be read: {error}') from error
