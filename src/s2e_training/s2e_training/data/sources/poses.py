"""Pose files (TUM, KITTI) and the way from poses in space to a planar track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from transforms3d.quaternions import quat2mat

from s2e_core.camera import CameraMount
from s2e_training.data.sources.recording import Track
from s2e_training.errors import TrainingError

MAX_BYTES = 500_000_000
"""A pose file of an hour at 1 kHz has 0.4 GB."""
TUM_COLUMNS = 8
KITTI_COLUMNS = 12
LEVEL = 0.9
"""Cosine of the lean up to which a world is taken to be level already: 26 degrees."""
OPTICAL_UP = np.array([0.0, -1.0, 0.0])


def read_table(path: Path) -> np.ndarray:
    """Read rows of numbers; `#` begins a comment, blanks or commas separate. [R, C]

    Raises:
        TrainingError: Missing, too large, ragged or no numbers.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise TrainingError(f'{path}: a pose file may have {MAX_BYTES} bytes, got {size}')
        text = path.read_text(encoding='utf-8')
    except OSError as error:
        raise TrainingError(f'{path}: cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise TrainingError(f'{path}: is no text: {error}') from error
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition('#')[0].replace(',', ' ').split()
        if not words:
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            raise TrainingError(f'{path}:{number}: must hold numbers: {error}') from error
        if len(rows[-1]) != len(rows[0]):
            raise TrainingError(
                f'{path}:{number}: must have {len(rows[0])} columns, got {len(rows[-1])}'
            )
    if not rows:
        raise TrainingError(f'{path}: holds no pose')
    table = np.array(rows)
    if not np.isfinite(table).all():
        raise TrainingError(f'{path}: line of pose {int(np.argmin(np.isfinite(table).all(1)))} '
                            'holds a number that is not finite')
    return table


def read_poses(path: Path) -> tuple[np.ndarray | None, np.ndarray]:
    """Read a pose file: TUM (stamp, position, quaternion xyzw) or KITTI (3x4 matrix by rows).

    Returns:
        **seconds**: Stamps in the file's own clock, or None where it has none. [P]
        **poses**: world <- body, in the file's units. [P, 4, 4]

    Raises:
        TrainingError: Another number of columns, or a rotation that is none.
    """
    table = read_table(path)
    poses = np.tile(np.eye(4), (len(table), 1, 1))
    if table.shape[1] == KITTI_COLUMNS:
        poses[:, :3] = table.reshape(-1, 3, 4)
        _check_rotations(poses, path)
        return None, poses
    if table.shape[1] != TUM_COLUMNS:
        raise TrainingError(
            f'{path}: must have 8 columns (TUM) or 12 (KITTI), got {table.shape[1]}'
        )
    norms = np.linalg.norm(table[:, 4:], axis=1)
    if np.abs(norms - 1.0).max() > 0.05:
        worst = int(np.abs(norms - 1.0).argmax())
        raise TrainingError(
            f'{path}: quaternions must have length 1, got {norms[worst]:.3f} at pose {worst}'
        )
    poses[:, :3, 3] = table[:, 1:4]
    poses[:, :3, :3] = [quat2mat(row) for row in table[:, [7, 4, 5, 6]]]
    return table[:, 0], poses


def planar_track(
    stamps_ns: np.ndarray, poses: np.ndarray, mount: CameraMount | None,
) -> tuple[Track, str]:
    """Lay poses in space onto the floor.

    A world whose z axis is the body's mean up axis within 26 degrees is taken as it is; any
    other (KITTI and COLMAP: the first camera) is turned so that the mean up axis becomes z.

    Args:
        stamps_ns: Times; sorted here, and of equal ones the first is kept. [P] int64
        poses: world <- body, metres. [P, 4, 4]
        mount: The camera's place, when `poses` are those of a camera (optical frame);
            None when they are those of base_link.

    Returns:
        The track of base_link and a note on how the world was levelled, or an empty one.
    """
    if mount is not None:
        poses = poses @ np.linalg.inv(mount.base_from_optical())
    up = poses[:, :3, 2].mean(axis=0)
    up /= np.linalg.norm(up)
    note = ''
    if up[2] < LEVEL:
        poses = level_rotation(up, poses[0, :3, 0]) @ poses
        note = 'world levelled by the mean upward axis of the body'
    order = np.unique(stamps_ns, return_index=True)[1]
    poses, stamps = poses[order], np.asarray(stamps_ns, np.int64)[order]
    yaw = np.unwrap(np.arctan2(poses[:, 1, 0], poses[:, 0, 0]))
    return Track(stamps, np.column_stack([poses[:, :2, 3], yaw])), note


def level_rotation(up: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """Return level <- world: z along `up` [3], x along `forward` [3] laid flat. [4, 4]"""
    x = forward - up * (forward @ up)
    x /= np.linalg.norm(x)
    rotation = np.eye(4)
    rotation[:3, :3] = np.stack([x, np.cross(up, x), up])
    return rotation


def nanoseconds(seconds: np.ndarray) -> np.ndarray:
    """Turn seconds into stamps. [N] float64 -> [N] int64"""
    if np.abs(seconds).max() > 9e9:
        raise TrainingError(f'stamps must be seconds below 9e9, got {np.abs(seconds).max():g}')
    whole = np.floor(seconds)
    return whole.astype(np.int64) * 1_000_000_000 + np.round(
        (seconds - whole) * 1e9
    ).astype(np.int64)


def _check_rotations(poses: np.ndarray, path: Path) -> None:
    rotation = poses[:, :3, :3]
    error = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    if error.max() > 0.01 or np.linalg.det(rotation).min() < 0:
        raise TrainingError(
            f'{path}: pose {int(error.argmax())} is no rigid motion: its rotation is off by '
            f'{error.max():.3g}'
        )
