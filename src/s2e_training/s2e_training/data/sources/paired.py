"""Images or video beside a pose file of its own clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.camera import CameraMount
from s2e_training.data.sources.options import SourceOptions
from s2e_training.data.sources.poses import nanoseconds, planar_track, read_poses
from s2e_training.data.sources.recording import Track
from s2e_training.errors import TrainingError


def track_from_file(path: Path, stamps: np.ndarray, options: SourceOptions) -> tuple[Track, str]:
    """Read the poses of a recording.

    Poses without stamps (KITTI form) belong to the images one by one; stamps are in the clock of
    the images after `options.offset`.

    Args:
        path: Pose file.
        stamps: Stamps of the images. [N] int64
        options: Body, scale, offset and mount.

    Raises:
        TrainingError: Damaged, or not one pose per image.
    """
    seconds, poses = read_poses(path)
    poses[:, :3, 3] *= options.scale
    if seconds is None:
        if len(poses) != len(stamps):
            raise TrainingError(
                f'{path}: without stamps it must have a pose for each of {len(stamps)} images, '
                f'got {len(poses)}'
            )
        times = stamps
    else:
        times = nanoseconds(seconds + options.offset)
    mount = options.mount or CameraMount(0.0, 0.0, 0.0, 0.0)
    return planar_track(times, poses, mount if options.body == 'camera' else None)
