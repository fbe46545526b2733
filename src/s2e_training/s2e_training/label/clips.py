"""Writes pieces as training clips."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from s2e_core.camera import CameraModel
from s2e_training.data.clip import Clip, ClipInfo, save_clip
from s2e_training.label.config import LabelConfig
from s2e_training.label.piece import Piece
from s2e_training.label.views import Views

CLIP_TOP = 95.0
"""Percentile of the speed that is brought down to the top speed."""


def write_piece(
    piece: Piece, views: Views, camera: CameraModel, config: LabelConfig, folder: Path,
    source: str, licence: str, provenance: dict[str, Any],
) -> float:
    """Write one clip.

    A carrier faster than the robot is slowed by shrinking the whole world, camera height
    included, so that image and track still agree; the factor is in the provenance.

    Returns:
        The factor, 1 where nothing was shrunk.
    """
    period = float(np.median(np.diff(np.array(views.seconds)[piece.views])))
    odometry = planar(piece.poses, period)
    fast = float(np.percentile(odometry[:, 3], CLIP_TOP))
    factor = min(1.0, config.top_speed / fast) if fast > 0 else 1.0
    odometry[:, [0, 1, 3]] *= factor
    width = min(config.clip_width, camera.width)
    lens = camera.scaled(width, round(camera.height * width / camera.width))
    ratio = piece.focal / camera.fx
    images = np.stack([
        cv2.resize(views.images[k], (lens.width, lens.height), interpolation=cv2.INTER_AREA)
        for k in piece.views
    ])
    info = ClipInfo(
        source=source, licence=licence, frames=len(images), width=lens.width,
        height=lens.height, fx=lens.fx * ratio, fy=lens.fy * ratio, cx=lens.cx, cy=lens.cy,
        mount_x=0.0, mount_z=config.height * factor, mount_pitch=piece.pitch, period=period,
        provenance={
            **provenance, 'labelled_by': 'visual odometry', 'speed_factor': factor,
            'confidence': float(piece.confidence.mean()), 'scale_spread': piece.spread,
            'first_frame': int(piece.numbers[0]), 'last_frame': int(piece.numbers[-1]),
            'goal': 'last pose of the clip',
        },
    )
    stamps = (np.array(views.seconds)[piece.views] * 1e9).round().astype(np.int64)
    save_clip(Clip(info, images, stamps, odometry, odometry[-1, :2].copy()), folder)
    return factor


def planar(poses: np.ndarray, period: float) -> np.ndarray:
    """Lay level <- optical poses [K, 4, 4] onto the ground: x, y, yaw, v, w. [K, 5]

    v and w at a frame are those of the step that ends there; the first repeats the second.
    """
    ahead = poses[:, :3, 2]
    yaw = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    xy = poses[:, :2, 3] - poses[0, :2, 3]
    steps = np.diff(xy, axis=0)
    middle = 0.5 * (yaw[1:] + yaw[:-1])
    v = (steps[:, 0] * np.cos(middle) + steps[:, 1] * np.sin(middle)) / period
    w = np.diff(yaw) / period
    v, w = np.concatenate([v[:1], v]), np.concatenate([w[:1], w])
    wrapped = (yaw + math.pi) % (2 * math.pi) - math.pi
    return np.column_stack([xy, wrapped, v, w])
